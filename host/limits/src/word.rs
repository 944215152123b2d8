//! One token bucket in one atomic word.

use std::sync::atomic::Ordering::Relaxed;

use crate::rate::Pace;
use crate::sync::AtomicU64;
use crate::time::{REORDER_NS, Tick};

/// The generic cell rate algorithm of ITU-T I.371 in its form as virtual
/// scheduling. The upper 54 bits are the theoretical arrival time: the tick at
/// which the bucket is full again. The lower 10 count pending tokens: taken,
/// but neither kept nor given back.
///
/// A pending token has its place in the bucket and is not yet in the arrival
/// time. So giving it back leaves no trace, whatever happened meanwhile; had it
/// moved the arrival time, nobody could say later how much of the move had
/// already decayed. Kept, it counts from the time it was taken at.
///
/// Everything follows from one word, so it is changed by compare-and-swap and
/// needs no order with other memory.
pub(crate) struct Word<'a> {
    pub(crate) bits: &'a AtomicU64,
    pub(crate) pace: Pace,
}

/// What an action took from a word: as many tokens as it costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// Pending since then, to be kept or given back.
    Pending(Tick),
    /// Spent at once, because too many were pending.
    Spent,
}

impl Taken {
    pub(crate) fn pending(self) -> Option<Tick> {
        match self {
            Self::Pending(from) => Some(from),
            Self::Spent => None,
        }
    }
}

/// A word taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) arrival: Tick,
    pub(crate) pending: u64,
}

impl State {
    const PENDING_BITS: u32 = 10;

    /// Most tokens pending on one key. What would be more is spent at once: too
    /// strict if it is denied, and never too lax.
    pub(crate) const PENDING_MAX: u64 = (1 << Self::PENDING_BITS) - 1;

    /// The last tick there is. No action fits when its bucket would be full
    /// only later.
    const ARRIVAL_MAX: u64 = u64::MAX >> Self::PENDING_BITS;

    pub(crate) fn of(bits: u64) -> Self {
        Self { arrival: Tick(bits >> Self::PENDING_BITS), pending: bits & Self::PENDING_MAX }
    }

    pub(crate) fn bits(self) -> u64 {
        self.arrival.0.min(Self::ARRIVAL_MAX) << Self::PENDING_BITS | self.pending
    }

    /// True when the bucket equals one that was never used.
    pub(crate) fn is_idle(self, now: Tick) -> bool {
        self.pending == 0 && self.arrival <= now
    }

    /// The arrival time as seen at `now`.
    ///
    /// It is never more than the capacity ahead of the last use. Further ahead
    /// than that and [`REORDER_NS`], the clock was set back since: how much has
    /// decayed is unknown, so nothing is left and all is back within one burst.
    pub(crate) fn seen(self, pace: Pace, now: Tick) -> Self {
        let most = now.0.saturating_add(pace.capacity);
        let set_back = self.arrival.0 > most.saturating_add(REORDER_NS / Tick::NS);
        if set_back { Self { arrival: Tick(most), ..self } } else { self }
    }

    /// The tick at which so many more tokens are there, if those pending are kept.
    fn fits_at(self, pace: Pace, now: Tick, tokens: u64) -> Tick {
        let taken = self.pending.saturating_add(tokens).saturating_mul(pace.interval);
        let full = self.arrival.max(now).0.saturating_add(taken);
        if full > Self::ARRIVAL_MAX { Tick(u64::MAX) } else { Tick(full.saturating_sub(pace.capacity)) }
    }

    /// `Err` says when so many tokens are there; `Ok` that they are now.
    pub(crate) fn check(self, pace: Pace, now: Tick, tokens: u64) -> Result<(), Tick> {
        let fits_at = self.seen(pace, now).fits_at(pace, now, tokens);
        if fits_at > now { Err(fits_at) } else { Ok(()) }
    }

    fn keep(self, pace: Pace, from: Tick, tokens: u64) -> Self {
        let arrival = self.arrival.max(from).0.saturating_add(tokens.saturating_mul(pace.interval));
        Self { arrival: Tick(arrival), ..self }
    }
}

