//! What an image consists of, by digest and size.

use bytes::Bytes;
use vak_types::Digest;

use crate::document::{PACKAGE_MANIFEST, SIGNATURES};
use crate::error::OciError;

/// Bytes that lie somewhere, and which ones they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blob {
    /// Their SHA-256.
    pub digest: Digest,
    /// How many there are.
    pub size: u64,
}

impl Blob {
    /// That of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self { digest: Digest::of(bytes), size: bytes.len() as u64 }
    }
}

/// The bytes of a package.
#[derive(Debug, Clone)]
pub struct Parts {
    /// The component.
    pub component: Bytes,
    /// The packed manifest.
    pub manifest: Bytes,
    /// The signature file.
    pub signatures: Bytes,
}

/// A package as an image: what is read to have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// The image's manifest, by which OCI knows it.
    pub manifest: Blob,
    /// The component.
    pub component: Blob,
    /// The package's manifest.
    pub package_manifest: Blob,
    /// The signature file.
    pub signatures: Blob,
}

/// An image as it lies there. Whoever may push can add to what refers to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The image's manifest.
    pub manifest: Blob,
    /// The component.
    pub component: Blob,
    /// What is said to be its manifest.
    pub package_manifests: Vec<Blob>,
    /// What is said to be its signatures, oldest first where there is an order.
    pub signatures: Vec<Blob>,
}

impl Listing {
    /// The image, if there is exactly one manifest and one signature file. Which
    /// of several counts is not decided here.
    ///
    /// # Errors
    /// There are none or several.
    pub fn only(&self) -> Result<Image, OciError> {
        let one = |blobs: &[Blob], artifact_type| match blobs {
            [blob] => Ok(*blob),
            _ => Err(OciError::Referrers { image: self.manifest.digest, artifact_type, count: blobs.len() }),
        };
        Ok(Image {
            manifest: self.manifest,
            component: self.component,
            package_manifest: one(&self.package_manifests, PACKAGE_MANIFEST)?,
            signatures: one(&self.signatures, SIGNATURES)?,
        })
    }
}
