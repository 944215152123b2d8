//! From a publisher's package to a version that everybody finds.

use jiff::Timestamp;
use semver::Version;
use vak_oci::{Images, OciError, Parts, Tagged};
use vak_registry::reads_like;
use vak_trust::{
    BundleError, Package, PrivateKey, Role, SettingsError, TrustError, TrustPolicy, TrustSettings, TrustedKey,
    Unsigned, Validity,
};
use vak_types::{Digest, KeyId, Kind, Name, Pattern};

use crate::entry::{Entry, Release};
use crate::files::{Publisher, Publishers};
use crate::index::Index;
use crate::replica::IndexError;
use crate::repository::{Repository, RepositoryError};

/// Why a package was not published. Nobody sees anything of it.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// No publisher of this marketplace signed it, or it is no package.
    #[error("no publisher of this marketplace vouches for it: {0}")]
    Trust(#[from] TrustError),
    /// The publishers of the index contradict each other.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// Somebody else asks for it than signed it.
    #[error("`{asked}` did not sign it{}", by(.signed))]
    OtherPublisher {
        /// Who signed it.
        signed: Vec<Name>,
        /// Who asks.
        asked: Name,
    },
    /// The name is somebody else's.
    #[error("the name `{name}` belongs to `{owner}`; `{publisher}` has to choose another")]
    Taken {
        /// The name.
        name: Name,
        /// Whose it is.
        owner: Name,
        /// Who signed.
        publisher: Name,
    },
    /// The name could be taken for another.
    #[error("the name `{name}` reads like `{like}`, which is there; choose another")]
    ReadsLike {
        /// The name.
        name: Name,
        /// The one that is there.
        like: Name,
    },
    /// The publisher may not have such names.
    #[error("`{publisher}` may not publish under the name `{name}`")]
    Name {
        /// Who signed.
        publisher: Name,
        /// The name.
        name: Name,
    },
    /// A package stays what it is.
    #[error("`{name}` is a {is}; another kind needs another name")]
    Kind {
        /// The package.
        name: Name,
        /// What it is.
        is: Kind,
    },
    /// What was published does not change.
    #[error("`{name}` {version} is published; choose another version")]
    Published {
        /// The package.
        name: Name,
        /// The version.
        version: Version,
    },
    /// It was published, and withdrawn: it does not come back under another name.
    #[error("these very bytes were withdrawn as `{name}` {version}")]
    Withdrawn {
        /// Under which name.
        name: Name,
        /// As which version.
        version: Version,
    },
    /// The marketplace's own signature cannot be added.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The registry does not take it.
    #[error(transparent)]
    Registry(#[from] OciError),
    /// The index cannot be changed.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
}

impl From<IndexError> for PublishError {
    fn from(error: IndexError) -> Self {
        Self::Repository(error.into())
    }
}

/// What was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The package.
    pub name: Name,
    /// Its version.
    pub version: Version,
    /// By whom.
    pub publisher: Name,
}

