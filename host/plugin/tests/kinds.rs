//! Each kind of component loads as its kind and as no other.
//!
//! The components are made from `wit/` itself: every function is there with
//! the type that the interface gives it, and traps when it is called.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::Path;
use std::sync::Arc;

use vak_engine::{CallLimits, Engine, LoadError, Problem, Request};
use vak_memory::Memory;
use vak_plugin::{Loaded, load};
use vak_trust::{PrivateKey, TrustPolicy, Unsigned, Validity};
use vak_types::{Access, Granted, Kind, Timestamp};
use wit_component::{StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{ManglingAndAbi, Resolve};

const NOW: Timestamp = Timestamp::from_nanos(1_800_000_000_000_000_000);

const KINDS: [Kind; 4] = [Kind::Policy, Kind::Scorer, Kind::Adapter, Kind::Skill];

/// The core module of a component with the world `KIND-component`.
fn module(kind: Kind) -> Vec<u8> {
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
    let mut resolve = Resolve::default();
    for package in ["types", "host"] {
        resolve.push_path(wit.join(package)).unwrap();
    }
    let (package, _) = resolve.push_path(wit.join(kind.to_string())).unwrap();
    let world = resolve.select_world(&[package], Some(&format!("{kind}-component"))).unwrap();
    let mut module = dummy_module(&resolve, world, ManglingAndAbi::Standard32);
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    module
}

/// Loads a component of `kind` whose manifest says that it is a `claimed`.
fn try_load(engine: &Engine, kind: Kind, claimed: Kind) -> Result<Loaded, LoadError> {
    let manifest = format!(
        "name = 'dummy'\nversion = '0.1.0'\nkind = '{claimed}'\ndescription = ''\nlicense = 'MIT'\ngrants.log = true{}",
        if claimed == Kind::Skill { "\ngrants.secrets = ['token']\ngrants.memory.notes = 'read'" } else { "" }
    );
    let key = PrivateKey::generate().unwrap();
    let package = vak_author::pack(&module(kind), &manifest).unwrap().sign(&key, Validity::since(NOW));
    let component = TrustPolicy::of_publishers([key.public()]).verify(package, Unsigned::Refuse, NOW).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("token");
    key.write(&secret).unwrap();
    let memory = Arc::new(Memory::at(folder.path().join("memory.sqlite")));
    let request = Request {
        name: &"dummy".parse().unwrap(),
        kind: claimed,
        component: &component,
        config: None,
        grants: &Granted {
            log: true,
            secrets: [("token".parse().unwrap(), secret)].into(),
            memory: [("notes".parse().unwrap(), Access::Read)].into(),
            ..Granted::default()
        },
        limits: CallLimits::POLICY,
    };
    load(engine, &request, Some(&memory))
}

#[test]
fn loads_as_its_kind_and_as_no_other() {
    let engine = Engine::new(None).unwrap();
    for kind in KINDS {
        for claimed in KINDS {
            match (kind == claimed, try_load(&engine, kind, claimed)) {
                (true, Ok(Loaded::Scorer(_))) => assert_eq!(kind, Kind::Scorer),
                // A skill and an adapter are asked what they are, and so is a policy that
                // can ask for the session. These trap.
                (true, Err(error)) => {
                    let asked = matches!(kind, Kind::Policy | Kind::Skill | Kind::Adapter);
                    assert!(asked && matches!(error.problem, Problem::Start(_)), "{error}");
                }
                (false, Err(error)) => {
                    assert!(matches!(error.problem, Problem::Export { .. }), "a {kind} as a {claimed}: {error}");
                }
                (_, Ok(loaded)) => panic!("a {kind} loaded as a {claimed}: {loaded:?}"),
            }
        }
    }
}
