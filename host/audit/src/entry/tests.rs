use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use vak_types::{
    Action, AttributeValue, ComponentRef, Effect, FailureKind, Json, KeyId, Label, Obligation, PastMark, Reason,
    Source, Verdict, Wanted,
};

use super::*;
use crate::payload::Payloads;
use crate::{DecodeError, Draft, EncodeError, Signer, leaf_hash};

fn origin() -> Origin {
    "example.org/audit".parse().unwrap()
}

fn seal(seq: u64, prev: Digest, rest: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    Sealer::new(&origin()).seal(Place { seq, prev, signed: false }, rest, &mut bytes);
    bytes
}

fn sealed(draft: &Draft, seq: u64) -> Vec<u8> {
    seal(seq, Digest::of(b"before"), &draft.rest)
}

fn decision(action: &Action, verdict: &Verdict) -> Result<Draft, EncodeError> {
    Draft::decision(action, verdict, Payloads::Inline)
}

/// Some action, to be varied.
fn action() -> Action {
    Action {
        id: "a-1".parse().unwrap(),
        session: "s1".parse().unwrap(),
        agent: "ada".parse().unwrap(),
        operation: "files/read_file".parse().unwrap(),
        resource: "mcp:files/read_file".parse().unwrap(),
        arguments: Json::parse(r#"{"path": "/tmp/a"}"#).unwrap(),
        attributes: BTreeMap::from([
            ("mfa".to_owned(), AttributeValue::Boolean(true)),
            ("roles".to_owned(), AttributeValue::Texts(vec!["dev".to_owned(), "ops".to_owned()])),
        ]),
        labels: vec!["untrusted-input".parse().unwrap()],
        time: Timestamp::from_nanos(1_700_000_000_123_456_789),
    }
}

fn verdict() -> Verdict {
    let component = ComponentRef {
        name: "files".parse().unwrap(),
        digest: Digest::of(b"component"),
        config: Some(Digest::of(b"config")),
        signer: Some(KeyId::of(&[1; 32])),
    };
    let reason = Reason {
        source: Source::Component(Arc::new(component)),
        effect: Effect::Permit,
        rule: Some("tmp".to_owned()),
        failure: None,
        message: "files under /tmp may be read".to_owned(),
    };
    Verdict {
        decision: vak_types::Decision::Allow,
        reasons: vec![reason],
        obligations: Vec::new(),
        retry_after_ms: None,
        past: None,
        approval: None,
        unsigned: false,
    }
}

fn attribute() -> impl Strategy<Value = AttributeValue> {
    prop_oneof![
        any::<bool>().prop_map(AttributeValue::Boolean),
        any::<i64>().prop_map(AttributeValue::Integer),
        ".{0,9}".prop_map(AttributeValue::Text),
        prop::collection::vec(".{0,5}", 0..3).prop_map(AttributeValue::Texts),
    ]
}

fn source() -> impl Strategy<Value = Source> {
    let component = ("[a-z]{1,9}", any::<[u8; 32]>(), any::<Option<[u8; 32]>>(), any::<Option<[u8; 32]>>()).prop_map(
        |(name, digest, config, signer)| {
            Source::Component(Arc::new(ComponentRef {
                name: name.parse().unwrap(),
                digest: Digest::from_bytes(digest),
                config: config.map(Digest::from_bytes),
                signer: signer.map(|key| KeyId::of(&key)),
            }))
        },
    );
    prop_oneof![Just(Source::Host), "[a-z]{1,9}".prop_map(|name| Source::Limit(name.parse().unwrap())), component]
}

fn reason() -> impl Strategy<Value = Reason> {
    use {Effect::*, FailureKind::*};
    let effect = prop::sample::select(vec![Abstain, Permit, Backtrack, Escalate, Forbid]);
    let failures = vec![Trap, TimeOut, Fuel, Memory, Stack, HostCalls, Output, Malformed, Unjudged, Unavailable];
    let failure = prop::option::of(prop::sample::select(failures));
    (source(), effect, prop::option::of(".{0,9}"), failure, ".{0,20}")
        .prop_map(|(source, effect, rule, failure, message)| Reason { source, effect, rule, failure, message })
}

fn obligation() -> impl Strategy<Value = Obligation> {
    let wanted = prop_oneof![
        ("/[a-z/~]{0,9}", ".{0,9}").prop_map(|(argument, replacement)| Wanted::Redact { argument, replacement }),
        ("/[a-z/~]{0,9}", any::<i64>()).prop_map(|(argument, at_most)| Wanted::Cap { argument, at_most }),
        ("[a-zA-Z0-9-]{1,9}", "[ -~]{0,9}").prop_map(|(name, value)| Wanted::Header { name, value }),
    ];
    wanted.prop_map(|wanted| Obligation::new(wanted).unwrap())
}

prop_compose! {
    fn any_verdict()(
        decision in prop::sample::select(vec![
            vak_types::Decision::Allow, vak_types::Decision::Backtrack, vak_types::Decision::Escalate,
            vak_types::Decision::Deny,
        ]),
        reasons in prop::collection::vec(reason(), 0..4),
        obligations in prop::collection::vec(obligation(), 0..4),
        retry_after_ms in any::<Option<u64>>(),
        past in any::<Option<(u64, u64)>>(),
        approval in prop::option::of(0_u64..7),
        unsigned in any::<bool>(),
    ) -> Verdict {
        let past = past.map(|(steps, since)| PastMark { steps, since: Timestamp::from_nanos(since) });
        Verdict { decision, reasons, obligations, retry_after_ms, past, approval, unsigned }
    }
}

prop_compose! {
    fn any_action()(
        names in prop::collection::vec("[a-zé0-9/:]{1,12}", 5),
        arguments in "[a-z]{0,40}",
        attributes in prop::collection::btree_map(".{0,6}", attribute(), 0..4),
        labels in prop::collection::vec("[a-z]{1,6}", 0..3),
        time in any::<u64>(),
    ) -> Action {
        Action {
            id: names[0].parse().unwrap(),
            session: names[1].parse().unwrap(),
            agent: names[2].parse().unwrap(),
            operation: names[3].parse().unwrap(),
            resource: names[4].parse().unwrap(),
            arguments: Json::parse(&format!("{arguments:?}")).unwrap(),
            attributes,
            labels: labels.iter().map(|label| label.parse().unwrap()).collect(),
            time: Timestamp::from_nanos(time),
        }
    }
}

prop_compose! {
    fn any_outcome()(
        decision in 0..9u64,
        status in prop::sample::select(vec![Status::Succeeded, Status::Failed, Status::Unknown]),
        result in prop::option::of((any::<[u8; 32]>(), any::<u64>())),
        detail in ".{0,20}",
        duration_ns in any::<u64>(),
    ) -> Outcome {
        let result = result.map(|(sha256, bytes)| Contents { sha256: Digest::from_bytes(sha256), bytes });
        Outcome { decision, status, result, detail, duration_ns }
    }
}

/// What was taken for an entry has to be the entry's one encoding.
fn refused_or_canonical(bytes: &[u8]) {
    if let Ok(entry) = Entry::decode(bytes) {
        assert_eq!(entry.encode().unwrap(), bytes);
    }
}

proptest! {
    #[test]
    fn a_decision_says_all_of_action_and_verdict(action in any_action(), verdict in any_verdict(), seq in any::<u64>()) {
        let bytes = sealed(&decision(&action, &verdict).unwrap(), seq);
        let entry = Entry::decode(&bytes).unwrap();
        prop_assert_eq!(&entry.encode().unwrap(), &bytes);
        prop_assert_eq!((&entry.origin, entry.seq, entry.prev), (&origin(), seq, Digest::of(b"before")));
        prop_assert_eq!(entry.time, action.time);
        let Body::Decision(about, decision) = entry.body else { panic!("not a decision") };
        prop_assert_eq!((&about.agent, &about.session, &about.action), (&action.agent, &action.session, &action.id));
        prop_assert_eq!((&decision.operation, &decision.resource), (&action.operation, &action.resource));
        prop_assert_eq!(decision.arguments.value().map(String::as_str), Some(action.arguments.as_str()));
        prop_assert_eq!(decision.attributes.value(), Some(&action.attributes));
        prop_assert_eq!(decision.labels.value(), Some(&action.labels));
        prop_assert_eq!(decision.verdict, verdict);
    }

    #[test]
    fn an_outcome_says_all_of_it(action in any_action(), outcome in any_outcome(), time in any::<u64>()) {
        let time = Timestamp::from_nanos(time);
        let bytes = sealed(&Draft::outcome(&About::of(&action), time, &outcome).unwrap(), 9);
        let entry = Entry::decode(&bytes).unwrap();
        prop_assert_eq!(&entry.encode().unwrap(), &bytes);
        let about = About { agent: action.agent, session: action.session, action: action.id };
        prop_assert_eq!((entry.time, entry.body), (time, Body::Outcome(about, outcome)));
    }

    #[test]
    fn a_shadow_finding_says_all_of_it(
        action in any_action(),
        decision in 0..9u64,
        reason in reason(),
        obligations in prop::collection::vec(obligation(), 0..4),
    ) {
        let shadow = Shadow { decision, reason, obligations };
        let bytes = sealed(&Draft::shadow(&action, action.time, &shadow).unwrap(), 9);
        let entry = Entry::decode(&bytes).unwrap();
        prop_assert_eq!(&entry.encode().unwrap(), &bytes);
        prop_assert_eq!(entry.body.after(), Some(decision));
        let Body::Shadow(about, found) = entry.body else { panic!("not a shadow finding") };
        prop_assert_eq!((&about.agent, &about.session, &about.action), (&action.agent, &action.session, &action.id));
        prop_assert_eq!(*found, shadow.clone());
        let bytes = sealed(&Draft::shadow(&action, action.time, &shadow).unwrap(), decision);
        prop_assert_eq!(Entry::decode(&bytes), Err(DecodeError::Order { seq: decision, after: decision }));
    }

    #[test]
    fn an_acceptance_says_all_of_it(
        prompt in any::<bool>(),
        name in ".{0,64}",
        before in any::<Option<[u8; 32]>>(),
        time in any::<u64>(),
    ) {
        let what = if prompt { Described::Prompt } else { Described::Tool };
        let before = before.map(Digest::from_bytes);
        let accepted = Digest::of(name.as_bytes());
        let acceptance = Acceptance { upstream: "files".parse().unwrap(), what, name, before, accepted };
        let time = Timestamp::from_nanos(time);
        let bytes = sealed(&Draft::acceptance(time, acceptance.clone()).unwrap(), 9);
        let entry = Entry::decode(&bytes).unwrap();
        prop_assert_eq!(&entry.encode().unwrap(), &bytes);
        prop_assert_eq!((entry.time, entry.body), (time, Body::Acceptance(acceptance)));
    }

    #[test]
    fn altered_bytes_are_refused_or_another_entry(
        action in any_action(),
        verdict in any_verdict(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<Option<u8>>(), any::<bool>()), 1..4),
    ) {
        let mut bytes = sealed(&decision(&action, &verdict).unwrap(), 1);
        for (at, value, insert) in edits {
            let at = at.index(bytes.len());
            match value {
                Some(value) if insert => bytes.insert(at, value),
                Some(value) => bytes[at] = value,
                None => drop(bytes.remove(at)),
            }
        }
        refused_or_canonical(&bytes);
    }

    #[test]
    fn arbitrary_bytes_are_refused_or_an_entry(bytes in prop::collection::vec(any::<u8>(), 0..400), kind in 0..8u8) {
        refused_or_canonical(&bytes);
        let mut writer = Writer::default();
        writer.u64(0);
        writer.u8(kind);
        if kind < 3 || kind == 6 {
            write_about(&mut writer, &action());
        }
        refused_or_canonical(&seal(1, Digest::of(b""), &[writer.bytes, bytes].concat()));
    }
}

