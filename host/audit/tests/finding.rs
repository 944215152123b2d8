//! The index finds what looking at every entry finds.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{ON_DISK, Place, Storage as _, action};
use futures_executor::block_on;
use vak_audit::{Body, Draft, Entry, EntryKind, Index, LogReader, Payloads, Query, Tier};
use vak_types::{Action, ComponentRef, Decision, Digest, Effect, Reason, Source, Timestamp, Verdict};

const ENTRIES: u64 = 400;

/// Some agents, sessions, operations, answers and components, each with a
/// period of its own; times that do not rise with the numbers.
fn drafts() -> impl Iterator<Item = Draft> {
    (0..ENTRIES).map(|index| {
        let action = Action {
            agent: format!("agent-{}", index % 7).parse().unwrap(),
            session: format!("session-{}", index % 11).parse().unwrap(),
            operation: format!("op/{}", index % 5).parse().unwrap(),
            time: Timestamp::from_nanos(1_000_000 + (index * 37) % 300),
            ..action(&format!("a-{index}"))
        };
        if index % 10 == 9 {
            return common::outcome(&format!("a-{}", index - 1), index - 1);
        }
        let component = ComponentRef {
            name: format!("policy-{}", index % 3).parse().unwrap(),
            digest: Digest::of(b"x"),
            config: None,
            signer: None,
        };
        let reason = Reason {
            source: Source::Component(component.into()),
            effect: Effect::Permit,
            rule: None,
            failure: None,
            message: String::new(),
        };
        let decision = [Decision::Allow, Decision::Deny, Decision::Escalate, Decision::Backtrack]
            [usize::try_from(index % 4).unwrap()];
        let verdict = Verdict {
            decision,
            reasons: vec![reason],
            obligations: Vec::new(),
            retry_after_ms: None,
            past: None,
            approval: None,
            unsigned: false,
        };
        Draft::decision(&action, &verdict, Payloads::Inline).unwrap()
    })
}

fn wanted(query: &Query, entry: &Entry) -> bool {
    let is = |asked: &Option<String>, found: Option<&str>| asked.as_deref().is_none_or(|asked| found == Some(asked));
    let about = entry.body.about();
    let decision = match &entry.body {
        Body::Decision(_, decision) => Some(decision),
        _ => None,
    };
    is(&query.agent, about.map(|about| about.agent.as_str()))
        && is(&query.session, about.map(|about| about.session.as_str()))
        && is(&query.operation, decision.map(|decision| decision.operation.as_str()))
        && query.decision.is_none_or(|asked| decision.is_some_and(|decision| decision.verdict.decision == asked))
        && query.component.as_ref().is_none_or(|asked| {
            let voices = decision.into_iter().flat_map(|decision| &decision.verdict.reasons);
            voices
                .into_iter()
                .any(|reason| matches!(&reason.source, Source::Component(one) if one.name.as_str() == asked))
        })
        && query.kind.is_none_or(|kind| entry.body.kind() == kind)
        && query.from.is_none_or(|from| entry.time >= from)
        && query.to.is_none_or(|to| entry.time < to)
}

#[test]
fn finds_what_looking_at_every_entry_finds() {
    for kind in ON_DISK {
        let place = Place::new(kind);
        let log = place.open();
        for draft in drafts() {
            block_on(log.append(draft, Tier::Accepted)).unwrap();
        }
        log.close().unwrap();
        let reader = LogReader::open(&place.path).unwrap();
        let entries: Vec<_> = reader.entries(0, u64::MAX).map(Result::unwrap).collect();
        let mut index = Index::open(&place.path).unwrap();
        index.catch_up(&reader, |_, _| ()).unwrap();

        let some = |text: &str| Some(text.to_owned());
        let time = |nanos| Some(Timestamp::from_nanos(nanos));
        let agents = [None, some("agent-3"), some("nobody")];
        let sessions = [None, some("session-4")];
        let operations = [None, some("op/2")];
        let decisions = [None, Some(Decision::Allow), Some(Decision::Deny)];
        let components = [None, some("policy-1"), some("agent-3")];
        let kinds = [None, Some(EntryKind::Decision), Some(EntryKind::Outcome), Some(EntryKind::KeyRotation)];
        let times = [(None, None), (time(1_000_050), time(1_000_200)), (time(1_000_299), None)];
        let mut found = 0;
        for number in 0..3 * 2 * 2 * 3 * 3 * 4 * 3 {
            let mut rest = number;
            let mut pick = |choices: usize| {
                let choice = rest % choices;
                rest /= choices;
                choice
            };
            let (from, to) = times[pick(3)];
            let query = Query {
                agent: agents[pick(3)].clone(),
                session: sessions[pick(2)].clone(),
                operation: operations[pick(2)].clone(),
                decision: decisions[pick(3)],
                component: components[pick(3)].clone(),
                kind: kinds[pick(4)],
                from,
                to,
            };
            let mut expected: Vec<_> = entries.iter().filter(|entry| wanted(&query, entry)).collect();
            expected.sort_by_key(|entry| std::cmp::Reverse((entry.time, entry.seq)));
            let expected: Vec<_> = expected.into_iter().map(|entry| entry.seq).collect();
            // Page by page, as a reader turns them.
            let (mut pages, mut after) = (Vec::new(), None);
            loop {
                let page = index.find(&query, after, 7).unwrap();
                pages.extend(page.seqs);
                match page.next {
                    Some(next) => after = Some(next.to_string().parse().unwrap()),
                    None => break,
                }
            }
            assert_eq!(pages, expected, "{query:?}");
            found += pages.len();
        }
        assert!(found > 3_000, "{found}");
    }
}

#[test]
fn an_index_of_another_log_is_made_anew() {
    let place = Place::new(common::Kind::Sqlite);
    place.extend(20, 5);
    let find = || {
        let reader = LogReader::open(&place.path).unwrap();
        let mut index = Index::open(&place.path).unwrap();
        index.catch_up(&reader, |_, _| ()).unwrap();
        index.find(&Query::default(), None, 100).unwrap().seqs.len()
    };
    assert_eq!(find(), 20);
    place.extend(10, 5);
    assert_eq!(find(), 30);
    std::fs::remove_file(&place.path).unwrap();
    let log = place.open();
    for index in 0..3 {
        common::append(&log, &format!("b-{index}"));
    }
    log.close().unwrap();
    assert_eq!(find(), 3);
}
