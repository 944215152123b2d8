//! Amounts that leave as time passes.

use std::num::NonZeroU64;

use vak_types::Timestamp;

use crate::time::REORDER_NS;

/// Amounts of the last `N` slices of time. What comes in stays until its whole
/// slice is older than the window, so a window never holds more than it says,
/// at the price of keeping it up to a slice longer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ring<const N: usize> {
    /// The number of the latest slice.
    pub(crate) head: u64,
    /// By number of the slice, modulo `N`.
    pub(crate) cells: [u64; N],
}

/// How long a slice is, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slice(NonZeroU64);

impl Slice {
    /// All time is one slice: nothing ever leaves.
    pub(crate) const FOREVER: Self = Self(NonZeroU64::MAX);

    /// The slice of a ring of `slices` that keeps what comes in for
    /// `window_ns`: one slice is always in progress.
    pub(crate) fn of(window_ns: u64, slices: usize) -> Self {
        let whole = (slices as u64).saturating_sub(1).max(1);
        Self(NonZeroU64::new(window_ns.div_ceil(whole)).unwrap_or(NonZeroU64::MIN))
    }

    pub(crate) fn number(self, time: Timestamp) -> u64 {
        time.as_nanos() / self.0
    }

    fn start_ns(self, number: u64) -> u64 {
        number.saturating_mul(self.0.get())
    }
}

impl<const N: usize> Ring<N> {
    pub(crate) fn empty() -> Self {
        Self { head: 0, cells: [0; N] }
    }

    /// Lets time pass until `now`; true when the clock was set back.
    ///
    /// All that is there counts as new then: how much of it would have left by
    /// now is unknown, and so it is gone within one window at the latest.
    pub(crate) fn advance(&mut self, slice: Slice, now: Timestamp) -> bool {
        let number = slice.number(now);
        if number > self.head {
            let passed = (number - self.head).min(N as u64);
            for gone in 0..passed {
                *self.cell(number - gone) = 0;
            }
            self.head = number;
        } else if slice.start_ns(self.head) > now.as_nanos().saturating_add(REORDER_NS) {
            let total = self.total();
            *self = Self { head: number, cells: [0; N] };
            self.add(total);
            return true;
        }
        false
    }

    /// All that is there.
    pub(crate) fn total(&self) -> u64 {
        self.cells.iter().fold(0, |total, amount| total.saturating_add(*amount))
    }

    /// Adds to the latest slice.
    pub(crate) fn add(&mut self, amount: u64) {
        let cell = self.cell(self.head);
        *cell = cell.saturating_add(amount);
    }

    /// Takes out what was added to the slice `number`, unless it has left.
    pub(crate) fn remove(&mut self, number: u64, amount: u64) {
        if number <= self.head && self.head - number < N as u64 {
            let cell = self.cell(number);
            *cell = cell.saturating_sub(amount);
        }
    }

    /// What leaves and at which time, in nanoseconds, the next first.
    pub(crate) fn leaving(&self, slice: Slice) -> impl Iterator<Item = (u64, u64)> {
        let numbers = self.head.saturating_sub(N as u64 - 1)..=self.head;
        numbers.map(move |number| (slice.start_ns(number.saturating_add(N as u64)), self.cells[index::<N>(number)]))
    }

    /// The same amounts in other slices. An amount counts as coming in at the
    /// end of its old slice, or now in the one in progress: never too early.
    pub(crate) fn resliced(&self, from: Slice, to: Slice, now: Timestamp) -> Self {
        let mut ring = Self { head: to.number(now), cells: [0; N] };
        for number in self.head.saturating_sub(N as u64 - 1)..=self.head {
            let end_ns = from.start_ns(number.saturating_add(1)).saturating_sub(1).min(now.as_nanos());
            let number_now = to.number(Timestamp::from_nanos(end_ns));
            if ring.head - number_now < N as u64 {
                let cell = ring.cell(number_now);
                *cell = cell.saturating_add(self.cells[index::<N>(number)]);
            }
        }
        ring
    }

    fn cell(&mut self, number: u64) -> &mut u64 {
        &mut self.cells[index::<N>(number)]
    }
}

fn index<const N: usize>(number: u64) -> usize {
    // Below `N`, so nothing is cut off.
    (number % N as u64) as usize
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Against a list of what came in when.
        #[test]
        fn keeps_what_is_in_the_window_and_at_most_a_slice_longer(
            window_ns in 1..200u64,
            steps in vec((0..60u64, 0..5u64), 1..60),
        ) {
            let slice = Slice::of(window_ns, 5);
            let mut ring = Ring::<5>::empty();
            let mut history: Vec<(u64, u64)> = Vec::new();
            let mut now_ns = 0;
            for (pass_ns, amount) in steps {
                now_ns += pass_ns;
                prop_assert!(!ring.advance(slice, Timestamp::from_nanos(now_ns)));
                ring.add(amount);
                history.push((now_ns, amount));
                let within = |span_ns: u64| {
                    let kept = history.iter().filter(|(at_ns, _)| now_ns - at_ns < span_ns);
                    kept.map(|(_, amount)| amount).sum::<u64>()
                };
                prop_assert!(ring.total() >= within(window_ns));
                prop_assert!(ring.total() <= within(5 * slice.0.get()));
                let left: u64 = ring.leaving(slice).map(|(at_ns, amount)| { assert!(at_ns > now_ns); amount }).sum();
                prop_assert_eq!(left, ring.total());
            }
        }

        #[test]
        fn loses_nothing_of_the_window_in_other_slices(
            cells in any::<[u8; 5]>(),
            (from_ns, to_ns, late_ns) in (1..100u64, 1..100u64, 0..100u64),
        ) {
            let (from, to) = (Slice::of(from_ns * 4, 5), Slice::of(to_ns * 4, 5));
            let mut ring = Ring::<5> { head: 50, cells: cells.map(u64::from) };
            let now = Timestamp::from_nanos(50 * from_ns + late_ns);
            ring.advance(from, now);
            let after = ring.resliced(from, to, now);
            prop_assert!(after.total() <= ring.total());
            if to_ns >= from_ns * 2 {
                prop_assert_eq!(after.total(), ring.total());
            }
        }
    }

    #[test]
    fn follows_a_clock_that_was_set_back_and_keeps_all_for_a_window() {
        let second = 1_000_000_000;
        let slice = Slice::of(40 * second, 5);
        let at = |seconds: u64| Timestamp::from_nanos(seconds * second);
        let mut ring = Ring::<5>::empty();
        ring.advance(slice, at(1_000));
        ring.add(3);
        ring.advance(slice, at(1_010));
        ring.add(4);
        assert!(!ring.advance(slice, at(1_005)), "late, so time stands still");
        assert_eq!(ring.head, 101);
        assert!(ring.advance(slice, at(500)));
        assert_eq!((ring.head, ring.total()), (50, 7));
        ring.advance(slice, at(549));
        assert_eq!(ring.total(), 7);
        ring.advance(slice, at(550));
        assert_eq!(ring.total(), 0);
    }
}
