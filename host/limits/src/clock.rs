//! Time that does not run backwards, out of times that do.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The latest time seen, in nanoseconds since the Unix epoch.
///
/// Actions arrive out of order: a thread can lose the processor between
/// reading the clock and asking here. Judging such an action at its own time
/// would need the past of every bucket, which is gone, and crediting a bucket
/// for the step back would hand out the same nanoseconds twice. So it is judged
/// at the latest time seen: time stands still for it.
///
/// A step back by more than [`Clock::REORDER_MAX_NS`] is a clock that was set.
/// It is followed, because one wrong time in the far future would otherwise
/// stop all refills until then. A bucket that was used at a later time than the
/// clock now shows restarts with nothing left
/// ([`Bucket::advance`](crate::bucket::Bucket::advance)), so the step itself
/// never allows an action. The way back up does refill, as any passing of time
/// does: whoever can present old and new times in turn as often as he likes can
/// refill as often. The time of an action must therefore be the host's own, read
/// when the whole request is there, and that is what a surface does.
#[derive(Debug, Default)]
pub(crate) struct Clock(AtomicU64);

impl Clock {
    /// Ten seconds: longer than a thread waits for a processor on a busy
    /// machine, and what a smaller step of the clock can cost at most.
    pub(crate) const REORDER_MAX_NS: u64 = 10_000_000_000;

    /// The time at which an action of time `time_ns` is to be judged.
    ///
    /// To be called with the tables locked: the lock orders the calls, so times
    /// on one bucket only ever fall when the clock was set.
    pub(crate) fn observe(&self, time_ns: u64) -> u64 {
        let mut latest = self.0.load(Relaxed);
        loop {
            let set_back = latest.saturating_sub(time_ns) > Self::REORDER_MAX_NS;
            if time_ns <= latest && !set_back {
                return latest;
            }
            match self.0.compare_exchange_weak(latest, time_ns, Relaxed, Relaxed) {
                Ok(_) => return time_ns,
                Err(newer) => latest = newer,
            }
        }
    }

    /// The latest time seen. With the tables locked, as [`Clock::observe`].
    pub(crate) fn latest(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stands_still_for_stragglers_and_follows_a_set_clock() {
        let step = Clock::REORDER_MAX_NS;
        let clock = Clock::default();
        let cases = [
            (100 * step, 100 * step),
            (100 * step - 1, 100 * step),
            (99 * step, 100 * step),
            (99 * step - 1, 99 * step - 1),
            (u64::MAX, u64::MAX),
            (0, 0),
            (step, step),
        ];
        for (time_ns, judged_at) in cases {
            assert_eq!(clock.observe(time_ns), judged_at);
            assert_eq!(clock.latest(), judged_at);
        }
    }
}
