//! What is known of a connection: how much of it the system took.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::parcel::Parcel;

/// One connection's answers, from when they are handed over to when the first
/// byte behind that is written.
#[derive(Debug, Default)]
pub(crate) struct Link {
    written: AtomicU64,
    sending: Mutex<Vec<(u64, Vec<Arc<Parcel>>)>>,
}

impl vak_serving::Link for Link {
    fn wrote(&self, bytes: usize) {
        self.written.fetch_add(bytes as u64, Ordering::Release);
    }
}

impl Link {
    /// An answer with these is to be written next.
    pub(crate) fn hand_over(&self, parcels: Vec<Arc<Parcel>>) {
        let written = self.settle();
        if !parcels.is_empty() {
            self.sending.lock().unwrap_or_else(PoisonError::into_inner).push((written, parcels));
        }
    }

    /// Takes note of what has begun to leave. All that has not by the end of the
    /// connection never does.
    fn settle(&self) -> u64 {
        let written = self.written.load(Ordering::Acquire);
        let mut sending = self.sending.lock().unwrap_or_else(PoisonError::into_inner);
        sending.retain(|(before, parcels)| {
            let left = written > *before;
            if left {
                parcels.iter().for_each(|parcel| parcel.left());
            }
            !left
        });
        written
    }
}

/// Also when its task does not come to its end: what has left must not be taken
/// back.
impl Drop for Link {
    fn drop(&mut self) {
        self.settle();
    }
}
