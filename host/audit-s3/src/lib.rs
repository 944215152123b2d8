//! The audit log in an S3 bucket: uploaded while it is written, archived, asked
//! for a time, and restored.
//!
//! A log is written to disk first, so that a commit waits for no network; an
//! [`S3Store`] uploads what is durable there, or, in a process that needs no
//! private key, [`Following`]. In the bucket are the tiles of C2SP
//! tlog-tiles for any verifier, compressed segments for an archive, and the
//! checkpoint, which moves on only from where this writer left it. Nothing else is
//! written twice. [`S3Source`] reads a log there as if it lay on disk. `FORMAT.md`
//! of `vak-audit` describes every object.
//!
//! ```no_run
//! use std::path::Path;
//!
//! use vak_audit::{Expected, FileStore, Log, Options, Origin, Signer, verify_all};
//! use vak_audit_s3::{Bucket, Credentials, Location, S3Source, S3Store};
//!
//! let location = Location {
//!     bucket: "example-audit".to_owned(),
//!     prefix: "host-1".to_owned(),
//!     region: "eu-central-1".to_owned(),
//!     endpoint: None,
//! };
//! let bucket = Bucket::new(location, Credentials::from_environment()?, vak_audit_s3::Options::default())?;
//! let origin: Origin = "example.org/audit".parse()?;
//! let signer = Signer::new(origin.clone(), &[7; 32]);
//! let key = signer.verifier().clone();
//!
//! let store = S3Store::new(Box::new(FileStore::open(Path::new("audit"))?), bucket.clone());
//! let uploads = store.uploads();
//! let log = Log::open(Box::new(store), origin.clone(), signer, &Options::default())?;
//! log.close()?;
//! assert_eq!(uploads.stopped(), None);
//!
//! let expected = Expected { origin: &origin, key: &key, trusted: None, witnesses: None, range: None };
//! verify_all(&S3Source::open(bucket)?, &expected, |_, _| ())?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

mod archive;
mod bucket;
mod client;
mod config;
mod error;
mod fence;
mod follow;
mod layout;
mod names;
mod pinned;
mod query;
mod restore;
mod retry;
mod segment;
mod ship;
mod source;
mod store;
mod uploader;
mod versions;

pub use archive::archive;
pub use bucket::Bucket;
pub use config::{Credentials, Encryption, Location, Lock, LockMode, Options};
pub use error::S3Error;
pub use follow::{ArchiveLock, Following};
pub use query::query;
pub use restore::restore;
pub use source::S3Source;
pub use store::S3Store;
pub use uploader::Uploads;
