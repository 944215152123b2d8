//! The two verifiers, asked the same way.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use vak_audit::{Expected, VerifierKey, open_source, verify_all};

use crate::logs::origin;

/// What a verifier says: how many entries and their root in hex, or what is wrong.
pub(crate) type Said = Result<(u64, String), String>;

/// The host's own.
pub(crate) fn rust(log: &Path, key: &VerifierKey, kept: Option<&str>) -> Said {
    let expected = Expected { origin: &origin(), key, trusted: kept, witnesses: None, range: None };
    let source = open_source(log).map_err(|error| error.to_string())?;
    let report = verify_all(&*source, &expected, |_, _| ()).map_err(|error| error.to_string())?;
    Ok((report.checkpoint.size(), report.checkpoint.root().to_hex()))
}

/// The one that was written from the document.
pub(crate) fn python(log: &Path, key: &VerifierKey, kept: Option<&str>) -> Said {
    python_with(log, &key.to_string(), kept)
}

/// The same with what may be no key.
pub(crate) fn python_with(log: &Path, key: &str, kept: Option<&str>) -> Said {
    let mut arguments = vec![key.into(), log.as_os_str().to_owned()];
    if let Some(note) = kept {
        let file = log.with_extension("kept");
        std::fs::write(&file, note).unwrap();
        arguments.extend(["--kept".into(), file.into()]);
    }
    let output = script("verify_log.py").args(arguments).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let line = said.trim_end();
    match (output.status.code(), line.strip_prefix("verified "), line.strip_prefix("NOT VERIFIED: ")) {
        (Some(0), Some(line), None) => {
            let (size, root) = line.split_once(" entries, root ").unwrap();
            Ok((size.parse().unwrap(), root.to_owned()))
        }
        (Some(1), None, Some(wrong)) => Err(wrong.to_owned()),
        _ => panic!("{said}{}", String::from_utf8_lossy(&output.stderr)),
    }
}

/// What another script prints for these lines.
pub(crate) fn filter(name: &str, arguments: &[&str], lines: &[String]) -> Vec<String> {
    let mut command = script(name);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let lines = lines.join("\n") + "\n";
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

fn script(name: &str) -> Command {
    let python = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("python-conformance").join("bin/python");
    assert!(python.exists(), "`{}` is missing; run `cargo xtask test`", python.display());
    let mut command = Command::new(python);
    // Bytes, not lines, are what is compared: whatever the machine's language.
    command.arg(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)).env("PYTHONUTF8", "1");
    command
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