#[test]
fn every_prefix_is_refused() {
    let bytes = sealed(&decision(&action(), &verdict()).unwrap(), 1);
    for length in 0..bytes.len() {
        assert!(matches!(Entry::decode(&bytes[..length]), Err(DecodeError::Truncated { .. })), "{length}");
    }
    assert_eq!(Entry::decode(&[&bytes[..], b"x"].concat()), Err(DecodeError::Trailing { at: bytes.len(), left: 1 }));
}

#[test]
fn fields_do_not_run_into_each_other() {
    let pair = |agent: &str, session: &str| {
        let action = Action { agent: agent.parse().unwrap(), session: session.parse().unwrap(), ..action() };
        leaf_hash(&sealed(&decision(&action, &verdict()).unwrap(), 0))
    };
    assert_ne!(pair("ab", "c"), pair("a", "bc"));
    let labels = |labels: &[&str]| {
        let labels = labels.iter().map(|label| label.parse().unwrap()).collect::<Vec<Label>>();
        leaf_hash(&sealed(&decision(&Action { labels, ..action() }, &verdict()).unwrap(), 0))
    };
    assert_ne!(labels(&["ab", "c"]), labels(&["a", "bc"]));
    assert_ne!(labels(&["ab", "c"]), labels(&["abc"]));
}

