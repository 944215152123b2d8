//! Compiled code on disk.

use std::fs::{self, OpenOptions};
use std::hash::{Hash as _, Hasher};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use vak_types::Digest;
use wasmtime::Engine;
use wasmtime::component::Component;

/// Compiled components that are kept: ten times what a large host runs, at
/// 0.1 to 40 MB each.
const ENTRIES_MAX: usize = 512;

const MAC_BYTES: usize = blake3::OUT_LEN;

const KEY_BYTES: usize = blake3::KEY_LEN;

/// A folder of compiled components.
///
/// Compiled code runs outside the sandbox if it is not what this engine
/// compiled, so each file carries a MAC under a key that only this host's user
/// can read. A file that does not authenticate is compiled anew, never loaded.
///
/// The MAC is BLAKE3 in its keyed mode: of a megabyte of compiled code it costs
/// a quarter of what HMAC-SHA-256 does, which was most of a load.
pub(crate) struct CompileCache {
    folder: PathBuf,
    key: [u8; KEY_BYTES],
}

/// What a compiled component was made from. Names its file.
pub(crate) struct CacheKey(Digest);

impl CacheKey {
    pub(crate) fn new(engine: &Engine, component: &Digest, config: Option<&Digest>) -> Self {
        let mut hasher = EngineHasher(Sha256::new());
        engine.precompile_compatibility_hash().hash(&mut hasher);
        // Baking is part of what is cached, and so is this crate's version.
        hasher.0.update(concat!("vak-engine ", env!("CARGO_PKG_VERSION"), "\0").as_bytes());
        hasher.0.update(component.as_bytes());
        hasher.0.update([u8::from(config.is_some())]);
        hasher.0.update(config.map_or(&[0; 32], Digest::as_bytes));
        Self(Digest::from_bytes(hasher.0.finalize().into()))
    }
}

/// Feeds the engine's settings into SHA-256; `Hash` alone would leave 64 bits.
struct EngineHasher(Sha256);

impl Hasher for EngineHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Not used: the digest is taken from the inside.
    fn finish(&self) -> u64 {
        0
    }
}