impl Repository {
    /// Publishes a package that a publisher signed: it is verified, signed by the
    /// marketplace's `key` too, pushed to `images`, and entered in the index, in
    /// this order. If `asked` is given it has to be theirs.
    ///
    /// # Errors
    /// It is refused or cannot be stored. What a registry has of it by then is
    /// there without being in the index.
    pub async fn publish(
        self,
        package: Package,
        asked: Option<&Name>,
        images: &Images,
        key: &PrivateKey,
        now: Timestamp,
    ) -> Result<(Self, Published), PublishError> {
        let at = vak_types::Timestamp::from_nanos(u64::try_from(now.as_nanosecond()).unwrap_or_default());
        let mut edit = self.edit().await?;
        let Offered { name, version, kind, component, signers } = offered(edit.publishers(), package.clone(), at)?;
        let publishers = edit.publishers().signing(&signers);
        let publisher = match asked {
            Some(asked) if !publishers.contains(&asked) => {
                let signed = publishers.into_iter().cloned().collect();
                return Err(PublishError::OtherPublisher { signed, asked: asked.clone() });
            }
            Some(asked) => asked.clone(),
            None => publishers.first().copied().cloned().ok_or(TrustError::Unsigned)?,
        };
        if let Some(withdrawn) = self.index().withdrawn().await?.components.get(&component) {
            let (name, version) = (withdrawn.name.clone(), withdrawn.version.clone());
            return Err(PublishError::Withdrawn { name, version });
        }
        let entry = edit.entry(&name).await?.cloned();
        let signed_by = |owner: &Name| edit.publishers().signing(&signers).contains(&owner);
        let mut entry = match entry {
            Some(entry) if entry.publisher != publisher && !(asked.is_none() && signed_by(&entry.publisher)) => {
                return Err(PublishError::Taken { name, owner: entry.publisher, publisher });
            }
            Some(entry) if entry.kind != kind => return Err(PublishError::Kind { name, is: entry.kind }),
            Some(entry) if entry.release(&version).is_some() => return Err(PublishError::Published { name, version }),
            Some(entry) => entry,
            None if !edit.publishers().may_name(&publisher, &name) => {
                return Err(PublishError::Name { publisher, name });
            }
            None => {
                look_alike(self.index(), &name).await?;
                Entry { name, publisher, kind, releases: Vec::new(), advisories: Vec::new() }
            }
        };
        let package = package.countersign(key, Validity::since(at))?;
        let parts = Parts {
            component: package.component.into(),
            manifest: package.manifest.clone().into(),
            signatures: package.bundle.unwrap_or_default().into(),
        };
        let image = images.push(&entry.name, &version, &parts, Tagged::Keep).await?;
        entry.releases.push(Release {
            version: version.clone(),
            published: now,
            component: image.component,
            // It verified, so it is text.
            manifest: String::from_utf8_lossy(&package.manifest).into_owned(),
            signatures: image.signatures,
            image: image.manifest,
            signers: signers.into_iter().chain([key.public().id()]).collect(),
            withdrawn: None,
        });
        entry.releases.sort_by(|one, other| one.version.cmp(&other.version));
        let published = Published { name: entry.name.clone(), version, publisher: entry.publisher.clone() };
        edit.put(entry).await?;
        let edited = edit.finish().await?;
        Ok((self.commit(edited, key, now).await?, published))
    }
}

fn by(publishers: &[Name]) -> String {
    match publishers {
        [] => String::new(),
        names => format!("; {} did", names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ")),
    }
}

/// A package that publishers signed.
struct Offered {
    name: Name,
    version: Version,
    kind: Kind,
    component: Digest,
    signers: Vec<KeyId>,
}

fn offered(publishers: &Publishers, package: Package, now: vak_types::Timestamp) -> Result<Offered, PublishError> {
    let trust = TrustPolicy::new(TrustSettings { keys: trusted(publishers), ..TrustSettings::default() })?;
    let verified = trust.verify(package, Unsigned::Refuse, now)?;
    let manifest = &verified.get().manifest;
    Ok(Offered {
        name: manifest.name.clone(),
        version: manifest.version.clone(),
        kind: manifest.kind,
        component: verified.get().digest,
        signers: verified.signers().to_vec(),
    })
}

impl Publishers {
    /// Those of whom one of the keys is.
    fn signing(&self, signers: &[KeyId]) -> Vec<&Name> {
        let signed = |publisher: &Publisher| publisher.keys.iter().any(|key| signers.contains(&key.id()));
        self.publishers.iter().filter(|(_, publisher)| signed(publisher)).map(|(name, _)| name).collect()
    }

    /// Whether a publisher may begin a package of this name.
    fn may_name(&self, publisher: &Name, name: &Name) -> bool {
        let names = self.publishers.get(publisher).map(|publisher| &publisher.names);
        names.is_some_and(|names| names.is_empty() || Pattern::any(names, name))
    }
}

/// The keys of all publishers, as those whose signatures count.
fn trusted(publishers: &Publishers) -> Vec<TrustedKey> {
    let keys = publishers.publishers.values().flat_map(|publisher| &publisher.keys).enumerate();
    let trusted = keys.filter_map(|(number, key)| {
        Some(TrustedKey {
            name: format!("key-{number}").parse().ok()?,
            public: *key,
            roles: [Role::Publisher].into(),
            names: vec![Pattern::every()],
            may_permit: false,
        })
    });
    trusted.collect()
}

/// Looks through all names that there are, since one that reads like another can
/// be anywhere.
async fn look_alike(index: &Index, name: &Name) -> Result<(), PublishError> {
    let catalogue = index.catalogue().await?;
    match catalogue.names().find(|other| reads_like(name, other)) {
        Some(like) => Err(PublishError::ReadsLike { name: name.clone(), like }),
        None => Ok(()),
    }
}