#[test]
fn long_parts_are_committed_to_and_short_ones_only_on_request() {
    let cases = [
        (PART_BYTES_MAX, Payloads::Inline, false),
        (PART_BYTES_MAX + 1, Payloads::Inline, true),
        (Json::BYTES_MAX, Payloads::Inline, true),
        (2, Payloads::Erasable, true),
    ];
    for (length, payloads, committed) in cases {
        let text = format!("\"{}\"", "x".repeat(length - 2));
        let action = Action {
            arguments: Json::parse(&text).unwrap(),
            attributes: BTreeMap::new(),
            labels: Vec::new(),
            ..action()
        };
        let draft = Draft::decision(&action, &verdict(), payloads).unwrap();
        let again = Draft::decision(&action, &verdict(), payloads).unwrap();
        let bytes = sealed(&draft, 0);
        let entry = Entry::decode(&bytes).unwrap();
        assert_eq!(entry.encode().unwrap(), bytes);
        let Body::Decision(_, decision) = entry.body else { panic!("not a decision") };
        assert_eq!(decision.arguments.value(), (!committed).then_some(&text));
        let kept: Vec<_> = draft.payloads.iter().map(|payload| &payload.bytes[..]).collect();
        assert_eq!(kept, if committed { vec![text.as_bytes()] } else { vec![] });
        let commitment = draft.payloads.first().map(crate::Payload::commitment);
        assert_eq!(decision.arguments.commitment(), commitment.as_ref());
        // The same payload again is another commitment: nobody can try values.
        assert_eq!(draft.rest != again.rest, committed);
        // Of nothing there is nothing to hide.
        assert!(decision.attributes.commitment().is_none() && decision.labels.commitment().is_none());
    }
}

