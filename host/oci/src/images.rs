//! Images in one place: pushed, fetched, looked at and copied.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use semver::Version;
use vak_types::{Digest, Name};

use crate::component;
use crate::document::{
    self, COMPONENT_BYTES_MAX, Descriptor, ImageManifest, MANIFEST, NOTHING, PACKAGE_MANIFEST, REFERRER_BYTES_MAX,
    Referrer, SIGNATURES,
};
use crate::error::OciError;
use crate::image::{Blob, Image, Listing, Parts};
use crate::layout::Layout;
use crate::location::{Location, is_repository};
use crate::place::Place;
use crate::registry::Registry;
use crate::settings::Settings;

/// What to do about a version whose tag is on another image already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tagged {
    /// Refuse: a version is published once.
    Keep,
    /// Put the tag on the new image.
    Move,
}

/// The images of one place. All calls end within the limits of the settings.
pub struct Images(Kind);

enum Kind {
    Registry(Box<Registry>),
    Layout(Arc<Layout>),
}

const READ: &str = "pull";
const WRITE: &str = "pull,push";

impl Images {
    /// Those at `location`. Nothing is asked or read yet; of the settings only a
    /// registry has use.
    ///
    /// # Errors
    /// The settings are not usable.
    pub fn open(location: &Location, settings: Settings) -> Result<Self, OciError> {
        Ok(Self(match location {
            Location::Registry(url) => Kind::Registry(Box::new(Registry::new(url, settings)?)),
            Location::Layout(path) => Kind::Layout(Arc::new(Layout::at(path.clone()))),
        }))
    }

