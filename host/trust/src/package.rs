//! A component, its manifest and its signatures as bytes, and their files.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use vak_types::Digest;

use crate::aside;
use crate::bundle::{self, Bundle, BundleError};
use crate::key::PrivateKey;
use crate::manifest::{self, Manifest};
use crate::statement::{Signed, Subjects};
use crate::validity::Validity;

/// Why a package's files could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// A file could not be read or written.
    #[error("the package file `{}`: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file is larger than any such file.
    #[error("the package file `{}` is larger than {bytes_max} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most it may have.
        bytes_max: u64,
    },
    /// The path does not end in `.wasm`.
    #[error("`{}` does not end in `.wasm`; name the component, its manifest and signature lie beside it", .0.display())]
    NotWasm(PathBuf),
}

/// A component, its manifest and its signatures, none of them checked.
#[derive(Debug, Clone)]
pub struct Package {
    /// The component.
    pub component: Vec<u8>,
    /// The packed manifest.
    pub manifest: Vec<u8>,
    /// The signature file, where there is one.
    pub bundle: Option<Vec<u8>>,
}

impl Package {
    /// Largest component: a Python one with its interpreter takes 20 MiB.
    pub const COMPONENT_BYTES_MAX: u64 = 64 << 20;

    /// Largest packed manifest.
    pub const MANIFEST_BYTES_MAX: u64 = manifest::BYTES_MAX as u64;

    /// Largest signature file.
    pub const BUNDLE_BYTES_MAX: u64 = bundle::BYTES_MAX as u64;

    /// A package without a signature.
    pub fn unsigned(component: Vec<u8>, manifest: &Manifest) -> Self {
        Self { component, manifest: manifest.to_packed(), bundle: None }
    }

    /// Reads `NAME.wasm` and, beside it, `NAME.manifest.json` and, where it
    /// exists, `NAME.sigstore.json`.
    ///
    /// # Errors
    /// The component or manifest is not there, or a file is too large.
    pub fn read(path: &Path) -> Result<Self, PackageError> {
        let files = Files::beside(path)?;
        let bundle = match read(&files.bundle, Self::BUNDLE_BYTES_MAX) {
            Err(PackageError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => None,
            bundle => Some(bundle?),
        };
        Ok(Self {
            component: read(path, Self::COMPONENT_BYTES_MAX)?,
            manifest: read(&files.manifest, Self::MANIFEST_BYTES_MAX)?,
            bundle,
        })
    }

    /// The files that [`read`](Self::read) reads, whether they are there or not.
    pub fn files(path: &Path) -> Vec<PathBuf> {
        let beside = Files::beside(path).into_iter().flat_map(|files| [files.manifest, files.bundle]);
        std::iter::once(path.to_owned()).chain(beside).collect()
    }

    /// Writes the package's files, each aside and then in one step; a signature
    /// that is there and belongs to other bytes is removed.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), PackageError> {
        let files = Files::beside(path)?;
        write(path, &self.component)?;
        write(&files.manifest, &self.manifest)?;
        self.write_signatures(path).map(|_| ())
    }

    /// Writes the signature file alone, and gives its path. Without signatures
    /// there is none.
    ///
    /// # Errors
    /// The file cannot be written, or not be removed.
    pub fn write_signatures(&self, path: &Path) -> Result<PathBuf, PackageError> {
        let Files { bundle: file, .. } = Files::beside(path)?;
        match &self.bundle {
            Some(bundle) => write(&file, bundle)?,
            None => match std::fs::remove_file(&file) {
                Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                    return Err(PackageError::Io { path: file, source });
                }
                _ => {}
            },
        }
        Ok(file)
    }

    /// The same package signed by `key` alone. The same key, bytes and times give
    /// the same signature file.
    #[must_use]
    pub fn sign(mut self, key: &PrivateKey, validity: Validity) -> Self {
        self.bundle = Some(bundle::sign(key, Signed { subjects: self.subjects(), validity }));
        self
    }

    /// The same package with a signature by `key` beside those of others.
    ///
    /// # Errors
    /// The signature file is malformed, or full.
    pub fn countersign(mut self, key: &PrivateKey, validity: Validity) -> Result<Self, BundleError> {
        let signed = Signed { subjects: self.subjects(), validity };
        self.bundle = Some(match &self.bundle {
            Some(bytes) => bundle::countersign(bytes, key, signed)?,
            None => bundle::sign(key, signed),
        });
        Ok(self)
    }

    /// What the signature file says, with nothing verified.
    ///
    /// # Errors
    /// It is malformed.
    pub fn claims(&self) -> Result<Vec<Claim>, BundleError> {
        let claim = |bundle: Bundle| {
            let Signed { subjects: Subjects { component, manifest }, validity } = bundle.claimed()?;
            Ok(Claim { signer: bundle.hint, component, manifest, validity })
        };
        let bundles = self.bundle.as_deref().map(Bundle::parse_all).transpose()?;
        bundles.unwrap_or_default().into_iter().map(claim).collect()
    }

    /// The digests of the component and of its manifest, which signatures are
    /// over.
    pub fn digests(&self) -> (Digest, Digest) {
        let Subjects { component, manifest } = self.subjects();
        (component, manifest)
    }

    pub(crate) fn subjects(&self) -> Subjects {
        Subjects { component: Digest::of(&self.component), manifest: Digest::of(&self.manifest) }
    }
}

/// What a signature says of itself: anybody can write that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Whose key it names, in whatever characters.
    pub signer: String,
    /// The component that it is said to be over.
    pub component: Digest,
    /// The manifest that it is said to be over.
    pub manifest: Digest,
    /// When it is said to count.
    pub validity: Validity,
}

struct Files {
    manifest: PathBuf,
    bundle: PathBuf,
}

impl Files {
    fn beside(component: &Path) -> Result<Self, PackageError> {
        match component.extension() {
            Some(extension) if extension == "wasm" => Ok(Self {
                manifest: component.with_extension("manifest.json"),
                bundle: component.with_extension("sigstore.json"),
            }),
            _ => Err(PackageError::NotWasm(component.to_owned())),
        }
    }
}

fn read(path: &Path, bytes_max: u64) -> Result<Vec<u8>, PackageError> {
    let io = |source| PackageError::Io { path: path.to_owned(), source };
    let file = File::open(path).map_err(io)?;
    // With room for the end to be seen.
    let expected = file.metadata().map_err(io)?.len().min(bytes_max) + 1;
    let mut bytes = Vec::with_capacity(usize::try_from(expected).unwrap_or_default());
    file.take(bytes_max + 1).read_to_end(&mut bytes).map_err(io)?;
    match bytes.len() as u64 > bytes_max {
        true => Err(PackageError::TooLarge { path: path.to_owned(), bytes_max }),
        false => Ok(bytes),
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), PackageError> {
    aside::write(path, bytes).map_err(|source| PackageError::Io { path: path.to_owned(), source })
}
