//! What registries answer.

use url::Url;
use vak_oci::{Blob, Challenge, ImageIndex, ImageManifest, Location, Referrer, token};

/// What is said to refer to an image.
const TYPES: [&str; 2] = ["application/vnd.vak.signatures.v1+json", "application/vnd.vak.manifest.v1+json"];

/// The largest component.
const BYTES_MAX: u64 = 64 << 20;

/// The longest explanation.
const WHY_BYTES_MAX: usize = 500;

/// What is read of a manifest is written and read as the same, and small enough to
/// be fetched. A list keeps all that is in it.
///
/// # Panics
/// It is not so.
pub fn image(bytes: &[u8]) {
    let small = |blobs: &[Blob]| assert!(blobs.iter().all(|blob| blob.size <= BYTES_MAX));
    match ImageManifest::parse(bytes) {
        Ok(manifest) => {
            small(&[manifest.config, manifest.component]);
            assert_eq!(ImageManifest::parse(&manifest.to_bytes()).unwrap(), manifest);
        }
        Err(error) => assert!(error.to_string().len() < WHY_BYTES_MAX),
    }
    for artifact_type in TYPES {
        let Ok(referrer) = Referrer::parse(bytes, artifact_type) else { continue };
        small(&[referrer.content]);
        let written = referrer.to_bytes(artifact_type);
        assert_eq!(Referrer::parse(&written, artifact_type).unwrap(), referrer);
        // One is not the other, and neither is an image.
        assert!(TYPES.iter().filter(|other| Referrer::parse(&written, other).is_ok()).count() == 1);
        assert!(ImageManifest::parse(&written).is_err());
    }
    if let Ok(index) = ImageIndex::parse(bytes) {
        let value: serde_json::Value = serde_json::from_slice(bytes).unwrap();
        assert_eq!(serde_json::from_slice::<serde_json::Value>(&index.to_bytes()).unwrap(), value);
        assert_eq!(ImageIndex::parse(&index.to_bytes()).unwrap(), index);
    }
}

/// Whoever asks for credentials is answered in secret or not at all, and what it
/// issues fits one line. A location is read as it is written.
///
/// # Panics
/// It is not so.
pub fn challenge(bytes: &[u8]) {
    if let Ok(token) = token(bytes) {
        assert!(!token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()));
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let registry = Url::parse("https://registry.example/").unwrap();
    match Challenge::parse(text, &registry) {
        Ok(Challenge::Bearer { realm, .. }) => {
            assert!(realm.scheme() == "https" && realm.username().is_empty() && realm.password().is_none());
        }
        Ok(Challenge::Basic) => {}
        Err(error) => assert!(error.to_string().len() < WHY_BYTES_MAX),
    }
    if let Ok(location) = text.parse::<Location>() {
        assert_eq!(location.to_string().parse::<Location>().unwrap(), location);
    }
}
