//! Each folder below `cases/` is a host and a story: a configuration, the
//! actions in order, and for each the verdict that must come and be in the log.
//! A case with an `error.txt` is a host that must not start.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod case;
mod log;
mod site;
mod step;

use std::path::Path;

use site::Compiled;

#[test]
fn every_case_is_as_told() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut folders: Vec<_> = std::fs::read_dir(cases).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    assert!(!folders.is_empty());
    let compiled = Compiled::none();
    for folder in folders {
        // Shown with a failure, to say which case it was.
        println!("case {}", folder.file_name().unwrap().display());
        case::check(&folder, &compiled);
    }
}
