//! A marketplace of signed packages, of which nobody has to trust the server or
//! the network.
#![forbid(unsafe_code)]

mod catalogue;
mod edit;
mod entry;
mod fetch;
mod files;
mod index;
mod lock;
mod publish;
mod replica;
mod repository;
mod source;

pub use catalogue::{Catalogue, Found, Line};
pub use edit::Edit;
pub use entry::{Advisory, Entry, EntryError, Release, Severity, Withdrawn};
pub use fetch::FetchError;
pub use files::{FileError, Header, Publisher, Publishers, WithdrawnComponent, WithdrawnList};
pub use index::{Index, Marketplace, Refreshed};
pub use lock::{Lock, LockError, Locked};
pub use publish::{PublishError, Published};
pub use replica::IndexError;
pub use repository::{Edited, Repository, RepositoryError};
pub use source::{ClientError, Location, LocationError, Source};
