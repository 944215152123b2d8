//! What a policy can do wrong in Rust, while it judges and is described.

use vak_engine::CallLimits;
use vak_hostile::{PATIENT, denied, install, verified};
use vak_test_support::Site;
use vak_types::FailureKind::{self, HostCalls, Memory, Output, Stack, TimeOut, Trap, Unjudged};

const EVERYTHING: &str = "[[rule]]\nid = 'all'\neffect = 'permit'\n";

#[test]
fn each_misbehaviour_is_a_deny_of_its_own_kind() {
    // Behind a policy that permits everything, in one host for all of them.
    let site = install(Site::new().rules(EVERYTHING), "hostile-policy", "", PATIENT);
    let host = site.host();
    let cases = [
        ("spin", FailureKind::Fuel),
        ("call-host", HostCalls),
        ("log-too-long", Output),
        ("hoard", Memory),
        ("recurse", Stack),
        ("recurse-in-frames", Trap),
        ("panic", Trap),
        ("reason-too-long", Output),
        ("rule-too-long", Output),
        ("error-too-long", Output),
        ("error", Unjudged),
    ];
    for (how, kind) in cases {
        denied(&host, &format!("hostile/{how}"), kind, &CallLimits::POLICY);
    }
    assert_eq!(verified(&host).decisions, 2 * cases.len() as u64);
}

#[test]
fn wall_time_ends_what_fuel_does_not() {
    let limits = CallLimits { wall_ms_max: 50, ..CallLimits::POLICY };
    let site = install(
        Site::new(),
        "hostile-policy",
        "",
        &format!("limits = {{ fuel_max = 1_000_000_000_000, wall_ms_max = {} }}", limits.wall_ms_max),
    );
    denied(&site.host(), "hostile/spin", TimeOut, &limits);
}

#[test]
fn a_description_is_a_call_like_any_other() {
    let cases = [("spin", FailureKind::Fuel), ("hoard", Memory), ("panic", Trap), ("too-many-rules", Output)];
    for (how, kind) in cases {
        let site = install(Site::new(), "hostile-policy", &format!("describe {how}"), PATIENT);
        let host = site.host();
        assert_eq!(host.policies()[0].describe().unwrap_err().kind, kind, "{how}");
        assert!(vak_hostile::decide(&host, "good/act").verdict.is_allow());
    }
}
