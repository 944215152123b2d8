//! What Python signs and proves, checked by the host's code; and the other way
//! round.

use std::fs::{read_to_string, write};
use std::path::Path;

use vak_audit::{Checkpoint, EntryProof, LogReader, WitnessError, WitnessPolicy};

use crate::logs::{Contains, in_sqlite, last_key, origin, signer};
use crate::oracle::entries;
use crate::verifiers::{filter, hex, python};

const TIME_S: u64 = 1_700_000_000;

/// A folder with a key, a checkpoint, the witnesses and a proof of entry `seq`.
fn made(seq: u64, size: u64) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let lines: Vec<_> = entries(size, Contains::Everything).iter().map(|entry| hex(entry)).collect();
    let path = folder.path().to_str().unwrap();
    filter("make_proof.py", &[path, origin().as_str(), &seq.to_string(), &TIME_S.to_string()], &lines);
    folder
}

fn policy(folder: &Path, quorum: &str) -> WitnessPolicy {
    (read_to_string(folder.join("witnesses")).unwrap() + quorum).parse().unwrap()
}

#[test]
fn proofs_and_cosignatures_of_python_hold() {
    for (seq, size) in [(0, 1), (0, 7), (6, 7), (3, 8), (255, 257), (256, 257)] {
        let folder = made(seq, size);
        let read = |name| read_to_string(folder.path().join(name)).unwrap();
        let key = signer(1).verifier().clone();
        assert_eq!(read("vkey"), key.to_string());
        let checkpoint = Checkpoint::open(&read("checkpoint"), &origin(), &key).unwrap();
        assert_eq!(checkpoint.size(), size);
        let proof: EntryProof = read("entry.tlog-proof").parse().unwrap();
        assert_eq!(proof.to_string(), read("entry.tlog-proof"));
        let both = policy(folder.path(), "group g all w2 w3\nquorum g\n");
        let (entry, cosigned) = proof.verify(&origin(), &key, Some(&both)).unwrap();
        assert_eq!(entry.seq, seq);
        let cosigned: Vec<_> = cosigned.iter().map(|one| (one.witness.as_str(), one.time_s)).collect();
        assert_eq!(cosigned, [("w2", TIME_S), ("w3", TIME_S)]);
        for (quorum, holds) in [
            ("quorum none\n", true),
            ("quorum w2\n", true),
            ("quorum w4\n", false),
            ("group g 2 w2 w3 w4\nquorum g\n", true),
            ("group g all w2 w3 w4\nquorum g\n", false),
            ("group g any w4\nquorum g\n", false),
        ] {
            assert_eq!(proof.verify(&origin(), &key, Some(&policy(folder.path(), quorum))).is_ok(), holds, "{quorum}");
        }
    }
}

#[test]
fn an_altered_cosignature_of_python_is_noticed() {
    let folder = made(3, 8);
    let key = signer(1).verifier().clone();
    let note = read_to_string(folder.path().join("checkpoint")).unwrap();
    let quorum = policy(folder.path(), "quorum w2\n");
    let line = note.lines().find(|line| line.contains("/w2 ")).unwrap();
    // In base64 of key hash, time and signature: one digit of each of the last two.
    let start = note.find(line).unwrap() + line.rfind(' ').unwrap() + 1;
    for at in [start + 8, start + 40] {
        let mut altered = note.clone().into_bytes();
        altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
        let checkpoint = Checkpoint::open(&String::from_utf8(altered).unwrap(), &origin(), &key).unwrap();
        assert_eq!(quorum.check(&checkpoint), Err(WitnessError::Forged { witness: "w2".to_owned() }));
    }
    let without = note.replace(&format!("{line}\n"), "");
    let checkpoint = Checkpoint::open(&without, &origin(), &key).unwrap();
    assert_eq!(quorum.check(&checkpoint), Err(WitnessError::NoQuorumReached { found: vec!["w3".to_owned()] }));
}

#[test]
fn proofs_of_the_host_hold_in_python() {
    for (seq, size) in [(0, 1), (9, 257), (256, 257), (300, 600)] {
        let log = in_sqlite(size, Contains::Everything);
        let key = signer(last_key(size)).verifier().clone();
        let proof = LogReader::open(&log.path().join("log")).unwrap().prove(seq, &origin(), &key).unwrap();
        let file = log.path().join("entry.tlog-proof");
        let said = |text: &str| {
            write(&file, text).unwrap();
            (
                python(&file, &key, None),
                text.parse::<EntryProof>().map(|proof| proof.verify(&origin(), &key, None).is_ok()),
            )
        };
        let text = proof.to_string();
        let (python_said, rust_said) = said(&text);
        assert_eq!((python_said.unwrap().0, rust_said), (size, Ok(true)));
        for (from, to) in [
            ("tlog-proof@v1", "tlog-proof@v2"),
            ("extra ", "extra A"),
            ("index ", "index 1"),
            ("\n\n", "\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n"),
            ("\nexample.org", "\nexample.net"),
            ("— example.org", "— example.net"),
        ] {
            let (python_said, rust_said) = said(&text.replacen(from, to, 1));
            assert!(python_said.is_err() && rust_said != Ok(true), "{from:?} to {to:?} in entry {seq} of {size}");
        }
    }
}