impl CompileCache {
    /// Opens or makes the cache in `folder`, readable by its owner only.
    pub(crate) fn open(folder: &Path) -> std::io::Result<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let path = folder.join("key");
        // Written aside and linked: whoever comes second finds a whole key.
        if !path.exists() {
            let aside = folder.join(format!("key.{:016x}.tmp", getrandom::u64().map_err(std::io::Error::other)?));
            let mut key = [0; KEY_BYTES];
            getrandom::fill(&mut key).map_err(std::io::Error::other)?;
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside)?;
            file.write_all(&key)?;
            file.sync_all()?;
            let linked = fs::hard_link(&aside, &path);
            fs::remove_file(&aside)?;
            match linked {
                Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
        }
        let mut key = [0; KEY_BYTES];
        fs::File::open(&path)?.read_exact(&mut key)?;
        Ok(Self { folder: folder.to_owned(), key })
    }

    /// The compiled component, if it is there and authentic.
    pub(crate) fn load(&self, engine: &Engine, key: &CacheKey) -> Option<Component> {
        let file = fs::read(self.path(key)).ok()?;
        let (mac, compiled) = file.split_first_chunk::<MAC_BYTES>()?;
        // Compared in constant time.
        if self.mac(key, compiled) != *mac {
            tracing::warn!(file = %self.path(key).display(), "compiled component does not authenticate; compiling anew");
            return None;
        }
        // SAFETY: the MAC shows that these bytes were written by `store` under
        // this host's key, from `Component::serialize`, for this cache key,
        // which covers the engine's settings. They are in memory, so they
        // cannot change between the check and the use.
        #[expect(unsafe_code, reason = "the one place where compiled code is taken in; see SAFETY")]
        let component = unsafe { Component::deserialize(engine, compiled) };
        component.inspect_err(|error| tracing::warn!(%error, "compiled component not accepted; compiling anew")).ok()
    }

    /// Keeps a compiled component. The cache is a convenience: a full disk is
    /// logged and costs the next start some time.
    pub(crate) fn store(&self, key: &CacheKey, component: &Component) {
        let written = component.serialize().map_err(std::io::Error::other).and_then(|compiled| {
            let mac = self.mac(key, &compiled);
            self.make_room();
            let path = self.path(key);
            let aside = path.with_extension(format!("{}.tmp", std::process::id()));
            let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&aside)?;
            file.write_all(mac.as_bytes())?;
            file.write_all(&compiled)?;
            drop(file);
            fs::rename(aside, path)
        });
        if let Err(error) = written {
            tracing::warn!(%error, "could not keep a compiled component");
        }
    }

    /// Removes the oldest files when the cache is full.
    fn make_room(&self) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        let mut entries: Vec<_> = entries
            .filter_map(|entry| {
                let entry = entry.ok().filter(|entry| entry.file_name() != "key")?;
                Some((entry.metadata().ok()?.modified().ok()?, entry.path()))
            })
            .collect();
        entries.sort();
        for (_, path) in entries.iter().take((entries.len() + 1).saturating_sub(ENTRIES_MAX)) {
            if let Err(error) = fs::remove_file(path) {
                tracing::warn!(%error, "could not remove an old compiled component");
            }
        }
    }

    fn mac(&self, key: &CacheKey, compiled: &[u8]) -> blake3::Hash {
        blake3::Hasher::new_keyed(&self.key).update(key.0.as_bytes()).update(compiled).finalize()
    }

    fn path(&self, key: &CacheKey) -> PathBuf {
        self.folder.join(format!("{}.compiled", key.0.to_hex()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::testing::{policy, prepare};
    use crate::{CallLimits, EngineError};

    struct Kept {
        folder: tempfile::TempDir,
        engine: Engine,
        cache: CompileCache,
        key: CacheKey,
    }

    fn key(engine: &Engine, component: &[u8]) -> CacheKey {
        CacheKey::new(engine, &Digest::of(component), None)
    }

    /// A cache with one component in it.
    fn kept() -> Kept {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::default();
        let cache = CompileCache::open(folder.path()).unwrap();
        let component = policy("");
        let key = key(&engine, &component);
        cache.store(&key, &Component::from_binary(&engine, &component).unwrap());
        Kept { folder, engine, cache, key }
    }

    #[test]
    fn gives_back_what_it_kept() {
        let Kept { folder, engine, cache, key } = kept();
        assert!(cache.load(&engine, &key).is_some());
        let reopened = CompileCache::open(folder.path()).unwrap();
        assert!(reopened.load(&engine, &key).is_some());
    }

    #[test]
    fn loads_no_byte_that_it_did_not_write() {
        let Kept { folder: _folder, engine, cache, key } = kept();
        let whole = fs::read(cache.path(&key)).unwrap();
        // In the code's authentication, at its start, middle and end.
        let mut damaged: Vec<_> = [0, MAC_BYTES - 1, MAC_BYTES, whole.len() / 2, whole.len() - 1]
            .map(|at| {
                let mut bytes = whole.clone();
                bytes[at] ^= 1;
                bytes
            })
            .into();
        damaged.extend([0, 1, MAC_BYTES - 1, MAC_BYTES, whole.len() - 1].map(|bytes| whole[..bytes].to_vec()));
        damaged.push([&whole[..], &[0]].concat());
        // Genuine compiled code that this host did not write.
        damaged.push(whole[MAC_BYTES..].to_vec());
        damaged.push([&[0; MAC_BYTES], &whole[MAC_BYTES..]].concat());
        for bytes in damaged {
            fs::write(cache.path(&key), &bytes).unwrap();
            assert!(cache.load(&engine, &key).is_none(), "{} bytes", bytes.len());
        }
        fs::write(cache.path(&key), &whole).unwrap();
        assert!(cache.load(&engine, &key).is_some());
    }

    #[test]
    fn takes_no_component_for_another() {
        let Kept { folder: _folder, engine, cache, key: one } = kept();
        let others = [
            key(&engine, b"another component"),
            CacheKey::new(&engine, &Digest::of(&policy("")), Some(&Digest::of(b"a configuration"))),
            key(&Engine::new(wasmtime::Config::new().consume_fuel(true)).unwrap(), &policy("")),
        ];
        for other in others {
            fs::copy(cache.path(&one), cache.path(&other)).unwrap();
            assert!(cache.load(&engine, &other).is_none());
        }
    }

    #[test]
    fn forgets_everything_with_its_key() {
        let Kept { folder, engine, key, .. } = kept();
        fs::remove_file(folder.path().join("key")).unwrap();
        let cache = CompileCache::open(folder.path()).unwrap();
        assert!(cache.load(&engine, &key).is_none());
        cache.store(&key, &Component::from_binary(&engine, &policy("")).unwrap());
        assert!(cache.load(&engine, &key).is_some());
    }

    #[test]
    fn a_key_that_is_cut_short_is_no_key() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("key"), [0; KEY_BYTES - 1]).unwrap();
        assert!(matches!(crate::Engine::new(Some(folder.path())), Err(EngineError::Cache { .. })));
    }

    #[test]
    fn an_engine_compiles_anew_what_was_tampered_with() {
        let folder = tempfile::tempdir().unwrap();
        // An engine of its own each time: one remembers what it prepared.
        let start = || {
            let engine = crate::Engine::new(Some(folder.path())).unwrap();
            prepare(&engine, &policy(""), CallLimits::POLICY).unwrap();
            let mut files = fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path());
            files.find(|path| path.extension().is_some()).unwrap()
        };
        let path = start();
        let genuine = fs::read(&path).unwrap();

        // A hit leaves the file as it is.
        let marked = fs::File::options().write(true).open(&path).unwrap();
        marked.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!(fs::metadata(start()).unwrap().modified().unwrap(), SystemTime::UNIX_EPOCH);

        let mut tampered = genuine.clone();
        *tampered.last_mut().unwrap() ^= 1;
        fs::write(&path, &tampered).unwrap();
        let mended = fs::read(start()).unwrap();
        assert_ne!(mended, tampered);
        assert!(mended == genuine, "compiling is deterministic");
    }
}