#[test]
fn what_does_not_fit_is_an_error() {
    let fitting = |bytes: usize| {
        let action = Action { arguments: Json::default(), attributes: BTreeMap::new(), labels: vec![], ..action() };
        let reasons = vec![Reason::host(Effect::Forbid, "x".repeat(bytes))];
        decision(&action, &Verdict { reasons, ..verdict() })
    };
    let most = 65_535 - 316 - 109;
    assert_eq!(fitting(most).unwrap().rest.len(), 65_535 - 316);
    assert!(matches!(fitting(most + 1), Err(EncodeError::TooLarge { bytes: 65_220, bytes_max: 65_219 })));
    // Whatever the action holds, there is room for a verdict of 14 KiB.
    let full = Action {
        id: "i".repeat(128).parse().unwrap(),
        session: "s".repeat(128).parse().unwrap(),
        agent: "a".repeat(128).parse().unwrap(),
        operation: "o".repeat(256).parse().unwrap(),
        resource: "r".repeat(2_048).parse().unwrap(),
        arguments: Json::parse(&format!("\"{}\"", "x".repeat(PART_BYTES_MAX - 2))).unwrap(),
        attributes: BTreeMap::from([("k".to_owned(), AttributeValue::Text("x".repeat(PART_BYTES_MAX - 10)))]),
        labels: vec!["l".repeat(124).parse().unwrap(); 128],
        ..action()
    };
    let reasons = vec![Reason::host(Effect::Forbid, "x".repeat(14 * 1_024 - 1_024)); 1];
    let draft = decision(&full, &Verdict { reasons, ..verdict() }).unwrap();
    assert!(draft.rest.len() > 60_000);
}

