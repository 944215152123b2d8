//! What can be done with a store.

use std::path::{Path, PathBuf};

use semver::Version;
use vak_trust::{Component, Package, TrustPolicy, Unsigned, Verified};
use vak_types::{Digest, Name, Timestamp};

use crate::change::{Change, Concern};
use crate::error::{InstallError, StoreError};
use crate::folder::Folder;
use crate::locked::{self, Reading, Writing};
use crate::lookalike::reads_like;
use crate::record::Record;
use crate::withdrawals::{Withdrawals, record_of};
use crate::withdrawn::{Records, WITHDRAWN, Withdrawn};

/// Installed packages in a folder.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
}

/// What an installation did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing had this name.
    New,
    /// It replaced this version.
    Replaced(Version),
    /// It was there already.
    Unchanged,
}

impl Store {
    /// The store in the folder `root`, which is made by the first installation.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// The names of all that is installed, in their order.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn list(&self) -> Result<Vec<Name>, StoreError> {
        match Folder::open(&self.root)? {
            Some(root) => Reading::lock(&root)?.names(),
            None => Ok(Vec::new()),
        }
    }

    /// The installed package `name`: the bytes that were installed, by their
    /// digests. Whether they are trusted is for [`TrustPolicy::verify`] to say,
    /// now and not when they were installed.
    ///
    /// # Errors
    /// It is not installed, or what is stored is not what was.
    pub fn get(&self, name: &Name) -> Result<Package, StoreError> {
        let missing = || StoreError::NotInstalled(name.clone());
        let reading = Reading::lock(&Folder::open(&self.root)?.ok_or_else(missing)?)?;
        let record = reading.record(name)?.ok_or_else(missing)?;
        reading.package(&record)
    }

    /// The file that is replaced when another version of `name` is installed, and
    /// removed with it.
    pub fn record_path(&self, name: &Name) -> PathBuf {
        self.root.join(locked::NAMES).join(locked::file_of(name))
    }

    /// Verifies `package` and installs it under the name of its manifest.
    /// `consent` is asked when that would replace a version in a way somebody has
    /// to agree to; the store is not locked meanwhile.
    ///
    /// What is there stays until the new version is whole and on disk. Whenever
    /// this is interrupted, one of the two is installed.
    ///
    /// # Errors
    /// It is withdrawn or not trusted, its name reads like that of another, nobody agreed, or
    /// the store cannot be changed.
    pub fn install(
        &self,
        package: Package,
        trust: &TrustPolicy,
        now: Timestamp,
        consent: &mut dyn FnMut(&Change) -> bool,
    ) -> Result<Outcome, InstallError> {
        // Bytes that verify have a signature file; this keeps them for storing.
        let bundle = package.bundle.clone().unwrap_or_default();
        let manifest = package.manifest.clone();
        let withdrawn = self.withdrawals()?;
        if let Some(by) = withdrawn.component(&Digest::of(&package.component)) {
            return Err(InstallError::Withdrawn(Box::new(by.clone())));
        }
        let trust = trust.clone().without(withdrawn.keys().map(|by| by.what.key));
        let verified = trust.verify(package, Unsigned::Refuse, now)?;
        let new = New::of(&verified, manifest, bundle)?;
        let root = Folder::make(&self.root)?;
        // What somebody agreed to replace. It may be another by the time.
        let mut agreed = None;
        loop {
            let writing = Writing::lock(&root)?;
            new.check_name(&writing)?;
            let old = writing.record(&new.record.name)?;
            let change = match &old {
                Some(old) if *old == new.record => None,
                Some(old) => new.change(&writing, old)?,
                None => None,
            };
            match change {
                Some(change) if agreed != old => {
                    drop(writing);
                    match consent(&change) {
                        true => agreed = old,
                        false => return Err(InstallError::NotAgreed(Box::new(change))),
                    }
                }
                _ => return Ok(new.place(&writing, old)?),
            }
        }
    }

    /// Removes the installed package `name`, also one that is damaged.
    ///
    /// # Errors
    /// It is not installed, or the store cannot be changed.
    pub fn remove(&self, name: &Name) -> Result<(), StoreError> {
        let missing = || StoreError::NotInstalled(name.clone());
        let writing = Writing::lock(&Folder::open(&self.root)?.ok_or_else(missing)?)?;
        match writing.unset(name)? {
            true => {
                sweep(&writing);
                Ok(())
            }
            false => Err(missing()),
        }
    }

    /// Keeps what `marketplace` withdrew, in place of what it had withdrawn
    /// before: whoever reads sees the one or the other, whole. What is kept
    /// already is not written again.
    ///
    /// # Errors
    /// It is too much, or the store cannot be changed.
    pub fn withdraw(&self, marketplace: &Name, withdrawals: &Withdrawals) -> Result<(), StoreError> {
        let bytes = record_of(marketplace, withdrawals)?;
        let root = Folder::make(&self.root)?;
        let writing = Writing::lock(&root)?;
        Records::make(&root)?.set(&writing, marketplace, &bytes)
    }

    /// Forgets what `marketplace` withdrew, also what is damaged: the operator
    /// has nothing to do with it any more. Whether there was anything.
    ///
    /// # Errors
    /// The store cannot be changed.
    pub fn forget_withdrawals(&self, marketplace: &Name) -> Result<bool, StoreError> {
        let Some(root) = Folder::open(&self.root)? else { return Ok(false) };
        let _writing = Writing::lock(&root)?;
        Records::open(&root)?.map_or(Ok(false), |records| records.unset(marketplace))
    }

    /// What all marketplaces withdrew. Waits for nobody who changes the store.
    ///
    /// # Errors
    /// Some of it cannot be read. Then nobody knows what is withdrawn, and
    /// nothing may be loaded or go on.
    pub fn withdrawals(&self) -> Result<Withdrawn, StoreError> {
        let Some(root) = Folder::open(&self.root)? else { return Ok(Withdrawn::default()) };
        Records::open(&root)?.map_or_else(|| Ok(Withdrawn::default()), |records| records.read())
    }

    /// The folder with the records of what marketplaces withdrew, a file each.
    /// It is made by the first of them, and records are only renamed into it
    /// and removed.
    pub fn withdrawals_path(&self) -> PathBuf {
        self.root.join(WITHDRAWN)
    }
}

