//! An index as its readers have it.

use std::path::PathBuf;

use vak_types::Name;

use crate::catalogue::Catalogue;
use crate::entry::Entry;
use crate::files::{
    HEADER, Header, PUBLISHERS, Publishers, Shard, WITHDRAWN, WithdrawnList, catalogue_file, json, packages_file,
};
use crate::replica::{IndexError, Replica, Signed};
use crate::source::Source;

/// The lines of all packages in one file, for searches. Derived from the rest.
const LINES: &str = "catalogue.jsonl";

/// A marketplace as an operator knows it: where its index is, and whose root
/// counts.
#[derive(Debug, Clone)]
pub struct Marketplace {
    name: Name,
    source: Source,
    root: Vec<u8>,
    replica: Replica,
}

/// What a marketplace says in one moment, verified.
#[derive(Debug)]
pub struct Index {
    signed: Signed,
    header: Header,
}

/// What a refresh did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refreshed {
    /// Nothing is new.
    Unchanged,
    /// Something is.
    Changed,
}

impl Marketplace {
    /// The marketplace `name`, whose copy is kept in `folder`. Everything it says
    /// is verified from `root` on, the bytes of a TUF root.
    pub fn new(name: Name, source: Source, root: Vec<u8>, folder: PathBuf) -> Self {
        Self { name, source, root, replica: Replica::at(folder) }
    }

    /// What it is called.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Asks what is new, and keeps it: the catalogue, and what was withdrawn. One
    /// request if nothing is.
    ///
    /// # Errors
    /// It cannot be reached, or what it says is not accepted; the copy stays as it
    /// is.
    pub async fn refresh(&self) -> Result<Refreshed, IndexError> {
        let _lock = self.replica.lock()?;
        let Some(signed) = self.replica.renewed(&self.root, &self.source).await? else {
            return Ok(Refreshed::Unchanged);
        };
        let index = Index::read(signed, Some(&self.name)).await?;
        index.withdrawn().await?;
        let lines = index.lines().await?;
        self.replica.write(LINES, &lines)?;
        self.replica.accept(&index.signed)?;
        Ok(Refreshed::Changed)
    }

    /// Has the whole index here, so that this copy is one that others can read:
    /// a mirror.
    ///
    /// # Errors
    /// As for [`Self::refresh`] and [`Self::index`].
    pub async fn mirror(&self) -> Result<Index, IndexError> {
        self.refresh().await?;
        let index = self.index().await?;
        for (name, _) in index.signed.targets() {
            index.signed.target(name).await?;
        }
        Ok(index)
    }

    /// What it says, as far as it is known here. What is needed of it and not
    /// here is fetched.
    ///
    /// # Errors
    /// Nothing is known yet, or it has expired or is damaged.
    pub async fn index(&self) -> Result<Index, IndexError> {
        let _lock = self.replica.lock()?;
        let signed = self.replica.signed(&self.root, &self.source).await?;
        Index::read(signed, Some(&self.name)).await
    }

    /// What can be searched without asking anybody: what the last refresh left.
    /// Nobody verifies it again, so it is for the eye: what is installed is
    /// looked up in the index.
    ///
    /// # Errors
    /// There was no refresh yet.
    pub fn catalogue(&self) -> Result<Catalogue, IndexError> {
        self.replica.read(LINES)?.map(Catalogue::new).ok_or(IndexError::NoCopy)
    }
}

impl Index {
    /// What lies in a folder, which has its own root. For who publishes it: it
    /// may have expired.
    ///
    /// # Errors
    /// It is no index, or signed by somebody else than its root says.
    pub async fn of_folder(folder: &std::path::Path) -> Result<Self, IndexError> {
        Self::read(Signed::of_folder(folder).await?, None).await
    }

    async fn read(signed: Signed, name: Option<&Name>) -> Result<Self, IndexError> {
        let header = Header::read(&signed.target(HEADER).await?)?;
        match name {
            Some(expected) if *expected != header.name => {
                Err(IndexError::OtherName { found: header.name, expected: expected.clone() })
            }
            _ => Ok(Self { signed, header }),
        }
    }

    /// What the marketplace says of itself.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Until when it may be believed without asking again.
    pub fn expires(&self) -> jiff::Timestamp {
        self.signed.expires()
    }

    pub(crate) fn signed(&self) -> &Signed {
        &self.signed
    }

    /// A package.
    ///
    /// # Errors
    /// The part of the index in which it would be is not to be had or malformed.
    pub async fn entry(&self, name: &Name) -> Result<Option<Entry>, IndexError> {
        let mut shard = self.shard(self.header.shard_of(name)).await?;
        Ok(shard.packages.remove(name))
    }

    /// All packages. Reads the whole index.
    ///
    /// # Errors
    /// A part of it is not to be had or malformed.
    pub async fn entries(&self) -> Result<Vec<Entry>, IndexError> {
        let mut entries = Vec::new();
        for number in 0..self.header.shards {
            entries.extend(self.shard(number).await?.packages.into_values());
        }
        entries.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        Ok(entries)
    }

    /// All packages, one after the other and in no order, so that they need not be
    /// in memory at the same time.
    ///
    /// # Errors
    /// A part of the index is not to be had or malformed.
    pub async fn visit(&self, mut each: impl FnMut(Entry)) -> Result<(), IndexError> {
        for number in 0..self.header.shards {
            self.shard(number).await?.packages.into_values().for_each(&mut each);
        }
        Ok(())
    }

    pub(crate) async fn shard(&self, number: u32) -> Result<Shard, IndexError> {
        let bytes = self.signed.target(&packages_file(number)).await?;
        Ok(Shard::read(number, &bytes, &self.header)?)
    }

    /// Who may publish.
    ///
    /// # Errors
    /// The file is not to be had or malformed.
    pub async fn publishers(&self) -> Result<Publishers, IndexError> {
        Ok(json(PUBLISHERS, &self.signed.target(PUBLISHERS).await?)?)
    }

    /// What must not run any more.
    ///
    /// # Errors
    /// The file is not to be had or malformed.
    pub async fn withdrawn(&self) -> Result<WithdrawnList, IndexError> {
        Ok(json(WITHDRAWN, &self.signed.target(WITHDRAWN).await?)?)
    }

    /// What can be searched.
    ///
    /// # Errors
    /// A part of it is not to be had.
    pub async fn catalogue(&self) -> Result<Catalogue, IndexError> {
        Ok(Catalogue::new(self.lines().await?))
    }

    async fn lines(&self) -> Result<Vec<u8>, IndexError> {
        let mut lines = Vec::new();
        for number in 0..self.header.catalogues() {
            lines.extend(self.signed.target(&catalogue_file(number)).await?);
        }
        Ok(lines)
    }
}
