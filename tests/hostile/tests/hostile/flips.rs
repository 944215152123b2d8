//! Damaged components that the operator allows without a signature: whatever
//! the damage does, the host keeps its feet.

use std::panic::{AssertUnwindSafe, catch_unwind};

use vak::ActionRequest;
use vak_engine::{CallLimits, Engine, Request};
use vak_pipeline::{Guard as _, Standing};
use vak_plugin::{Loaded, load};
use vak_test_support::components;
use vak_trust::{Package, TrustPolicy, Unsigned};
use vak_types::{Action, Granted, Kind, Timestamp};

/// A sequence that looks random and is the same in every run (SplitMix64,
/// <https://prng.di.unimi.it/splitmix64.c>).
fn scattered(n: u64) -> u64 {
    let mut z = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn action() -> Action {
    let request = ActionRequest {
        session: "s".parse().unwrap(),
        agent: "a".parse().unwrap(),
        operation: "files/read".parse().unwrap(),
        resource: "r".parse().unwrap(),
        arguments: Default::default(),
        attributes: Default::default(),
        labels: Vec::new(),
    };
    request.at("a-1".parse().unwrap(), Timestamp::from_nanos(0))
}

fn unsigned(name: &str) -> Package {
    Package { bundle: None, ..Package::read(&components().join(format!("{name}.wasm"))).unwrap() }
}

/// What came of loading and asking a damaged component.
fn outcome(engine: &Engine, package: Package, config: &str) -> String {
    let verified = TrustPolicy::development([]).verify(package, Unsigned::Allow, Timestamp::from_nanos(0)).unwrap();
    let request = Request {
        name: &"damaged".parse().unwrap(),
        kind: Kind::Policy,
        component: &verified,
        config: Some(config),
        grants: &Granted { log: true, ..Granted::default() },
        limits: CallLimits::POLICY,
    };
    match load(engine, &request, None) {
        Err(error) => error.problem.to_string(),
        Ok(Loaded::Policy(policy)) => match policy.with_standing(Standing::MayPermit).evaluate(&action(), None) {
            Err(failure) => format!("fails: {failure}"),
            Ok(finding) => format!("says {:?}", finding.effect),
        },
        Ok(_) => panic!("another kind"),
    }
}

/// Flips `flips` bits of the component `name`, each in a fresh copy.
fn flip(name: &str, config: &str, flips: u64) {
    let engine = Engine::new(None).unwrap();
    let whole = unsigned(name);
    assert_eq!(outcome(&engine, whole.clone(), config), "says Permit");
    let bits = whole.component.len() as u64 * 8;
    let mut compiled = 0;
    for n in 0..flips {
        let bit = scattered(n) % bits;
        let mut damaged = whole.clone();
        damaged.component[(bit / 8) as usize] ^= 1 << (bit % 8);
        let outcome = catch_unwind(AssertUnwindSafe(|| outcome(&engine, damaged, config)));
        let outcome = outcome.unwrap_or_else(|_| panic!("flipping bit {bit} of `{name}` makes the host panic"));
        println!("{name} {bit:8} {outcome}");
        compiled += u64::from(!outcome.starts_with("does not compile"));
    }
    // Otherwise this tests the validator and nothing behind it.
    assert!(compiled > flips / 10, "{compiled} of {flips}");
    assert_eq!(outcome(&engine, whole, config), "says Permit");
}

#[test]
fn a_flipped_bit_is_an_error_or_harmless() {
    // A copy that still compiles costs seconds if it is large, so the small
    // component takes most of the blows.
    flip("rules", "[[rule]]\nid = 'all'\neffect = 'permit'\n", 8);
    flip("hostile-policy", "", 300);
}

#[test]
fn a_truncated_file_is_an_error() {
    let engine = Engine::new(None).unwrap();
    let whole = unsigned("rules");
    for n in 0..100 {
        let mut damaged = whole.clone();
        damaged.component.truncate(scattered(n) as usize % whole.component.len());
        let outcome = outcome(&engine, damaged, "");
        // Cut between two sections, it is a component, and one without exports.
        let refused = outcome.starts_with("does not compile") || outcome.starts_with("does not export");
        assert!(refused, "{n}: {outcome}");
    }
}
