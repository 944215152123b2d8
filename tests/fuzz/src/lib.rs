//! What must hold for any bytes: one function a parser of untrusted input, each
//! of which asserts laws and not only that nothing panics. They are run over a
//! corpus and alterations of it by `cargo test`, and without end by
//! `cargo fuzz` (see `README.md`).
//!
//! ```
//! vak_fuzz::manifest(b"name = 'a'");
//! vak_fuzz::signatures(b"{}");
//! ```

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod action;
#[cfg(feature = "engine")]
mod engine;
mod index;
mod keys;
mod log;
mod oci;
mod package;
mod rules;

use vak_types::Json;

pub use action::action;
#[cfg(feature = "engine")]
pub use engine::engine;
pub use index::{catalogue, entry};
pub use keys::keys;
pub use log::log;
pub use oci::{challenge, image};
pub use package::{manifest, pack, package, signatures, trusted_key};
pub use rules::rules;

/// A target with the name of its corpus.
pub type Target = (&'static str, fn(&[u8]));

/// Those that take microseconds.
pub const QUICK: &[Target] = &[
    ("action", action),
    ("catalogue", catalogue),
    ("challenge", challenge),
    ("entry", entry),
    ("image", image),
    ("json", json),
    ("keys", keys),
    ("log", log),
    ("manifest", manifest),
    ("pack", pack),
    ("package", package),
    ("rules", rules),
    ("signatures", signatures),
];

/// A document is read as it was written.
pub fn json(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(json) = Json::parse(text) else { return };
    assert_eq!(Json::parse(json.as_str()).unwrap(), json, "the text is not a fixed point");
    assert_eq!(Json::from_value(&json.to_value()).unwrap(), json, "the tree is not the text");
}
