//! Memory that components take is given back. A test binary of its own: other
//! tests in the same process would be measured too.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use vak::{BuildError, Host};
use vak_engine::CallLimits;
use vak_hostile::{PATIENT, denied, install};
use vak_test_support::Site;
use vak_types::FailureKind::{HostCalls, Memory, Output, Stack, Trap};

const ROUNDS: usize = 50;

/// Resident memory of this process, in KiB.
fn resident_kib() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Everything that takes memory, in the guest or, for a moment, in the host.
fn calls(host: &Host) {
    let cases = [
        ("hoard", Memory),
        ("reason-too-long", Output),
        ("error-too-long", Output),
        ("log-too-long", Output),
        ("call-host", HostCalls),
        ("recurse", Stack),
        ("panic", Trap),
    ];
    for (how, kind) in cases {
        denied(host, &format!("hostile/{how}"), kind, &CallLimits::POLICY);
    }
}

/// Components that take memory while they are installed, each into an engine
/// of its own.
fn installations() {
    for how in ["hoard", "sprinkle-too-much", "refuse-too-long", "panic"] {
        let site = install(Site::new(), "hostile-policy", &format!("configure {how}"), "");
        assert!(matches!(site.try_host(), Err(BuildError::Load(_))), "{how}");
    }
}

/// How often the allocator gets a chance to give back what the last round of
/// several threads happened to leave. What is leaked is never given back.
const CHANCES: usize = 10;

/// Runs `round` until the allocator has what it needs for it, and then
/// `rounds` times more.
fn returns_to_within_5_percent(what: &str, rounds: usize, round: impl Fn()) {
    let measured = || {
        round();
        resident_kib()
    };
    let before = (0..5).map(|_| measured()).max().unwrap();
    for _ in 1..rounds {
        round();
    }
    let mut after = measured();
    for _ in 0..CHANCES {
        if after * 100 <= before * 105 {
            break;
        }
        after = measured();
    }
    println!("{what}: {before} KiB before, {after} KiB after {rounds} rounds");
    assert!(after * 100 <= before * 105, "{what}: {before} KiB before, {after} KiB after");
}

#[test]
fn resident_memory_returns() {
    let site = install(Site::new(), "hostile-policy", "", PATIENT);
    let host = site.host();
    returns_to_within_5_percent("calls", ROUNDS, || calls(&host));
    returns_to_within_5_percent("installations", ROUNDS / 2, installations);
}
