//! What a component can do wrong while its configuration is baked.

use std::time::{Duration, Instant};

use vak::{BuildError, Host};
use vak_engine::{LoadError, Problem};
use vak_hostile::{WatPolicy, decide, install, manifest, publish, section};
use vak_test_support::Site;
use vak_types::FailureKind::{self, Fuel, HostCalls, Malformed, Memory, Output, Stack, TimeOut, Trap};

/// Baking may take 30 seconds, and compiling comes on top.
const WALL_MAX: Duration = Duration::from_secs(60);

fn problem(host: Result<Host, BuildError>) -> Problem {
    match host {
        Err(BuildError::Load(LoadError { problem, .. })) => problem,
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("loads"),
    }
}

fn fails(name: &str, site: &Site, kind: FailureKind) {
    let start = Instant::now();
    let problem = problem(site.try_host());
    println!("{name:30} {kind:12} {:10.2?}  {problem}", start.elapsed());
    assert!(matches!(&problem, Problem::Bake(failure) if failure.kind == kind), "{name}: {problem}");
    assert!(start.elapsed() < WALL_MAX, "{name}");
}

#[test]
fn each_misbehaviour_keeps_the_host_from_starting() {
    let cases = [
        ("call-host", HostCalls),
        ("log-too-long", Output),
        ("hoard", Memory),
        ("sprinkle-too-much", Memory),
        ("recurse", Stack),
        ("panic", Trap),
        ("refuse-too-long", Output),
    ];
    for (how, kind) in cases {
        fails(how, &install(Site::new(), "hostile-policy", &format!("configure {how}"), ""), kind);
    }
    let good = install(Site::new(), "hostile-policy", "", "");
    assert!(decide(&good.host(), "good/act").verdict.is_allow());
}

#[test]
fn configuring_for_ever_ends() {
    let start = Instant::now();
    let problem = problem(install(Site::new(), "hostile-policy", "configure spin", "").try_host());
    println!("{:30} {:12} {:10.2?}  {problem}", "spin", "", start.elapsed());
    // Which of the two comes first depends on the machine.
    assert!(matches!(&problem, Problem::Bake(failure) if matches!(failure.kind, Fuel | TimeOut)), "{problem}");
    assert!(start.elapsed() < WALL_MAX);
}

#[test]
fn a_refusal_is_quoted_harmlessly() {
    let site = install(Site::new(), "hostile-policy", "configure refuse", "");
    let Err(BuildError::Refused { source, .. }) = site.try_host() else { panic!("it loads, or says something else") };
    let told = source.to_string();
    assert!(told.ends_with("hostile.txt:7: not\\u{1b}[2J today"), "{told}");
}

#[test]
fn what_cannot_be_snapshotted_is_refused() {
    let configurable = |policy| WatPolicy { configure: Some("(i32.const 1024)".to_owned()), ..policy };
    let module = |before: &str| WatPolicy { before: before.to_owned(), ..WatPolicy::default() };
    let cases = [
        // Modules that export nothing and have something to snapshot.
        ("memory-without-exports", module("(core module $a (memory 1)) (core instance (instantiate $a))"), Malformed),
        (
            "global-without-exports",
            module("(core module $a (global (mut i32) (i32.const 1))) (core instance (instantiate $a))"),
            Malformed,
        ),
        (
            "module-used-twice",
            module("(core module $a) (core instance (instantiate $a)) (core instance (instantiate $a))"),
            Malformed,
        ),
        ("memory-at-its-maximum", WatPolicy { memory: "4 4", ..WatPolicy::default() }, Trap),
        (
            "name-of-the-snapshot's-own",
            WatPolicy {
                after: "(instance $none) (export \"wasmtime:wizer/access\" (instance $none))".to_owned(),
                ..WatPolicy::default()
            },
            Malformed,
        ),
        (
            "answer-of-configure",
            WatPolicy { module: "(data (i32.const 1024) \"\\07\")".to_owned(), ..WatPolicy::default() },
            Malformed,
        ),
    ];
    for (name, policy, kind) in cases {
        let site = Site::new();
        let component = publish(site.path(), configurable(policy).encode(), &manifest("policy", ""));
        std::fs::write(site.path().join("hostile.txt"), "").unwrap();
        fails(name, &site.section(&section(&component, "config = 'hostile.txt'")), kind);
    }

    let site = Site::new();
    let component = publish(site.path(), configurable(WatPolicy::default()).encode(), &manifest("policy", ""));
    std::fs::write(site.path().join("hostile.txt"), "").unwrap();
    let good = site.section(&section(&component, "config = 'hostile.txt'"));
    assert!(decide(&good.host(), "good/act").verdict.is_allow());
}