#[test]
fn other_spellings_of_an_entry_are_refused() {
    let spelled = |build: &dyn Fn(&mut Writer)| {
        let mut writer = Writer::default();
        write_start(&mut writer, Timestamp::default(), EntryKind::Decision);
        write_about(&mut writer, &action());
        writer.text("op");
        writer.text("res");
        build(&mut writer);
        Entry::decode(&seal(1, Digest::of(b""), &writer.bytes)).unwrap_err()
    };
    let part = |writer: &mut Writer, bytes: &[u8]| {
        writer.u8(1);
        writer.length(bytes.len());
        writer.raw(bytes);
    };
    let unsorted = spelled(&|writer| {
        part(writer, b"{}");
        part(writer, b"\0\0\0\x01b\x01\x01\0\0\0\x01a\x01\x01");
    });
    assert_eq!(unsorted, DecodeError::Unsorted { key: "a".to_owned() });
    let twice = spelled(&|writer| {
        part(writer, b"{}");
        part(writer, b"\0\0\0\x01a\x01\x01\0\0\0\x01a\x01\x01");
    });
    assert_eq!(twice, DecodeError::Unsorted { key: "a".to_owned() });
    let needlessly_long = spelled(&|writer| part(writer, &[b' '; PART_BYTES_MAX + 1]));
    assert_eq!(needlessly_long, DecodeError::Form { what: "arguments", bytes: 16_385 });
    assert!(matches!(spelled(&|writer| part(writer, b"\xff")), DecodeError::Utf8 { what: "arguments", .. }));
    let boolean = spelled(&|writer| {
        part(writer, b"{}");
        part(writer, b"\0\0\0\x01a\x01\x02");
    });
    assert_eq!(boolean, DecodeError::Tag { what: "attribute value", tag: 2, at: 6 });
}

#[test]
fn an_outcome_comes_after_its_decision() {
    let outcome = Outcome { decision: 3, status: Status::Unknown, result: None, detail: String::new(), duration_ns: 0 };
    let draft = Draft::outcome(&About::of(&action()), Timestamp::default(), &outcome).unwrap();
    assert_eq!(Entry::decode(&sealed(&draft, 3)), Err(DecodeError::Order { seq: 3, after: 3 }));
    assert!(Entry::decode(&sealed(&draft, 4)).is_ok());
}

#[test]
fn a_verdict_comes_after_the_answer_it_counts_on() {
    let draft = decision(&action(), &Verdict { approval: Some(3), ..verdict() }).unwrap();
    assert_eq!(Entry::decode(&sealed(&draft, 3)), Err(DecodeError::Order { seq: 3, after: 3 }));
    let entry = Entry::decode(&sealed(&draft, 4)).unwrap();
    let Body::Decision(_, decision) = entry.body else { panic!("no decision") };
    assert_eq!((decision.verdict.approval, draft.after), (Some(3), Some(3)));
}

#[test]
fn an_answer_comes_back() {
    let leaf = Digest::of(b"the decision");
    let until = Timestamp::from_nanos(9);
    for (answer, payloads, note) in [
        (Answer::Approved { until }, Payloads::Inline, "fine"),
        (Answer::Rejected, Payloads::Inline, ""),
        (Answer::Approved { until }, Payloads::Erasable, "fine"),
        (Answer::Rejected, Payloads::Erasable, ""),
    ] {
        let given = Given { decision: 3, leaf: &leaf, answer, by: &"grace".parse().unwrap() };
        let draft = Draft::approval(&action(), Timestamp::default(), &given, note, payloads).unwrap();
        assert_eq!(Entry::decode(&sealed(&draft, 3)), Err(DecodeError::Order { seq: 3, after: 3 }));
        let bytes = sealed(&draft, 4);
        let entry = Entry::decode(&bytes).unwrap();
        assert_eq!(entry.encode().unwrap(), bytes);
        let erasable = payloads == Payloads::Erasable && !note.is_empty();
        assert_eq!(
            (entry.body.commitments().count(), draft.payloads.len()),
            (usize::from(erasable), usize::from(erasable))
        );
        let Body::Approval(about, approval) = entry.body else { panic!("no answer") };
        assert_eq!((about.action, approval.decision, approval.leaf), (action().id, 3, leaf));
        assert_eq!((approval.answer, approval.by.as_str()), (answer, "grace"));
        assert_eq!(approval.note.value().map(String::as_str), (!erasable).then_some(note));
        for at in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[at] ^= 1;
            refused_or_canonical(&altered);
            refused_or_canonical(&bytes[..at]);
        }
    }
}

