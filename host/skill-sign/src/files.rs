//! One thing done to each file of a command line.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::bail;

/// What came of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    Fine,
    /// It does not verify, or has no signature.
    Refused,
}

/// Does `one` to each file, whatever comes of the others. An error with one of
/// several does not hide what is wrong with the rest.
pub(crate) fn each(files: &[PathBuf], one: impl Fn(&Path) -> anyhow::Result<Outcome>) -> anyhow::Result<ExitCode> {
    if let [file] = files {
        return one(file).map(code);
    }
    let (mut worst, mut failed) = (Outcome::Fine, 0);
    for file in files {
        match one(file) {
            Ok(outcome) => worst = worst.max(outcome),
            Err(error) => {
                eprintln!("error: {error:#}");
                failed += 1;
            }
        }
    }
    match failed {
        0 => Ok(code(worst)),
        _ => bail!("{failed} of {} files could not be dealt with", files.len()),
    }
}

fn code(outcome: Outcome) -> ExitCode {
    match outcome {
        Outcome::Fine => ExitCode::SUCCESS,
        Outcome::Refused => ExitCode::from(1),
    }
}
