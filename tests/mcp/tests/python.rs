//! The reference client, as it is published, through the gateway to the
//! reference server.

use std::path::Path;
use std::process::Command;

use vak_audit::Status;
use vak_test_support::binary;

use crate::filesystem::governed;
use crate::log::recorded;
use crate::site::installed;

#[track_caller]
fn check(mode: &str) {
    let (site, upstream) = governed();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/client.py");
    let mut client = Command::new(installed("python/bin/python"));
    client.arg(script).arg(mode).arg(site.path().canonicalize().unwrap().join("files"));
    client.arg(binary("vak")).arg("mcp").arg("--config").arg(site.config()).arg("--").args(upstream);
    let output = client.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let recorded = recorded(&site);
    let statuses: Vec<_> = recorded.iter().map(|recorded| recorded.told().2).collect();
    assert_eq!(statuses, [Some(Status::Succeeded), None, Some(Status::Succeeded)], "{said}");
}

#[test]
fn the_reference_client_is_governed_since_initialize() {
    check("legacy");
}

#[test]
fn the_reference_client_is_governed_with_what_it_chooses() {
    check("auto");
}
