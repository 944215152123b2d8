//! Packages that were read, so that a page that is asked for often is not read
//! each time.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::Handle;
use vak_marketplace::{Entry, Index, IndexError};
use vak_types::Name;

/// Most bytes of manifests that are kept. A package may have a thousand versions,
/// with a manifest of 256 KiB each: one that is larger than this is read each time.
const BYTES_MAX: usize = 32 << 20;

/// What of a package counts beside its manifests, in bytes.
const ABOUT_BYTES: usize = 1_024;

#[derive(Debug)]
pub(crate) struct Entries {
    index: Arc<Index>,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    entries: HashMap<Name, Arc<Entry>>,
    /// The one that was read longest ago first.
    order: VecDeque<(Name, usize)>,
    bytes: usize,
}

impl Entries {
    pub(crate) fn of(index: Arc<Index>) -> Self {
        Self { index, kept: Mutex::default() }
    }

    /// A package. Reads files: not for a thread on which others wait.
    pub(crate) fn get(&self, runtime: &Handle, name: &Name) -> Result<Option<Arc<Entry>>, IndexError> {
        if let Some(entry) = self.kept().entries.get(name) {
            return Ok(Some(Arc::clone(entry)));
        }
        let Some(entry) = runtime.block_on(self.index.entry(name))?.map(Arc::new) else { return Ok(None) };
        self.kept().keep(&entry);
        Ok(Some(entry))
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn keep(&mut self, entry: &Arc<Entry>) {
        let manifests: usize = entry.releases.iter().map(|release| release.manifest.len()).sum();
        let bytes = manifests + ABOUT_BYTES * (1 + entry.releases.len() + entry.advisories.len());
        if bytes > BYTES_MAX || self.entries.contains_key(&entry.name) {
            return;
        }
        self.entries.insert(entry.name.clone(), Arc::clone(entry));
        self.order.push_back((entry.name.clone(), bytes));
        self.bytes += bytes;
        while self.bytes > BYTES_MAX
            && let Some((name, bytes)) = self.order.pop_front()
        {
            self.entries.remove(&name);
            self.bytes -= bytes;
        }
    }
}
