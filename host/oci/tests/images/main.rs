//! Images against a real registry, in folders, and against what only looks like a
//! registry.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod docker;
mod published;

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use semver::Version;
use tempfile::TempDir;
use vak_oci::{Credentials, Images, Limits, Location, Parts, Settings};
use vak_types::Name;

/// Short, and long enough for a machine that is busy with other tests.
const LIMITS: Limits = Limits {
    connect: Duration::from_secs(10),
    idle: Duration::from_secs(10),
    whole: Duration::from_secs(60),
    attempts: 4,
    backoff: Duration::from_millis(10),
};

fn settings() -> Settings {
    Settings { limits: LIMITS, ..Settings::default() }
}

fn ada(password: &str) -> Settings {
    let password = password.to_owned().into();
    Settings { credentials: Some(Credentials::Password { user: "ada".to_owned(), password }), ..settings() }
}

fn open(location: &Location) -> Images {
    Images::open(location, settings()).unwrap()
}

fn rules() -> Name {
    "rules".parse().unwrap()
}

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

/// A component that takes and gives something, with so many bytes of ballast.
fn component(ballast: usize) -> Bytes {
    let text = format!(
        r#"(component
            (import "vak:host/log" (instance $log))
            (instance $policy)
            (export "vak:policy/policy@0.1.0" (instance $policy))
            (core module (memory 1000) (data (i32.const 0) "{}")))"#,
        "x".repeat(ballast)
    );
    wat::parse_str(text).unwrap().into()
}

fn parts(ballast: usize) -> Parts {
    Parts {
        component: component(ballast),
        manifest: r#"{"name":"rules"}"#.into(),
        signatures: format!("[{ballast}]").into(),
    }
}

/// A file of its own for what is on its way.
fn part() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let part = folder.path().join("part");
    (folder, part)
}