impl Word<'_> {
    /// `Err` says when so many tokens are there; `Ok` that they are now.
    pub(crate) fn check(&self, now: Tick, tokens: u64) -> Result<(), Tick> {
        // Kept, so that what is seen at a clock that was set back decays.
        self.update(|state| state.seen(self.pace, now));
        State::of(self.bits.load(Relaxed)).check(self.pace, now, tokens)
    }

    /// Takes tokens, or says when they are there.
    pub(crate) fn take(&self, now: Tick, tokens: u64) -> Result<Taken, Tick> {
        let mut result = Ok(Taken::Spent);
        self.update(|state| {
            let state = state.seen(self.pace, now);
            if let Err(fits_at) = state.check(self.pace, now, tokens) {
                result = Err(fits_at);
                return state;
            }
            if tokens > State::PENDING_MAX - state.pending {
                result = Ok(Taken::Spent);
                return state.keep(self.pace, now, tokens);
            }
            result = Ok(Taken::Pending(now));
            State { pending: state.pending + tokens, ..state }
        });
        result
    }

    /// What is pending since `from` is spent.
    pub(crate) fn keep(&self, from: Tick, tokens: u64) {
        let settled = |state: State| State { pending: state.pending.saturating_sub(tokens), ..state };
        self.update(|state| settled(state).keep(self.pace, from, tokens));
    }

    /// What is pending never was.
    pub(crate) fn give_back(&self, tokens: u64) {
        self.update(|state| State { pending: state.pending.saturating_sub(tokens), ..state });
    }

    /// How much of the burst is used, in percent.
    pub(crate) fn used_percent(&self, now: Tick) -> u64 {
        let state = State::of(self.bits.load(Relaxed)).seen(self.pace, now);
        let debt =
            state.arrival.0.saturating_sub(now.0).saturating_add(state.pending.saturating_mul(self.pace.interval));
        u64::try_from(u128::from(debt) * 100 / u128::from(self.pace.capacity)).unwrap_or(u64::MAX)
    }

    fn update(&self, mut change: impl FnMut(State) -> State) {
        let mut bits = self.bits.load(Relaxed);
        loop {
            let next = change(State::of(bits)).bits();
            if next == bits {
                return;
            }
            match self.bits.compare_exchange_weak(bits, next, Relaxed, Relaxed) {
                Ok(_) => return,
                Err(newer) => bits = newer,
            }
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const PACE: Pace = Pace { interval: 10, capacity: 20_000 };

    #[test]
    fn spends_at_once_what_is_beyond_the_most_pending() {
        let bits = AtomicU64::new(0);
        let word = Word { bits: &bits, pace: PACE };
        let taken: Vec<_> = (0..State::PENDING_MAX + 2).map(|_| word.take(Tick(100), 1)).collect();
        taken.iter().filter(|taken| matches!(taken, Ok(Taken::Pending(_)))).for_each(|_| word.give_back(1));
        assert_eq!(taken.iter().filter(|taken| **taken == Ok(Taken::Spent)).count(), 2);
        assert_eq!(State::of(bits.into_inner()), State { arrival: Tick(120), pending: 0 });
    }

    #[test]
    fn giving_back_leaves_no_trace_however_late() {
        let bits = AtomicU64::new(0);
        let word = Word { bits: &bits, pace: Pace { interval: 10, capacity: 20 } };
        assert!([word.take(Tick(100), 1), word.take(Tick(100), 1)].iter().all(Result::is_ok));
        assert_eq!(word.take(Tick(100), 1), Err(Tick(110)));
        word.keep(Tick(100), 1);
        word.give_back(1);
        assert_eq!(State::of(bits.into_inner()), State { arrival: Tick(110), pending: 0 });
    }

    #[test]
    fn takes_several_tokens_or_none() {
        let bits = AtomicU64::new(0);
        let word = Word { bits: &bits, pace: PACE };
        assert_eq!(word.take(Tick(100), 1_500), Ok(Taken::Spent), "more than can be pending");
        assert_eq!(word.take(Tick(100), 501), Err(Tick(110)));
        assert_eq!(word.take(Tick(100), 2_001), Err(Tick(15_110)));
        assert_eq!(word.take(Tick(100), 0), Ok(Taken::Pending(Tick(100))));
        assert_eq!(word.take(Tick(100), 500), Ok(Taken::Pending(Tick(100))));
        assert_eq!(word.take(Tick(100), 0), Ok(Taken::Pending(Tick(100))), "nothing fits into nothing");
        word.give_back(500);
        assert_eq!(State::of(bits.into_inner()), State { arrival: Tick(15_100), pending: 0 });
    }

    #[test]
    fn nothing_fits_at_the_end_of_time() {
        let bits = AtomicU64::new(0);
        let word = Word { bits: &bits, pace: PACE };
        assert!(word.take(Tick(State::ARRIVAL_MAX), 1).is_err());
        assert!(word.take(Tick(State::ARRIVAL_MAX - 10), 1).is_ok());
    }
}

/// Every interleaving of threads on one word, by the model checker:
/// `RUSTFLAGS="--cfg loom" cargo test --release -p vak-limits --lib model`.
#[cfg(all(test, loom))]
mod model {
    use loom::sync::Arc;
    use loom::thread;

    use super::*;

    /// Two fit, three come at once: none is one too many, and one that is
    /// given back makes room for another.
    #[test]
    fn never_overspends_by_one() {
        // Seconds instead of minutes; without the bound it holds too.
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(4);
        model.check(|| {
            const PACE: Pace = Pace { interval: 10, capacity: 20 };
            const NOW: Tick = Tick(100);
            let bits = Arc::new(AtomicU64::new(0));
            let attempt = |keeps: bool| {
                let bits = Arc::clone(&bits);
                thread::spawn(move || {
                    let word = Word { bits: &bits, pace: PACE };
                    if word.take(NOW, 1).is_err() {
                        return 0;
                    }
                    if keeps {
                        word.keep(NOW, 1);
                        return 1;
                    }
                    word.give_back(1);
                    0
                })
            };
            let threads = [attempt(true), attempt(false)];
            let word = Word { bits: &bits, pace: PACE };
            let mut kept = 0;
            if word.take(NOW, 1).is_ok() {
                word.keep(NOW, 1);
                kept += 1;
            }
            kept += threads.map(|thread| thread.join().unwrap_or(0)).iter().sum::<u64>();
            assert!(kept <= 2);
            while word.take(NOW, 1).is_ok() {
                word.keep(NOW, 1);
                kept += 1;
            }
            assert_eq!(kept, 2);
            assert_eq!(State::of(bits.load(Relaxed)), State { arrival: Tick(120), pending: 0 });
        });
    }
}
