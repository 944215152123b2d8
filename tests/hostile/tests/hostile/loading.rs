//! Components that must not get as far as a decision: they are of another
//! kind than they say, want what they were not given, or do not start.

use vak_engine::{CallLimits, Engine, LoadError, Problem, Request};
use vak_hostile::{WatPolicy, manifest};
use vak_pipeline::{Guard as _, Standing};
use vak_plugin::{Loaded, load};
use vak_test_support::{components, publisher_key};
use vak_trust::{Manifest, Package, TrustPolicy, Unsigned, Validity};
use vak_types::FailureKind::{self, Fuel, Memory, TimeOut, Trap};
use vak_types::{Capability, Effect, Granted, Kind, Timestamp};

const NOW: Timestamp = Timestamp::from_nanos(1_800_000_000_000_000_000);

struct Case {
    name: &'static str,
    component: Vec<u8>,
    manifest: Manifest,
    config: Option<&'static str>,
    granted: bool,
    limits: CallLimits,
}

/// A policy that is signed, honest and granted what it asks for.
fn case(name: &'static str, component: Vec<u8>) -> Case {
    let manifest = manifest("policy", "");
    // Enough wall time for fuel to run out first on a slow machine, too.
    let limits = CallLimits { wall_ms_max: 10_000, ..CallLimits::POLICY };
    Case { name, component, manifest, config: None, granted: true, limits }
}

