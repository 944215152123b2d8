//! A marketplace of signed packages, of which nobody has to trust the server or
//! the network.
#![forbid(unsafe_code)]

mod catalogue;
mod entry;
mod files;
mod index;
mod replica;
mod source;

pub use catalogue::{Catalogue, Found, Line};
pub use entry::{Advisory, Blob, Entry, EntryError, How, Release, Severity, Withdrawn};
pub use files::{FileError, Header, Publisher, Publishers, WithdrawnComponent, WithdrawnList};
pub use index::{Index, Marketplace, Refreshed};
pub use replica::IndexError;
pub use source::{ClientError, Location, LocationError, Source};
