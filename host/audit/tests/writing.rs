//! What is acknowledged is there, once, in order.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use common::{Sample, append, check, draft, open, origin, outcome, signer};
use futures_executor::block_on;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use vak_audit::{
    AppendError, Body, Expected, Log, LogReader, OpenError, Options, Receipt, Signer, SqliteStore, StorageError, Store,
    Tier, VerifyError, verify_all,
};

fn store(path: &std::path::Path) -> Box<dyn Store> {
    Box::new(SqliteStore::open(path).unwrap())
}

/// Ids of all entries, in order.
fn ids(path: &std::path::Path) -> Vec<String> {
    let reader = LogReader::open(path).unwrap();
    reader.entries(0, u64::MAX).map(|entry| common::id(&entry.unwrap())).collect()
}

#[test]
fn appending_goes_on_after_reopening() {
    let sample = Sample::of(2);
    for round in 0..3 {
        let log = open(&sample.path).unwrap();
        assert_eq!(log.opened_at().size(), 2 + round);
        assert_eq!(append(&log, &format!("b-{round}")).seq(), 2 + round);
    }
    assert_eq!(ids(&sample.path), ["a-0", "a-1", "b-0", "b-1", "b-2"]);
    assert_eq!(check(&sample.path, Some(&sample.checkpoint)).unwrap().checkpoint.size(), 5);
}

#[test]
fn a_new_log_is_nobody_elses() {
    let sample = Sample::of(0);
    let log = open(&sample.path).unwrap();
    append(&log, "a-0");
    for file in std::fs::read_dir(sample.folder.path()).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", file.path());
    }
}

#[test]
fn a_log_has_one_writer() {
    let sample = Sample::of(1);
    let first = open(&sample.path).unwrap();
    let link = sample.folder.path().join("link.db");
    std::os::unix::fs::symlink(&sample.path, &link).unwrap();
    for path in [&sample.path, &link] {
        assert!(matches!(open(path), Err(OpenError::Storage(StorageError::Locked { .. }))));
    }
    append(&first, "b-0");
    drop(first);
    open(&link).unwrap();
}

#[test]
fn a_log_keeps_its_origin_and_its_key() {
    let sample = Sample::of(1);
    let other = Log::open(store(&sample.path), "example.org/other".parse().unwrap(), signer(), &Options::default());
    let Err(OpenError::Unsound { source, .. }) = other else { panic!("{other:?}") };
    assert!(matches!(*source, VerifyError::Checkpoint(_)), "{source}");
    let other = Log::open(store(&sample.path), origin(), Signer::new(origin(), &[8; 32]), &Options::default());
    let Err(OpenError::Unsound { source, .. }) = other else { panic!("{other:?}") };
    assert!(matches!(*source, VerifyError::Checkpoint(_)), "{source}");
}

#[test]
fn dropping_the_log_commits_what_was_accepted() {
    let sample = Sample::of(0);
    let log = open(&sample.path).unwrap();
    let expected: Vec<_> = (0..3_000).map(|index| format!("a-{index}")).collect();
    for (index, id) in (0..).zip(&expected) {
        let receipt = block_on(log.append(draft(id, ""), Tier::Accepted)).unwrap();
        assert_eq!(receipt, Receipt::Accepted { origin: origin(), seq: index });
    }
    drop(log);
    assert_eq!(ids(&sample.path), expected);
    assert_eq!(sample.check().unwrap().decisions, 3_000);
}

#[test]
fn a_dropped_append_is_committed_all_the_same() {
    let sample = Sample::of(0);
    let log = open(&sample.path).unwrap();
    {
        let mut append = pin!(log.append(draft("a-0", ""), Tier::Durable));
        let Poll::Pending = append.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
            panic!("durable before it was polled twice")
        };
    }
    log.close().unwrap();
    assert_eq!(ids(&sample.path), ["a-0"]);
}

