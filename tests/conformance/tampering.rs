//! Logs that somebody altered on the disk: each verifier refuses each.

mod forged;
mod segments;
mod sqlite;
mod tiles;

use std::path::Path;

use vak_audit::open_source;

use crate::logs::{copy, signer};
use crate::verifiers::{python, rust};

/// What was done to a log, in words and in code.
type Case<'c> = (&'c str, Box<dyn Fn(&Path) + 'c>);

fn case<'c>(what: &'c str, alter: impl Fn(&Path) + 'c) -> Case<'c> {
    (what, Box::new(alter))
}

/// Alters copies of a sound log, one for each case, and has both verifiers look
/// at them with the log's first key.
#[track_caller]
fn refused(log: &Path, cases: &[Case<'_>]) {
    check(log, None, cases);
}

/// The same for what only a checkpoint shows that was kept from before.
#[track_caller]
fn refused_with_kept(log: &Path, kept: &str, cases: &[Case<'_>]) {
    check(log, Some(kept), cases);
}

#[track_caller]
fn check(log: &Path, kept: Option<&str>, cases: &[Case<'_>]) {
    let key = signer(1).verifier().clone();
    assert!(rust(log, &key, kept).is_ok());
    assert!(python(log, &key, kept).is_ok());
    let mut accepted = Vec::new();
    for (what, alter) in cases {
        let folder = tempfile::tempdir().unwrap();
        let copied = folder.path().join("log");
        copy(log, &copied);
        alter(&copied);
        let (host, document) = (rust(&copied, &key, kept), python(&copied, &key, kept));
        // Shown with a failure.
        println!("{what}\n    {host:?}\n    {document:?}");
        accepted.extend(host.is_ok().then(|| format!("the host: {what}")));
        accepted.extend(document.is_ok().then(|| format!("Python: {what}")));
    }
    assert!(accepted.is_empty(), "accepted by {accepted:#?}");
}

fn note(log: &Path) -> String {
    open_source(log).unwrap().head().unwrap().unwrap()
}

/// The note with another digit in its root.
fn with_another_root(note: &str) -> String {
    let mut lines: Vec<_> = note.split('\n').map(str::to_owned).collect();
    let digit = if lines[2].starts_with('A') { "B" } else { "A" };
    lines[2].replace_range(..1, digit);
    lines.join("\n")
}

/// The note without its signature, with that of another key in its place.
fn signed_by_another(note: &str) -> String {
    let (text, line) = note.split_once("\n\n").unwrap();
    let (name, signature) = line.trim_end().rsplit_once(' ').unwrap();
    // The key's hash is in the first digits.
    format!("{text}\n\n{name} AAAAA{}\n", &signature[5..])
}
