//! Answers that no compiler emits: what is read out of a guest's memory is
//! checked before it is believed.

use vak_engine::CallLimits;
use vak_hostile::{PATIENT, WatPolicy, decide, denied, manifest, publish, section, verified};
use vak_test_support::Site;
use vak_types::FailureKind::{self, Fuel, Malformed, Memory, Output, Stack, Trap};

fn with(policy: &WatPolicy) -> Site {
    let site = Site::new();
    let component = publish(site.path(), policy.encode(), &manifest("policy", ""));
    site.section(&section(&component, PATIENT))
}

/// An `evaluate` that writes `bytes` to `at` and answers from 1100, where a
/// copy of the good answer is.
fn answer(at: u32, bytes: &str) -> WatPolicy {
    let good = r#"(data (i32.const 1100) "\00\00\00\00\01\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\08\00\00\05\00\00\00")"#;
    WatPolicy {
        module: format!(r#"{good} (data (i32.const {at}) "{bytes}")"#),
        evaluate: "(i32.const 1100)".to_owned(),
        ..WatPolicy::default()
    }
}

fn evaluate(instructions: &str) -> WatPolicy {
    WatPolicy { evaluate: instructions.to_owned(), ..WatPolicy::default() }
}

fn realloc(instructions: &str) -> WatPolicy {
    WatPolicy { realloc: instructions.to_owned(), ..WatPolicy::default() }
}

/// `count` more instances of a module, each with a memory that grows by 25 MiB
/// when `grow` is called.
fn memories(count: usize) -> WatPolicy {
    let instance = |i| {
        format!(
            "(core instance $more{i} (instantiate $more)) (alias core export $more{i} \"grow\" (core func $grow{i}))"
        )
    };
    let instances: String = (0..count).map(instance).collect();
    let exports: String = (0..count).map(|i| format!("(export \"grow{i}\" (func $grow{i}))")).collect();
    let imports: String =
        (0..count).map(|i| format!("(import \"more\" \"grow{i}\" (func $grow{i} (result i32)))")).collect();
    let calls: String = (0..count).map(|i| format!("(drop (call $grow{i}))")).collect();
    WatPolicy {
        before: format!(
            "(core module $more (memory 1) (func (export \"grow\") (result i32) (memory.grow (i32.const 400))))
             {instances} (core instance $all {exports})"
        ),
        imports,
        arguments: "(with \"more\" (instance $all))".to_owned(),
        evaluate: format!("{calls} (i32.const 1024)"),
        ..WatPolicy::default()
    }
}

#[test]
fn the_text_itself_is_a_policy() {
    let site = with(&answer(2_060, ""));
    let host = site.host();
    for operation in ["good/act", &WatPolicy::operation("good")] {
        let verdict = decide(&host, operation).verdict;
        assert!(verdict.is_allow(), "{verdict:?}");
        assert_eq!(verdict.reasons[0].message, "hello");
    }
    assert_eq!(host.policies()[0].describe().unwrap().summary, "hello");
    let more = with(&memories(2));
    let within = decide(&more.host(), &WatPolicy::operation("within"));
    assert!(within.verdict.is_allow(), "{within:?}");
}

#[test]
fn what_it_answers_wrongly_is_a_deny() {
    let cases: &[(&str, WatPolicy, FailureKind)] = &[
        ("result-variant", answer(1_100, "\\02"), Malformed),
        ("effect", answer(1_104, "\\04"), Malformed),
        ("option", answer(1_108, "\\02"), Malformed),
        ("text-not-utf-8", answer(1_120, "\\68\\04\\00\\00\\02\\00\\00\\00\\ff\\fe"), Malformed),
        ("text-out-of-bounds", answer(1_120, "\\f0\\ff\\03\\00\\20\\00\\00\\00"), Malformed),
        ("text-of-4-gib", answer(1_124, "\\ff\\ff\\ff\\ff"), Malformed),
        ("text-too-long", answer(1_120, "\\00\\00\\00\\00\\01\\00\\01\\00"), Output),
        ("rule-too-long", answer(1_108, "\\01\\00\\00\\00\\00\\00\\00\\00\\01\\00\\01"), Output),
        ("answer-misaligned", evaluate("(i32.const 1025)"), Malformed),
        ("answer-out-of-bounds", evaluate("(i32.const 262120)"), Malformed),
        ("answer-nowhere", evaluate("(i32.const -4)"), Malformed),
        ("realloc-out-of-bounds", realloc("(i32.const -8)"), Malformed),
        ("realloc-spins", realloc("(loop (br 0)) (i32.const 0)"), Fuel),
        ("realloc-traps", realloc("unreachable"), Trap),
        (
            "recurses",
            {
                let module = "(func $down (call $down))".to_owned();
                WatPolicy { module, ..evaluate("(call $down) (i32.const 1024)") }
            },
            Stack,
        ),
        ("reads-out-of-bounds", evaluate("(i32.load (i32.const -4))"), Trap),
        ("divides-by-zero", evaluate("(i32.div_u (i32.const 1) (i32.const 0))"), Trap),
        (
            "fills-memory-for-ever",
            {
                let fill =
                    "(loop (memory.fill (i32.const 4096) (i32.const 1) (i32.const 65536)) (br 0)) (i32.const 1024)";
                evaluate(fill)
            },
            Fuel,
        ),
        (
            "post-return-spins",
            {
                let post_return = "(if (i32.eq (local.get 0) (i32.const 1100)) (then (loop (br 0))))".to_owned();
                WatPolicy { post_return, ..answer(2_060, "") }
            },
            Fuel,
        ),
        (
            "post-return-traps",
            {
                let post_return = "(if (i32.eq (local.get 0) (i32.const 1100)) (then unreachable))".to_owned();
                WatPolicy { post_return, ..answer(2_060, "") }
            },
            Trap,
        ),
        ("memory-over-the-limit", evaluate("(drop (memory.grow (i32.const 1024))) (i32.const 1024)"), Memory),
        ("memories-over-the-limit-together", memories(3), Memory),
        (
            "table-over-the-limit",
            {
                let module = "(table $table 1 funcref)".to_owned();
                let grow = "(drop (table.grow $table (ref.null func) (i32.const 20000))) (i32.const 1024)";
                WatPolicy { module, ..evaluate(grow) }
            },
            Memory,
        ),
    ];
    for (name, policy, kind) in cases {
        let site = with(policy);
        let host = site.host();
        denied(&host, &WatPolicy::operation(name), *kind, &CallLimits::POLICY);
        assert_eq!(verified(&host).decisions, 2, "{name}");
    }
}

#[test]
fn a_short_list_cannot_stand_for_a_long_one() {
    // Each rule is 20 bytes in the guest, and all of them name the same long
    // text: what is copied, not what is there, has to count.
    let rules = 1_000;
    let alias = format!(
        "(local $at i32)
         (local.set $at (i32.const 131072))
         (loop
           (i32.store (local.get $at) (i32.const 0))
           (i32.store offset=4 (local.get $at) (i32.const 60000))
           (i32.store offset=12 (local.get $at) (i32.const 0))
           (i32.store offset=16 (local.get $at) (i32.const 60000))
           (br_if 0 (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 20)))
             (i32.const {}))))
         (i32.store (i32.const 1080) (i32.const 131072))
         (i32.store (i32.const 1084) (i32.const {rules}))
         (i32.const 1072)",
        131_072 + rules * 20,
    );
    for (name, describe) in [
        ("aliasing", alias),
        ("endless", "(i32.store (i32.const 1084) (i32.const 1000000)) (i32.const 1072)".to_owned()),
    ] {
        let policy = WatPolicy { describe, ..WatPolicy::default() };
        let site = with(&policy);
        let host = site.host();
        let kind = host.policies()[0].describe().unwrap_err().kind;
        assert!(matches!(kind, Output | Malformed), "{name}: {kind}");
        assert!(decide(&host, "good/act").verdict.is_allow(), "{name}");
    }
}
