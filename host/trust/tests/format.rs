//! `FORMAT.md` says what the code does: its example is made anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::os::unix::fs::PermissionsExt as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use vak_trust::{Manifest, Package, PrivateKey, TrustPolicy, Unsigned, Validity};
use vak_types::{Digest, Timestamp};

const DOCUMENT: &str = include_str!("../FORMAT.md");

/// The text of a block with this word behind its fence.
fn block(word: &str) -> &'static str {
    let (_, rest) = DOCUMENT.split_once(&format!("\n```{word}\n")).unwrap();
    rest.split_once("```").unwrap().0
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<_> = hex.chars().map(|digit| u8::try_from(digit.to_digit(16).unwrap()).unwrap()).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// The hexadecimal digits behind `word` in the text.
fn named(word: &str) -> Vec<u8> {
    let (_, rest) = DOCUMENT.split_once(word).unwrap();
    let rest = rest.split_once('`').unwrap().1;
    bytes(rest.split_once('`').unwrap().0)
}

#[test]
fn the_example_is_what_the_code_makes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    std::fs::write(&file, named("section 7.1: ")).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let key = PrivateKey::read(&file).unwrap();
    assert_eq!(key.public().to_string(), block("key").trim());

    let manifest = Manifest::from_toml(block("toml")).unwrap();
    let signed_at: jiff::Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
    let validity = Validity::new(signed_at, Some("2026-05-30T00:00:00Z".parse().unwrap())).unwrap();
    let component = named("the smallest there is, ");
    let package = Package::unsigned(component, &manifest).sign(&key, validity);
    let (_, digest) = package.digests();
    println!("{digest}\n{}", String::from_utf8_lossy(package.bundle.as_deref().unwrap()));
    assert_eq!(String::from_utf8_lossy(&package.manifest), block("manifest").trim_end());
    assert_eq!(digest, Digest::of(block("manifest").trim_end().as_bytes()));
    assert!(DOCUMENT.contains(&format!("with the digest `{digest}`")), "{digest}");
    assert_eq!(String::from_utf8_lossy(package.bundle.as_deref().unwrap()), block("bundle"));

    let bundle: serde_json::Value = serde_json::from_str(block("bundle")).unwrap();
    let payload = STANDARD.decode(bundle["dsseEnvelope"]["payload"].as_str().unwrap()).unwrap();
    assert_eq!(String::from_utf8(payload).unwrap(), block("statement").trim_end());

    let trust = TrustPolicy::of_publishers([key.public()]);
    let at = |second: u64| Timestamp::from_nanos((1_772_323_200 + second) * 1_000_000_000);
    let verify = |now| trust.verify(package.clone(), Unsigned::Refuse, now).is_ok();
    assert!(verify(at(0)) && verify(at(90 * 86_400 - 1)) && !verify(at(90 * 86_400)));
}

/// The sizes that the document names are those of the code.
#[test]
fn the_limits_are_those_of_the_code() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.wasm");
    let manifest = Manifest::from_toml(block("toml")).unwrap();
    Package::unsigned(b"a".to_vec(), &manifest).write(&path).unwrap();
    for (name, bytes) in [("a.wasm", 67_108_864), ("a.manifest.json", 262_144), ("a.sigstore.json", 65_536)] {
        let file = std::fs::File::create(folder.path().join(name)).unwrap();
        file.set_len(bytes).unwrap();
        assert!(Package::read(&path).is_ok(), "{name}");
        file.set_len(bytes + 1).unwrap();
        let error = Package::read(&path).unwrap_err().to_string();
        assert!(error.contains(&format!("{name}` is larger than {bytes} bytes")), "{error}");
        file.set_len(0).unwrap();
    }
}
