//! A marketplace of signed packages, of which nobody has to trust the server or
//! the network.
#![forbid(unsafe_code)]

mod catalogue;
mod edit;
mod entry;
mod files;
mod index;
mod replica;
mod repository;
mod source;

pub use catalogue::{Catalogue, Found, Line};
pub use edit::Edit;
pub use entry::{Advisory, Blob, Entry, EntryError, Release, Severity, Withdrawn};
pub use files::{FileError, Header, Publisher, Publishers, WithdrawnComponent, WithdrawnList};
pub use index::{Index, Marketplace, Refreshed};
pub use replica::IndexError;
pub use repository::{Edited, Repository, RepositoryError};
pub use source::{ClientError, Location, LocationError, Source};