    fn place(&self, name: &Name, rights: &str) -> Result<Place<'_>, OciError> {
        if !is_repository(name.as_str()) {
            return Err(OciError::Name(name.to_string()));
        }
        Ok(match &self.0 {
            Kind::Registry(registry) => Place::Registry(registry.repository(name.as_str(), rights)),
            Kind::Layout(layout) => Place::Layout { layout: Arc::clone(layout), name: name.to_string() },
        })
    }

    async fn within<T>(&self, call: impl Future<Output = Result<T, OciError>>) -> Result<T, OciError> {
        match &self.0 {
            Kind::Registry(registry) => registry.http.within(call).await,
            Kind::Layout(_) => call.await,
        }
    }

    /// Publishes a package as an image with the version as its tag, and what
    /// refers to it. The same bytes give the same image, and what is there
    /// already is left alone. The tag comes last.
    ///
    /// Registries cannot refuse a tag by themselves: of two who push different
    /// images of a version at the same moment, at least one is told.
    ///
    /// # Errors
    /// It is no component, the tag is on another image, or the place does not take
    /// it. Parts of it may be there then, without the tag.
    pub async fn push(&self, name: &Name, version: &Version, parts: &Parts, tagged: Tagged) -> Result<Image, OciError> {
        let component = Blob::of(&parts.component);
        let config: Bytes = component::config(&parts.component, component.digest)?.into();
        let manifest = ImageManifest { config: Blob::of(&config), component }.to_bytes().into();
        self.within(self.publish(name, version, parts, config, manifest, tagged)).await
    }

    async fn publish(
        &self,
        name: &Name,
        version: &Version,
        parts: &Parts,
        config: Bytes,
        manifest: Bytes,
        tagged: Tagged,
    ) -> Result<Image, OciError> {
        let Parts { component, manifest: package_manifest, signatures } = parts;
        for (what, bytes, bytes_max) in [
            ("the component", component, COMPONENT_BYTES_MAX),
            ("the component's description", &config, document::BYTES_MAX),
            ("the package's manifest", package_manifest, REFERRER_BYTES_MAX),
            ("the signature file", signatures, REFERRER_BYTES_MAX),
        ] {
            if bytes.len() as u64 > bytes_max {
                return Err(OciError::TooLarge { what: what.to_owned(), bytes_max });
            }
        }
        let (place, tag, image) = (self.place(name, WRITE)?, tag_of(version)?, Blob::of(&manifest));
        let moved = |present: Option<Bytes>| match present.map(|bytes| Digest::of(&bytes)) {
            Some(present) if present != image.digest => {
                Err(OciError::Moved { tag: format!("{name}:{tag}"), present, pushed: image.digest })
            }
            present => Ok(present.is_some()),
        };
        let mut there = match (moved(place.tagged(&tag).await?), tagged) {
            (Err(OciError::Moved { .. }), Tagged::Move) => false,
            (there, _) => there?,
        };
        for blob in [component, &config, package_manifest, signatures, &Bytes::from_static(NOTHING)] {
            place.put(blob.clone()).await?;
        }
        place.put_manifest(manifest.clone()).await?;
        let refer = |artifact_type: &str, content: &Bytes| {
            let bytes = Referrer { subject: image, content: Blob::of(content) }.to_bytes(artifact_type);
            let mut descriptor = Descriptor::new(MANIFEST, Blob::of(&bytes));
            descriptor.artifact_type = Some(artifact_type.to_owned());
            (descriptor, Bytes::from(bytes))
        };
        let referrers = vec![refer(PACKAGE_MANIFEST, package_manifest), refer(SIGNATURES, signatures)];
        place.refer(image.digest, referrers).await?;
        if !there {
            place.tag(&tag, manifest).await?;
            there = moved(place.tagged(&tag).await?)?;
        }
        if !there {
            return Err(OciError::NotFound(format!("`{name}:{tag}`, which was just pushed,")));
        }
        Ok(Image {
            manifest: image,
            component: Blob::of(component),
            package_manifest: Blob::of(package_manifest),
            signatures: Blob::of(signatures),
        })
    }

    /// The bytes of a blob, which are those of its digest and no more than its
    /// size. What came of it before a cut is kept in the file `part`, which is
    /// gone when the blob is whole, and whoever fetches into the same file waits.
    ///
    /// # Errors
    /// It is not to be had, or has other bytes.
    pub async fn fetch(&self, name: &Name, blob: Blob, part: &Path) -> Result<Bytes, OciError> {
        let place = self.place(name, READ)?;
        self.within(place.fetch(blob, part)).await
    }

    /// The digest of the image that a version's tag is on, if there is one. Tags
    /// can be moved by whoever may push.
    ///
    /// # Errors
    /// The place cannot be read.
    pub async fn tag(&self, name: &Name, version: &Version) -> Result<Option<Digest>, OciError> {
        let (place, tag) = (self.place(name, READ)?, tag_of(version)?);
        Ok(self.within(place.tagged(&tag)).await?.map(|bytes| Digest::of(&bytes)))
    }

    /// What is said of an image in its manifest and in what refers to it.
    ///
    /// # Errors
    /// It is not there, or a document is malformed.
    pub async fn image(&self, name: &Name, digest: Digest) -> Result<Listing, OciError> {
        let place = self.place(name, READ)?;
        self.within(list(&place, digest)).await
    }

    /// Copies an image whose blobs are known to another place, byte for byte.
    /// What is on its way lies in the folder `parts`.
    ///
    /// # Errors
    /// It is not to be had here, or not taken there.
    pub async fn copy(
        &self,
        name: &Name,
        version: &Version,
        image: &Image,
        to: &Self,
        parts: &Path,
    ) -> Result<(), OciError> {
        let from = self.place(name, READ)?;
        let manifest = self.within(from.manifest(image.manifest.digest)).await?;
        let ImageManifest { config, component } = ImageManifest::parse(&manifest)?;
        if component != image.component {
            return Err(OciError::WrongDigest {
                what: format!("the component of the image {}", image.manifest.digest),
                expected: image.component.digest,
                actual: component.digest,
            });
        }
        let fetch =
            async |blob: Blob| self.fetch(name, blob, &parts.join(format!("{}.part", blob.digest.to_hex()))).await;
        let config = fetch(config).await?;
        let parts = Parts {
            component: fetch(image.component).await?,
            manifest: fetch(image.package_manifest).await?,
            signatures: fetch(image.signatures).await?,
        };
        to.within(to.publish(name, version, &parts, config, manifest, Tagged::Keep)).await.map(|_| ())
    }
}

async fn list(place: &Place<'_>, digest: Digest) -> Result<Listing, OciError> {
    let manifest = place.manifest(digest).await?;
    let ImageManifest { component, .. } = ImageManifest::parse(&manifest)?;
    let manifest = Blob::of(&manifest);
    let mut listing = Listing { manifest, component, package_manifests: Vec::new(), signatures: Vec::new() };
    for descriptor in place.referrers(digest).await? {
        let bytes = place.manifest(descriptor.digest).await?;
        let artifact_type = descriptor.artifact_type.as_deref().unwrap_or_default();
        let Referrer { subject, content } = Referrer::parse(&bytes, artifact_type)?;
        if subject != manifest {
            let what = format!("what is said to refer to {digest}");
            return Err(OciError::Malformed {
                what,
                why: format!("{} refers to {}", descriptor.digest, subject.digest),
            });
        }
        match artifact_type {
            SIGNATURES => listing.signatures.push(content),
            _ => listing.package_manifests.push(content),
        }
    }
    Ok(listing)
}

/// A version as a tag, which cannot have a plus. No version has an underscore.
fn tag_of(version: &Version) -> Result<String, OciError> {
    let tag = version.to_string().replace('+', "_");
    match tag.len() <= 128 {
        true => Ok(tag),
        false => Err(OciError::Version(tag)),
    }
}