/// The format is what this file says, for those who write other verifiers.
#[test]
fn the_documented_example_is_what_is_written() {
    let documented = include_str!("../../FORMAT.md");
    let decision = seal(0, Digest::from_bytes([0; 32]), &decision(&action(), &verdict()).unwrap().rest);
    let outcome = Outcome {
        decision: 0,
        status: Status::Succeeded,
        result: Some(Contents::of(b"hello")),
        detail: String::new(),
        duration_ns: 1_500_000,
    };
    let time = Timestamp::from_nanos(1_700_000_000_200_000_000);
    let rest = Draft::outcome(&About::of(&action()), time, &outcome).unwrap().rest;
    let outcome = seal(1, leaf_hash(&decision), &rest);
    for entry in [&decision, &outcome] {
        let hex: String = entry.iter().map(|byte| format!("{byte:02x}")).collect();
        let lines: Vec<_> = hex.as_bytes().chunks(96).map(|line| std::str::from_utf8(line).unwrap()).collect();
        let block = lines.join("\n");
        assert!(documented.contains(&block), "missing in FORMAT.md:\n{block}");
        let leaf = leaf_hash(entry).to_hex();
        assert!(documented.contains(&leaf), "missing in FORMAT.md: {leaf}");
    }
    let mut frontier = crate::merkle::Frontier::default();
    frontier.push(leaf_hash(&decision), |_| ());
    frontier.push(leaf_hash(&outcome), |_| ());
    let signer = Signer::new(origin(), &[7; 32]);
    let checkpoint = crate::Checkpoint::sign(&origin(), 2, frontier.root(), &signer);
    for text in [&**checkpoint.note(), &signer.verifier().to_string()] {
        assert!(documented.contains(text), "missing in FORMAT.md:\n{text}");
    }
}

/// Entries about the log itself, and one that says it is signed.
#[test]
fn entries_of_every_kind_come_back() {
    let time = Timestamp::from_nanos(7);
    let (old, new) = (Signer::new(origin(), &[1; 32]), Signer::new(origin(), &[2; 32]));
    let (here, before, elsewhere) = (origin(), Digest::of(b"before"), "example.org/other".parse().unwrap());
    let turn = Turn { origin: &here, seq: 3, prev: &before, time };
    let rotation = KeyRotation::sign(turn, &old, &new);
    assert!(rotation.is_signed(turn));
    let other = [
        Turn { origin: &elsewhere, ..turn },
        Turn { seq: 4, ..turn },
        Turn { prev: &Digest::of(b"another past"), ..turn },
        Turn { time: Timestamp::from_nanos(8), ..turn },
    ];
    assert!(!other.into_iter().any(|turn| rotation.is_signed(turn)));
    let Reason { source: Source::Component(component), .. } = &verdict().reasons[0] else { panic!("no component") };
    let configuration = Configuration {
        digest: Digest::of(b"vak.toml"),
        software: "vak 0.1.0".to_owned(),
        components: vec![Arc::clone(component); 2],
    };
    let drop = |what| Body::Drop(Dropped { what, reason: "asked to".to_owned() });
    let bodies = [
        Body::KeyRotation(Box::new(rotation)),
        Body::Configuration(configuration),
        drop(What::Payload { commitment: Digest::of(b"payload") }),
        drop(What::Calls { count: 3 }),
        drop(What::Tail { bytes: 4_096 }),
    ];
    for body in bodies {
        for signed in [false, true] {
            let entry =
                Entry { origin: origin(), seq: 5, prev: Digest::of(b"before"), signed, time, body: body.clone() };
            let bytes = entry.encode().unwrap();
            assert_eq!(Entry::decode(&bytes).unwrap(), entry);
            for at in 0..bytes.len() {
                let mut altered = bytes.clone();
                altered[at] ^= 1;
                refused_or_canonical(&altered);
                refused_or_canonical(&bytes[..at]);
            }
        }
    }
}
