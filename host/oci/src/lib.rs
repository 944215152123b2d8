//! Packages in registries of OCI and in folders with an OCI image layout.
//!
//! A component is an image with one layer, as `wkg` writes and reads it. The
//! package's manifest and its signatures refer to the image. This crate moves
//! bytes: whatever is fetched is known by digest and size before, and whose
//! signatures count is for others to say.
//!
//! ```
//! use vak_oci::{Images, Location, Parts, Settings, Tagged};
//!
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("images");
//! let location: Location = format!("oci:{}", path.display()).parse()?; // or https://registry.example/vak
//! let images = Images::open(&location, Settings::default())?;
//! let parts = Parts {
//!     component: wat::parse_str("(component)")?.into(),
//!     manifest: "{}".into(),
//!     signatures: "{}".into(),
//! };
//! let (name, version) = ("rules".parse()?, "0.1.0".parse()?);
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
//! # runtime.block_on(async {
//! let image = images.push(&name, &version, &parts, Tagged::Keep).await?;
//! let part = folder.path().join("component.part");
//! assert_eq!(images.fetch(&name, image.component, &part).await?, parts.component);
//! assert_eq!(images.image(&name, image.manifest.digest).await?.only()?, image);
//! # Ok::<(), vak_oci::OciError>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

mod body;
mod challenge;
mod component;
mod document;
mod error;
mod folder;
mod http;
mod image;
mod images;
mod layout;
mod location;
mod partial;
mod place;
mod registry;
mod settings;
mod tls;

pub use challenge::{Challenge, token};
pub use document::{ImageIndex, ImageManifest, Referrer};
pub use error::OciError;
pub use image::{Blob, Image, Listing, Parts};
pub use images::{Images, Tagged};
pub use location::{Location, LocationError, RegistryUrl};
pub use settings::{Credentials, Limits, Settings};