/// A verified package on its way into the store.
struct New<'a> {
    verified: &'a Verified<Component>,
    manifest: Vec<u8>,
    bundle: Vec<u8>,
    record: Record,
}

impl<'a> New<'a> {
    fn of(verified: &'a Verified<Component>, manifest: Vec<u8>, bundle: Vec<u8>) -> Result<Self, InstallError> {
        let component = verified.get();
        let record = Record {
            name: component.manifest.name.clone(),
            version: component.manifest.version.clone(),
            // Nothing verifies here without a signature.
            signer: verified.signer().ok_or(vak_trust::TrustError::Unsigned)?,
            component: component.digest,
            manifest: Digest::of(&manifest),
            bundle: Digest::of(&bundle),
        };
        Ok(Self { verified, manifest, bundle, record })
    }

    fn check_name(&self, writing: &Writing) -> Result<(), InstallError> {
        let name = &self.record.name;
        match writing.names()?.into_iter().find(|installed| reads_like(name, installed)) {
            Some(like) => Err(InstallError::ReadsLike { name: name.clone(), like }),
            None => Ok(()),
        }
    }

    /// What somebody has to agree to if this replaces `old`.
    fn change(&self, writing: &Writing, old: &Record) -> Result<Option<Change>, StoreError> {
        let Record { name, version, signer, .. } = &self.record;
        let widened = self.verified.get().manifest.widens(&writing.manifest(old)?);
        let widens = (!widened.is_empty()).then_some(Concern::Widens(widened));
        let older = (*version < old.version).then(|| Concern::Older { from: old.version.clone(), to: version.clone() });
        let other = !self.verified.signers().contains(&old.signer);
        let other = other.then_some(Concern::OtherSigner { from: old.signer, to: *signer });
        let concerns: Vec<_> = [widens, older, other].into_iter().flatten().collect();
        let change = Change { name: name.clone(), from: old.version.clone(), to: version.clone(), concerns };
        Ok((!change.concerns.is_empty()).then_some(change))
    }

    /// Blobs first, the record last. Blobs that are damaged are put right even
    /// if nothing else changes.
    fn place(&self, writing: &Writing, old: Option<Record>) -> Result<Outcome, StoreError> {
        writing.put(&self.record.component, &self.verified.get().bytes)?;
        writing.put(&self.record.manifest, &self.manifest)?;
        writing.put(&self.record.bundle, &self.bundle)?;
        let outcome = match old {
            Some(old) if old == self.record => Outcome::Unchanged,
            old => {
                writing.set(&self.record)?;
                old.map_or(Outcome::New, |old| Outcome::Replaced(old.version))
            }
        };
        sweep(writing);
        Ok(outcome)
    }
}

/// What was to be done is done by now: garbage that stays costs some room, and
/// goes with the next change.
fn sweep(writing: &Writing) {
    if let Err(error) = writing.sweep() {
        tracing::warn!(%error, "could not remove what no installed package needs");
    }
}