fn wat(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

fn before(fields: &str) -> Vec<u8> {
    WatPolicy { before: fields.to_owned(), ..WatPolicy::default() }.encode()
}

fn first_party(name: &str) -> Vec<u8> {
    std::fs::read(components().join(format!("{name}.wasm"))).unwrap()
}

fn try_load(engine: &Engine, case: &Case) -> Result<Loaded, LoadError> {
    let key = publisher_key();
    let package = Package::unsigned(case.component.clone(), &case.manifest).sign(&key, Validity::since(NOW));
    let verified = TrustPolicy::of_publishers([key.public()]).verify(package, Unsigned::Refuse, NOW).unwrap();
    let grants = Granted { log: case.granted, ..Granted::default() };
    let request = Request {
        name: &"hostile".parse().unwrap(),
        kind: Kind::Policy,
        component: &verified,
        config: case.config,
        grants: &grants,
        limits: case.limits,
    };
    load(engine, &request, None)
}

/// The engine that refused all the others still serves this one.
fn still_serves(engine: &Engine) {
    let Loaded::Policy(policy) = try_load(engine, &case("good", WatPolicy::default().encode())).unwrap() else {
        panic!("another kind");
    };
    let action = vak::ActionRequest {
        session: "s".parse().unwrap(),
        agent: "a".parse().unwrap(),
        operation: "good/act".parse().unwrap(),
        resource: "r".parse().unwrap(),
        arguments: Default::default(),
        attributes: Default::default(),
        labels: Vec::new(),
    };
    let action = action.at("a-1".parse().unwrap(), Timestamp::from_nanos(0));
    assert_eq!(policy.with_standing(Standing::MayPermit).evaluate(&action, None).unwrap().effect, Effect::Permit);
}

fn refused(cases: &[Case], expected: impl Fn(&'static str, &Problem) -> bool) {
    let engine = Engine::new(None).unwrap();
    for case in cases {
        let start = std::time::Instant::now();
        let error = try_load(&engine, case).err().unwrap_or_else(|| panic!("{} loads", case.name));
        println!("{:30} {:10.2?}  {error}", case.name, start.elapsed());
        assert!(expected(case.name, &error.problem), "{}: {error}", case.name);
        still_serves(&engine);
    }
}

#[test]
fn another_kind_than_it_says() {
    let skill = || Manifest::from_toml(&std::fs::read_to_string("skill/vak-component.toml").unwrap()).unwrap();
    let cases = [
        case("exports-nothing", wat("(component)")),
        case("skill-that-says-policy", first_party("calculator")),
        Case { manifest: skill(), ..case("skill", first_party("hostile-skill")) },
        case("evaluate-of-another-type", {
            let evaluate_type = r#"(param "action" $action) (result (result $finding (error string)))"#;
            WatPolicy { evaluate_type, ..WatPolicy::default() }.encode()
        }),
        case("nearest-of-another-type", {
            let after = r#"(func $other (result u32) (canon lift (core func $i "describe")))
                (instance $near (export "nearest" (func $other)))
                (export "vak:policy/nearest@0.1.0" (instance $near))"#;
            WatPolicy { after: after.to_owned(), ..WatPolicy::default() }.encode()
        }),
        case(
            "only-half-of-the-interface",
            wat("(component (instance $i) (export \"vak:policy/policy@0.1.0\" (instance $i)))"),
        ),
        case("core-module", wat("(module)")),
        case("empty", Vec::new()),
        case("text", b"(component)".to_vec()),
    ];
    refused(&cases, |name, problem| match problem {
        Problem::Export { interface: "vak:policy/policy@0.1.0", kind: Kind::Policy } => {
            matches!(name, "exports-nothing" | "skill-that-says-policy")
        }
        Problem::Kind { found: Kind::Skill, expected: Kind::Policy } => name == "skill",
        Problem::Link(_) => name == "only-half-of-the-interface",
        Problem::Start(failure) => {
            matches!(name, "evaluate-of-another-type" | "nearest-of-another-type")
                && failure.kind == FailureKind::Malformed
        }
        Problem::Compile(_) => matches!(name, "core-module" | "empty" | "text"),
        _ => false,
    });
}

#[test]
fn wants_what_it_was_not_given() {
    const SOCKETS: &str = "wasi:sockets/tcp@0.2.0";
    const CLOCK: &str = "wasi:clocks/wall-clock@0.2.0";
    const LOG: &str = "vak:host/log@0.1.0";
    let import = |name: &str| before(&format!("(import \"{name}\" (instance (export \"now\" (func (result u64)))))"));
    let hostile = || Case { config: Some(""), ..case("log-undeclared", first_party("hostile-policy")) };
    let cases = [
        case("sockets", import(SOCKETS)),
        // A stand-in has the type that WASI says, and no other.
        case("clock-of-another-type", import(CLOCK)),
        case("function-of-its-own", before("(import \"run-command\" (func (param \"command\" string)))")),
        case("module", before("(import \"m\" (core module))")),
        // Asking for one grant does not bring another along.
        Case { manifest: manifest("policy", "log = true"), ..case("sockets-beside-log", import(SOCKETS)) },
        hostile(),
        Case { name: "log-not-granted", manifest: manifest("policy", "log = true"), granted: false, ..hostile() },
    ];
    refused(&cases, |name, problem| match problem {
        Problem::Undeclared { import } => match name {
            "sockets" | "sockets-beside-log" => import == SOCKETS,
            "function-of-its-own" => import == "run-command",
            "module" => import == "m",
            name => name == "log-undeclared" && import == LOG,
        },
        Problem::NotGranted { capability: Capability::Log, import } => name == "log-not-granted" && import == LOG,
        Problem::Link(message) => name == "clock-of-another-type" && message.contains(CLOCK),
        _ => false,
    });
}

#[test]
fn does_not_start() {
    let start =
        |code: &str| before(&format!("(core module $a (func $f {code}) (start $f)) (core instance (instantiate $a))"));
    let times = |count: usize, what: &str| {
        let instances = "(core instance (instantiate $a))".repeat(count);
        before(&format!("(core module $a {what}) {instances}"))
    };
    let slow = CallLimits { fuel_max: u64::MAX, wall_ms_max: 50, ..CallLimits::POLICY };
    let cases: [(Case, FailureKind); 8] = [
        (case("start-spins", start("(loop (br 0))")), Fuel),
        (Case { limits: slow, ..case("start-spins-without-fuel-limit", start("(loop (br 0))")) }, TimeOut),
        (case("start-traps", start("unreachable")), Trap),
        (case("data-out-of-bounds", times(1, "(memory 1) (data (i32.const 65536) \"x\")")), Trap),
        (case("memory-over-the-limit", times(1, "(memory 1025)")), Memory),
        (case("memories-over-the-limit-together", times(4, "(memory 300)")), Memory),
        (case("table-over-the-limit", times(1, "(table 20001 funcref)")), Memory),
        (case("tables-over-the-limit-together", times(3, "(table 7000 funcref)")), Memory),
    ];
    let kinds: Vec<_> = cases.iter().map(|(case, kind)| (case.name, *kind)).collect();
    refused(&cases.map(|(case, _)| case), |name, problem| match problem {
        Problem::Start(failure) => kinds.contains(&(name, failure.kind)),
        _ => false,
    });
}

#[test]
fn is_larger_than_the_engine_was_built_for() {
    let module = |what: &str| before(&format!("(core module $a {what}) (core instance (instantiate $a))"));
    let instances = "(core instance (instantiate $a))".repeat(65);
    let cases = [
        case("memory", module("(memory 65536)")),
        case("table", module("(table 1000000 funcref)")),
        case("memory-of-64-bits", module("(memory i64 1)")),
        case("shared-memory", module("(memory 1 2 shared)")),
        case("modules", before(&format!("(core module $a) {instances}"))),
        case("memories", before(&format!("(core module $a (memory 0)) {instances}"))),
    ];
    refused(&cases, |_, problem| matches!(problem, Problem::Compile(_) | Problem::Link(_)));
}

/// A policy that imports the session, and with this configuration does not ask
/// for it, is its own module alone in each call.
#[test]
fn rules_that_do_not_ask_for_the_session_are_cut_off_from_it() {
    let tables = |config: &str| {
        let package = Package::read(&components().join("rules.wasm")).unwrap();
        let trust = TrustPolicy::of_publishers([publisher_key().public()]);
        let request = Request {
            name: &"rules".parse().unwrap(),
            kind: Kind::Policy,
            component: &trust.verify(package, Unsigned::Refuse, NOW).unwrap(),
            config: Some(config),
            grants: &Granted::default(),
            limits: CallLimits::POLICY,
        };
        let engine = Engine::new(None).unwrap();
        let prepared =
            engine.prepare(&request, &|linker, linking| linker.define_unknown_imports_as_traps(linking.component));
        prepared.unwrap().instance_pre().component().resources_required().unwrap().num_tables
    };
    let rule = "[[rule]]\nid = 'r'\neffect = 'permit'\n";
    let asking = rule.to_owned() + "when = [{ earlier = { operations = 'o', within = '1h' }, at_least = 1 }]\n";
    // The second table is that of the stand-ins.
    assert_eq!((tables(rule), tables(&asking)), (1, 2));
}