#[test]
fn entries_of_many_threads_are_there_once() {
    let sample = Sample::of(0);
    let options = Options { queue_entries_max: 16, ..Options::default() };
    let log = Arc::new(Log::open(store(&sample.path), origin(), signer(), &options).unwrap());
    let threads: Vec<_> = (0..8)
        .map(|thread| {
            let log = Arc::clone(&log);
            std::thread::spawn(move || {
                // More in flight than the queue holds, so that some wait.
                let appends: FuturesUnordered<_> = (0..250)
                    .map(|index| {
                        let (log, id) = (&log, format!("{thread}-{index}"));
                        let tier = if index % 5 == 0 { Tier::Accepted } else { Tier::Durable };
                        async move { (log.append(draft(&id, ""), tier).await.unwrap().seq(), id) }
                    })
                    .collect();
                block_on(appends.collect::<Vec<_>>())
            })
        })
        .collect();
    let acknowledged: BTreeSet<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    Arc::into_inner(log).unwrap().close().unwrap();
    sample.check().unwrap();
    let written: BTreeSet<_> = (0..).zip(ids(&sample.path)).collect();
    assert_eq!(written.len(), 2_000);
    assert_eq!(acknowledged, written);
}

#[test]
fn an_outcome_needs_its_decision() {
    let sample = Sample::of(1);
    let log = open(&sample.path).unwrap();
    let early = block_on(log.append(outcome("a-0", 1), Tier::Durable));
    assert_eq!(early, Err(AppendError::NoSuchDecision { decision: 1, size: 1 }));
    // The place that an accepted receipt names is good enough.
    let decision = block_on(log.append(draft("b-0", ""), Tier::Accepted)).unwrap().seq();
    block_on(log.append(outcome("b-0", decision), Tier::Durable)).unwrap();
    drop(log);
    let report = sample.check().unwrap();
    assert_eq!((report.decisions, report.outcomes), (2, 1));
    let reader = LogReader::open(&sample.path).unwrap();
    let last = reader.entries(2, 1).next().unwrap().unwrap();
    let Body::Outcome(_, outcome) = last.body else { panic!("not an outcome") };
    assert_eq!((outcome.decision, outcome.detail.as_str()), (1, "done"));
}

#[test]
fn reading_and_verifying_go_on_while_the_host_writes() {
    let sample = Sample::of(300);
    let log = open(&sample.path).unwrap();
    append(&log, "b-0");
    let reader = LogReader::open(&sample.path).unwrap();
    assert_eq!(reader.size().unwrap(), 301);
    append(&log, "b-1");
    let read: Vec<_> = reader.entries(299, 10).map(|entry| common::id(&entry.unwrap())).collect();
    assert_eq!(read, ["a-299", "b-0", "b-1"]);
    let (origin, key) = (origin(), common::key());
    let expected = Expected { origin: &origin, key: &key, trusted: None, witnesses: None, range: None };
    let report = verify_all(reader.source(), &expected, |done, total| {
        assert_eq!(total, 302);
        append(&log, &format!("c-{done}"));
    });
    assert_eq!(report.unwrap().checkpoint.size(), 302);
}

#[test]
fn a_closed_log_is_read_without_leaving_a_trace() {
    let sample = Sample::of(300);
    let list = || {
        let files = std::fs::read_dir(sample.folder.path()).unwrap();
        files.map(|file| file.unwrap().file_name()).collect::<BTreeSet<_>>()
    };
    let before = list();
    assert_eq!(before, BTreeSet::from(["audit.db".into(), "audit.db.lock".into()]));
    sample_checks(&sample);
    assert_eq!(list(), before);

    // Paths that mean something in a URI.
    let odd = sample.folder.path().join("a?b#c%41 ü.db");
    std::fs::copy(&sample.path, &odd).unwrap();
    check(&odd, Some(&sample.checkpoint)).unwrap();
}

fn sample_checks(sample: &Sample) {
    check(&sample.path, Some(&sample.checkpoint)).unwrap();
    assert_eq!(ids(&sample.path).len(), 300);
}
