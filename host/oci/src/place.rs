//! Where the images of one package are, in a registry or in a layout.

use std::io;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use vak_types::Digest;

use crate::document::Descriptor;
use crate::error::OciError;
use crate::image::Blob;
use crate::layout::Layout;
use crate::registry::Repository;

pub(crate) enum Place<'a> {
    Registry(Repository<'a>),
    Layout { layout: Arc<Layout>, name: String },
}

impl Place<'_> {
    pub(crate) async fn fetch(&self, blob: Blob, part: &Path) -> Result<Bytes, OciError> {
        match self {
            Self::Registry(repository) => repository.fetch(blob, part).await,
            Self::Layout { layout, .. } => on_disk(layout, move |layout| layout.blob(blob)).await,
        }
    }

    pub(crate) async fn put(&self, bytes: Bytes) -> Result<(), OciError> {
        match self {
            Self::Registry(repository) => repository.put(&bytes).await,
            Self::Layout { layout, .. } => on_disk(layout, move |layout| layout.put(&bytes)).await,
        }
    }

    pub(crate) async fn manifest(&self, digest: Digest) -> Result<Bytes, OciError> {
        match self {
            Self::Registry(repository) => repository.manifest(digest).await,
            Self::Layout { layout, .. } => on_disk(layout, move |layout| layout.manifest(digest)).await,
        }
    }

    pub(crate) async fn put_manifest(&self, bytes: Bytes) -> Result<(), OciError> {
        match self {
            Self::Registry(repository) => repository.put_manifest(&Digest::of(&bytes).to_string(), &bytes).await,
            Self::Layout { .. } => self.put(bytes).await,
        }
    }

    pub(crate) async fn tagged(&self, tag: &str) -> Result<Option<Bytes>, OciError> {
        match self {
            Self::Registry(repository) => repository.tagged(tag).await,
            Self::Layout { layout, name } => {
                let name = format!("{name}:{tag}");
                on_disk(layout, move |layout| layout.named(&name)).await
            }
        }
    }

    /// Puts a tag on a manifest that is there.
    pub(crate) async fn tag(&self, tag: &str, bytes: Bytes) -> Result<(), OciError> {
        match self {
            Self::Registry(repository) => repository.put_manifest(tag, &bytes).await,
            Self::Layout { layout, name } => {
                let name = format!("{name}:{tag}");
                on_disk(layout, move |layout| layout.name(&name, Blob::of(&bytes))).await
            }
        }
    }

    pub(crate) async fn refer(&self, subject: Digest, manifests: Vec<(Descriptor, Bytes)>) -> Result<(), OciError> {
        match self {
            Self::Registry(repository) => repository.refer(subject, &manifests).await,
            Self::Layout { layout, .. } => on_disk(layout, move |layout| layout.refer(subject, &manifests)).await,
        }
    }

    pub(crate) async fn referrers(&self, subject: Digest) -> Result<Vec<Descriptor>, OciError> {
        match self {
            Self::Registry(repository) => repository.referrers(subject).await,
            Self::Layout { layout, .. } => on_disk(layout, move |layout| layout.referrers(subject)).await,
        }
    }
}

/// Disks keep nobody waiting who waits for a network.
async fn on_disk<T: Send + 'static>(
    layout: &Arc<Layout>,
    work: impl FnOnce(&Layout) -> Result<T, OciError> + Send + 'static,
) -> Result<T, OciError> {
    let layout = Arc::clone(layout);
    let done = tokio::task::spawn_blocking(move || work(&layout)).await;
    done.unwrap_or_else(|error| Err(OciError::Io { path: "".into(), source: io::Error::other(error) }))
}
