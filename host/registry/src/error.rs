//! Why something could not be read from the store, or put there.

use std::path::PathBuf;

use vak_trust::{ManifestError, TrustError};
use vak_types::{Digest, Name};

use crate::change::Change;
use crate::withdrawals::{Revoked, Withdrawal};
use crate::withdrawn::By;

/// Why the store could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file or folder could not be read or written.
    #[error("the store, at `{}`: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A link or something else that the store did not put there.
    #[error("the store, at `{}`: this is not a {what}, or a link to one, which the store never has; remove it", path.display())]
    NotPlain {
        /// Where it is.
        path: PathBuf,
        /// What should be there.
        what: &'static str,
    },
    /// A file larger than any such file.
    #[error("the store, at `{}`: larger than {bytes_max} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most it may have.
        bytes_max: u64,
    },
    /// Others than its owner may change a folder of the store.
    #[error("the store's folder `{}` has mode {mode:04o}, so others could change it; run `chmod 700` on it", path.display())]
    Exposed {
        /// The folder.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A folder belongs to somebody else.
    #[error("the store's folder `{}` belongs to user {owner}; only you or root may own it", path.display())]
    Owner {
        /// The folder.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
    },
    /// Another process keeps the store for itself.
    #[error("another process has the store `{}` locked for {seconds} s now; wait for it or end it", path.display())]
    Busy {
        /// The store.
        path: PathBuf,
        /// How long this one waited.
        seconds: u64,
    },
    /// There is no package of this name.
    #[error("no package `{0}` is installed; run `vak install FILE`")]
    NotInstalled(Name),
    /// What is there is not what was installed.
    #[error("the installed package `{name}` is damaged: {damage}; run `vak remove {name}` and install it again")]
    Damaged {
        /// The package.
        name: Name,
        /// What is wrong with it.
        damage: Damage,
    },
    /// What a marketplace withdrew is not known: nothing may be loaded.
    #[error("what marketplace `{marketplace}` withdrew is damaged: {damage}; get its list again")]
    Withdrawals {
        /// The marketplace.
        marketplace: Name,
        /// What is wrong with its record.
        damage: Damage,
    },
    /// Something among the records of marketplaces is none.
    #[error("the store, at `{}`: this is no record of what a marketplace withdrew; remove it", path.display())]
    Stray {
        /// Where it is.
        path: PathBuf,
    },
    /// More of something than a store keeps.
    #[error("{count} {what} are more than the {most} that the store keeps")]
    TooMany {
        /// What there are too many of.
        what: &'static str,
        /// How many there are.
        count: usize,
        /// The most.
        most: usize,
    },
}

/// What is wrong with an installed package.
#[derive(Debug, thiserror::Error)]
pub enum Damage {
    /// A file of it is none that the store put there.
    #[error("{0}")]
    File(Box<StoreError>),
    /// Its record is not one.
    #[error("its record is not valid: {0}")]
    Record(#[from] serde_json::Error),
    /// Its record is of a format that is not known here.
    #[error("its record has the format {0}, which this version does not know")]
    Format(u32),
    /// Its record is written as the store never writes one.
    #[error("its record is not in canonical form")]
    NotCanonical,
    /// Its record is that of another.
    #[error("its record is of `{0}`")]
    OtherName(Name),
    /// A file of it is gone.
    #[error("`{0}` is missing")]
    Missing(Digest),
    /// A file of it has other bytes now.
    #[error("what is stored as `{expected}` is `{found}`")]
    Changed {
        /// The digest it is stored under.
        expected: Digest,
        /// The digest it has.
        found: Digest,
    },
    /// Its manifest is not valid.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// Its manifest is of another package or version than its record says.
    #[error("its manifest is of `{name}` {version}")]
    OtherManifest {
        /// What the manifest says.
        name: Name,
        /// Likewise.
        version: semver::Version,
    },
}

/// Why a package was not installed. The store is as it was.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// It is not trusted.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// Its name could be taken for another.
    #[error(
        "the name `{name}` reads like that of the installed package `{like}`; remove that one first if you want this one"
    )]
    ReadsLike {
        /// Its name.
        name: Name,
        /// The installed one.
        like: Name,
    },
    /// It would replace another version and nobody agreed to that.
    #[error("`{}` was not replaced: {}", _0.name, _0.concerns_in_words())]
    NotAgreed(Box<Change>),
    /// A marketplace withdrew it.
    #[error("{0}; choose another version")]
    Withdrawn(Box<By<Withdrawal>>),
    /// A marketplace revoked a key that it takes.
    #[error("{0}; without that key too few have signed it")]
    KeyRevoked(Box<By<Revoked>>),
    /// The store can't be read or changed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
