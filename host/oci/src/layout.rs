//! A folder with an OCI image layout: `oci-layout`, `index.json` and blobs by
//! digest. An image has the name `NAME:TAG` there. What refers to an image is
//! listed in an index with the name that the distribution specification gives to a
//! tag for that, so that whatever copies tags to a registry copies it too.

use std::path::PathBuf;

use bytes::Bytes;
use serde::Deserialize;
use vak_types::Digest;

use crate::document::{self, Descriptor, INDEX, ImageIndex, MANIFEST};
use crate::error::OciError;
use crate::folder::Folder;
use crate::image::Blob;
use crate::registry::fallback;

/// Largest `index.json`, in bytes: some ten thousands of images.
const INDEX_BYTES_MAX: u64 = 32 << 20;

const VERSION: &str = "1.0.0";
const VERSION_FILE: &str = "oci-layout";
const INDEX_FILE: &str = "index.json";

pub(crate) struct Layout {
    path: PathBuf,
}

impl Layout {
    pub(crate) fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// The folder, if there is a layout.
    fn open(&self) -> Result<Option<Folder>, OciError> {
        let Some(folder) = Folder::open(&self.path)? else { return Ok(None) };
        Ok(self.is_layout(&folder)?.then_some(folder))
    }

    fn is_layout(&self, folder: &Folder) -> Result<bool, OciError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Version {
            image_layout_version: String,
        }
        let what = || format!("`{}`", self.path.join(VERSION_FILE).display());
        let Some(bytes) = folder.read(VERSION_FILE, document::BYTES_MAX)? else { return Ok(false) };
        let version: Version = serde_json::from_slice(&bytes)
            .map_err(|error| OciError::Malformed { what: what(), why: error.to_string() })?;
        match version.image_layout_version == VERSION {
            true => Ok(true),
            false => Err(OciError::Malformed { what: what(), why: format!("it is not of the version {VERSION}") }),
        }
    }

    /// The folder, made where it is missing, for whoever writes.
    fn make(&self) -> Result<Folder, OciError> {
        let folder = Folder::make(&self.path)?;
        if !self.is_layout(&folder)? {
            folder.replace(VERSION_FILE, format!("{{\"imageLayoutVersion\":\"{VERSION}\"}}").as_bytes())?;
        }
        Ok(folder)
    }

    /// A blob that is there and is right.
    pub(crate) fn blob(&self, blob: Blob) -> Result<Bytes, OciError> {
        let Blob { digest, size } = blob;
        let what = digest.to_string();
        let bytes = match self.open()? {
            Some(folder) => read_blob(&folder, digest, size)?,
            None => None,
        };
        let bytes = bytes.ok_or_else(|| OciError::NotFound(what.clone()))?;
        match bytes.len() as u64 == size {
            true => Ok(bytes.into()),
            false => Err(OciError::TooShort { what, expected: size, actual: bytes.len() as u64 }),
        }
    }

    pub(crate) fn manifest(&self, digest: Digest) -> Result<Bytes, OciError> {
        let bytes = match self.open()? {
            Some(folder) => read_blob(&folder, digest, document::BYTES_MAX)?,
            None => None,
        };
        bytes.map(Bytes::from).ok_or_else(|| OciError::NotFound(digest.to_string()))
    }

    /// Writes a blob, and anew where what is there is damaged.
    pub(crate) fn put(&self, bytes: &[u8]) -> Result<(), OciError> {
        put(&self.make()?, bytes)
    }

    /// What has the name `name`.
    pub(crate) fn named(&self, name: &str) -> Result<Option<Bytes>, OciError> {
        let Some(folder) = self.open()? else { return Ok(None) };
        read_named(&folder, &read_index(&folder)?, name)
    }

    /// Gives the name to a manifest that is there.
    pub(crate) fn name(&self, name: &str, manifest: Blob) -> Result<(), OciError> {
        let folder = self.make()?;
        folder.lock()?;
        let mut index = read_index(&folder)?;
        index.set_named(name, Descriptor::new(MANIFEST, manifest));
        folder.replace(INDEX_FILE, &index.to_bytes())
    }

    /// Adds manifests to what refers to an image.
    pub(crate) fn refer(&self, subject: Digest, manifests: &[(Descriptor, Bytes)]) -> Result<(), OciError> {
        let (folder, name) = (self.make()?, fallback(subject));
        folder.lock()?;
        let mut all = read_index(&folder)?;
        let listed = read_named(&folder, &all, &name)?;
        let mut listed = listed.map(|bytes| ImageIndex::parse(&bytes)).transpose()?.unwrap_or_default();
        for (_, bytes) in manifests {
            put(&folder, bytes)?;
        }
        if manifests.iter().filter(|(descriptor, _)| listed.add(descriptor)).count() == 0 {
            return Ok(());
        }
        let listed = listed.to_bytes();
        put(&folder, &listed)?;
        all.set_named(&name, Descriptor::new(INDEX, Blob::of(&listed)));
        folder.replace(INDEX_FILE, &all.to_bytes())
    }

    pub(crate) fn referrers(&self, subject: Digest) -> Result<Vec<Descriptor>, OciError> {
        self.named(&fallback(subject))?.map_or(Ok(Vec::new()), |bytes| ImageIndex::parse(&bytes)?.ours())
    }
}

fn blobs(folder: &Folder) -> Result<Option<Folder>, OciError> {
    folder.child("blobs")?.map_or(Ok(None), |blobs| blobs.child("sha256"))
}

fn read_blob(folder: &Folder, digest: Digest, bytes_max: u64) -> Result<Option<Vec<u8>>, OciError> {
    let Some(blobs) = blobs(folder)? else { return Ok(None) };
    let Some(bytes) = blobs.read(&digest.to_hex(), bytes_max)? else { return Ok(None) };
    match Digest::of(&bytes) {
        actual if actual == digest => Ok(Some(bytes)),
        actual => Err(OciError::WrongDigest { what: digest.to_string(), expected: digest, actual }),
    }
}

fn put(folder: &Folder, bytes: &[u8]) -> Result<(), OciError> {
    let Blob { digest, size } = Blob::of(bytes);
    match read_blob(folder, digest, size) {
        Ok(Some(_)) => return Ok(()),
        Ok(None) | Err(OciError::WrongDigest { .. } | OciError::TooLarge { .. }) => {}
        Err(error) => return Err(error),
    }
    folder.make_child("blobs")?.make_child("sha256")?.replace(&digest.to_hex(), bytes)
}

fn read_index(folder: &Folder) -> Result<ImageIndex, OciError> {
    folder
        .read(INDEX_FILE, INDEX_BYTES_MAX)?
        .map_or_else(|| Ok(ImageIndex::default()), |bytes| ImageIndex::parse(&bytes))
}

fn read_named(folder: &Folder, index: &ImageIndex, name: &str) -> Result<Option<Bytes>, OciError> {
    let Some(descriptor) = index.named(name).transpose()? else { return Ok(None) };
    let bytes = read_blob(folder, descriptor.digest, document::BYTES_MAX)?;
    bytes.map(|bytes| Some(bytes.into())).ok_or_else(|| OciError::NotFound(descriptor.digest.to_string()))
}
