//! A log of ten million entries.

use std::path::Path;
use std::time::Instant;

use futures_executor::block_on;
use vak_audit::{Expected, FileStore, Index, LogReader, Query, Tier, open_source, verify_all};
use vak_types::{Decision, Timestamp};

use super::sample::{Sample, open, origin, signer};
use crate::print::{Row, quantile};

const ENTRIES: u64 = 10_000_000;
const VERIFIED: u64 = 1_000_000;
const PROOFS: u64 = 200;
const QUERIES: usize = 50;
const PAGE: usize = 50;

pub(super) fn rows(folder: &Path) -> Vec<Row> {
    let short = folder.join("verified");
    write(&short, VERIFIED);
    let large = folder.join("large");
    write(&large, ENTRIES);
    vec![verifying(&short), proving(&large), finding(&large)]
}

fn write(path: &Path, entries: u64) {
    let log = open(Box::new(FileStore::open(path).unwrap()));
    let mut sample = Sample::new();
    for index in 0..entries {
        block_on(log.append(sample.number(index), Tier::Accepted)).unwrap();
    }
    log.close().unwrap();
}

fn verifying(path: &Path) -> Row {
    let source = open_source(path).unwrap();
    let signer = signer();
    let before = resident_kib();
    let mut most = before;
    let start = Instant::now();
    let report =
        verify_all(&*source, &Expected::of(signer.verifier()), |_, _| most = most.max(resident_kib())).unwrap();
    let seconds = start.elapsed().as_secs_f64();
    assert_eq!(report.decisions, VERIFIED);
    let start = Instant::now();
    let mut bundle = vak_audit::Bundle::default();
    let mut next = 0;
    while next < VERIFIED {
        source.entries(next, VERIFIED - next, &mut bundle).unwrap();
        for entry in bundle.iter() {
            std::hint::black_box(vak_audit::leaf_hash(entry));
        }
        next = bundle.end();
    }
    let floor = start.elapsed().as_secs_f64();
    let text = format!("reading and hashing them: {floor:.2} s; memory grew by {} KiB", most - before);
    Row::at_most("`verify_all` of 1,000,000 entries", seconds, 3.0, "s", text)
}

/// With a reader that has seen nothing yet.
fn proving(path: &Path) -> Row {
    let signer = signer();
    let mut millis: Vec<_> = (0..PROOFS)
        .map(|turn| {
            let seq = turn.wrapping_mul(6_364_136_223_846_793_005) % ENTRIES;
            let start = Instant::now();
            let proof = LogReader::open(path).unwrap().prove(seq, &origin(), signer.verifier()).unwrap();
            let took = start.elapsed().as_secs_f64() * 1e3;
            assert!(proof.verify(&origin(), signer.verifier(), None).is_ok());
            took
        })
        .collect();
    let slow = quantile(&mut millis, 0.99);
    let median = quantile(&mut millis, 0.5);
    Row::at_most(
        "inclusion proof from 10,000,000 entries",
        median,
        1.0,
        "ms",
        format!("p99 {slow:.2} ms, proof checked"),
    )
}

fn finding(path: &Path) -> Row {
    let reader = LogReader::open(path).unwrap();
    let mut index = Index::open(path).unwrap();
    let start = Instant::now();
    index.catch_up(&reader, |_, _| ()).unwrap();
    let built = start.elapsed().as_secs_f64();
    let time = |index: u64| Timestamp::from_nanos(1_700_000_000_000_000_000 + index * 1_000_000);
    let all = Query::default();
    let queries = [
        Query { agent: Some("agent-500".to_owned()), ..all.clone() },
        Query { agent: Some("rare-0000".to_owned()), ..all.clone() },
        Query { agent: Some("agent-500".to_owned()), from: Some(time(100)), to: Some(time(5_000_000)), ..all.clone() },
        Query { session: Some("9f1c2f0e-6a51-4a0e-8f0e-0d5b6f9a7c11".to_owned()), ..all.clone() },
        Query { operation: Some("files/read_file".to_owned()), ..all.clone() },
        Query { decision: Some(Decision::Deny), ..all.clone() },
        Query { decision: Some(Decision::Deny), agent: Some("agent-500".to_owned()), ..all.clone() },
        Query { component: Some("files".to_owned()), ..all.clone() },
        Query { from: Some(time(5_000_000)), to: Some(time(5_000_100)), ..all },
    ];
    let mut worst = 0.0_f64;
    let mut worst_query = String::new();
    for query in queries {
        let mut millis: Vec<_> = (0..QUERIES)
            .map(|_| {
                let start = Instant::now();
                let page = index.find(&query, None, PAGE).unwrap();
                assert!(!page.seqs.is_empty(), "{query:?}");
                for seq in page.seqs {
                    std::hint::black_box(reader.entry(seq).unwrap());
                }
                start.elapsed().as_secs_f64() * 1e3
            })
            .collect();
        let median = quantile(&mut millis, 0.5);
        if median > worst {
            (worst, worst_query) = (median, format!("{query:?}"));
        }
    }
    println!("slowest query: {worst_query}");
    let text = format!("slowest of nine queries, with reading its {PAGE} entries; the index took {built:.0} s");
    Row::at_most("indexed query, first page, 10,000,000 entries", worst, 10.0, "ms", text)
}

/// Resident memory of this process.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
