//! A host that is killed loses nothing that it acknowledged.
//!
//! The kernel lives on and keeps what was written, so this shows that commits
//! are whole and acknowledged only after; that they are synced is SQLite's
//! `synchronous = FULL`.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::time::Duration;

use common::{Sample, check, draft, open};
use futures_executor::block_on;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use vak_audit::{LogReader, Receipt, Tier, leaf_hash};

/// Appends for ever, and prints what was acknowledged.
#[test]
#[ignore = "started by `nothing_acknowledged_is_lost`"]
fn append_for_ever() {
    let path = std::env::var_os("VAK_AUDIT_PATH").unwrap();
    let log = open(path.as_ref()).unwrap();
    let mut output = std::io::stdout();
    let append = |index: u64| log.append(draft(&format!("k-{index}"), "no policy permits it"), Tier::Durable);
    let mut appends: FuturesUnordered<_> = (0..64).map(append).collect();
    for index in 64.. {
        let receipt = block_on(appends.next()).unwrap().unwrap();
        let Receipt::Durable { seq, leaf, .. } = receipt else { panic!("not durable") };
        writeln!(output, "ack {seq} {}", leaf.to_hex()).unwrap();
        output.flush().unwrap();
        appends.push(append(index));
    }
}

#[test]
fn nothing_acknowledged_is_lost() {
    let sample = Sample::of(0);
    let mut kept = sample.checkpoint.clone();
    let mut acknowledged = 0;
    for round in 0..20_u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "append_for_ever", "--nocapture"])
            .env("VAK_AUDIT_PATH", &sample.path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let reader = std::thread::spawn(move || {
            // The last line may be cut short.
            let whole = |line: &String| line.starts_with("ack ") && line.len() > 64 + 5;
            output.lines().map_while(Result::ok).filter(whole).collect::<Vec<_>>()
        });
        // Some while it opens the log, most while it writes.
        std::thread::sleep(Duration::from_micros(2_000 + round * 7_919 % 61_000));
        child.kill().unwrap();
        child.wait().unwrap();
        let lines = reader.join().unwrap();

        let report = check(&sample.path, Some(&kept)).unwrap();
        let reader = LogReader::open(&sample.path).unwrap();
        for line in &lines {
            let (seq, leaf) = line["ack ".len()..].split_once(' ').unwrap();
            let entry = reader.entries(seq.parse().unwrap(), 1).next().expect(line).unwrap();
            assert!(leaf.starts_with(&leaf_hash(&entry.encode().unwrap()).to_hex()), "{line}");
        }
        acknowledged += lines.len() as u64;
        kept = report.checkpoint;
        assert!(kept.size() >= acknowledged);
    }
    assert!(acknowledged > 500, "killed too early to show anything: {acknowledged}");
}
