//! One action at the limits, and what they say to it.

use vak_types::Action;

use crate::refusal::Why;
use crate::room::Room;
use crate::set::{Entry, Set};
use crate::{Exceeded, Mode, Signal};

/// Why nothing was taken.
pub(crate) enum Stop {
    Exceeded(Exceeded),
    /// The set is not the current one any more.
    Stale,
}

/// The limit with the longest wait of those that stop an action.
#[derive(Clone, Copy)]
pub(crate) struct Refusal {
    entry: usize,
    label: Option<usize>,
    why: Why,
}

/// One action at one set of limits.
pub(crate) struct Attempt<'a> {
    pub(crate) set: &'a Set,
    pub(crate) action: &'a Action,
    pub(crate) refusal: Option<Refusal>,
    pub(crate) signals: &'a mut Vec<Signal>,
    pub(crate) room: &'a Room,
}

impl Attempt<'_> {
    /// Notes that a limit has no room. True when that stops the action.
    pub(crate) fn refuse(&mut self, entry: usize, label: Option<usize>, why: Why) -> bool {
        if self.set.entries[entry].limit.mode == Mode::Shadow {
            let exceeded = self.explain(Refusal { entry, label, why });
            self.signals.push(Signal::Shadow(exceeded));
            return false;
        }
        if self.refusal.is_none_or(|longest| longest.why.wait_ns() < why.wait_ns()) {
            self.refusal = Some(Refusal { entry, label, why });
        }
        true
    }

    pub(crate) fn result(&self) -> Result<(), Stop> {
        self.refusal.map_or(Ok(()), |refusal| Err(Stop::Exceeded(self.explain(refusal))))
    }

    fn explain(&self, Refusal { entry, label, why }: Refusal) -> Exceeded {
        let label = label.and_then(|at| self.action.labels.get(at));
        why.explain(&self.set.entries[entry].limit, self.action, label, || self.room.full_message())
    }

    /// Tells that a limit is nearly used up, if it is and that is to be told.
    pub(crate) fn tell_near(&mut self, entry: &Entry, used_percent: impl FnOnce() -> u64) {
        let Some(near_percent) = entry.limit.near_percent else { return };
        let used_percent = used_percent();
        if used_percent >= u64::from(near_percent) {
            self.signals.push(Signal::Near { limit: entry.limit.name.clone(), used_percent });
        }
    }
}
