//! How often each decision was made.

use std::sync::atomic::{AtomicU64, Ordering};

use vak_types::Decision;

const ALL: [Decision; 4] = [Decision::Allow, Decision::Backtrack, Decision::Escalate, Decision::Deny];

/// Verdicts since the start.
#[derive(Debug, Default)]
pub(crate) struct Verdicts([AtomicU64; ALL.len()]);

impl Verdicts {
    pub(crate) fn count(&self, decision: Decision) {
        let at = ALL.iter().position(|it| *it == decision);
        if let Some(count) = at.and_then(|at| self.0.get(at)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// With each decision, from loosest to strictest.
    pub(crate) fn all(&self) -> [(Decision, u64); ALL.len()] {
        let mut counts = self.0.iter().map(|count| count.load(Ordering::Relaxed));
        ALL.map(|decision| (decision, counts.next().unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_counted_as_what_it_is() {
        let verdicts = Verdicts::default();
        for (times, decision) in ALL.into_iter().enumerate() {
            (0..=times).for_each(|_| verdicts.count(decision));
        }
        let counts = [(Decision::Allow, 1), (Decision::Backtrack, 2), (Decision::Escalate, 3), (Decision::Deny, 4)];
        assert_eq!(verdicts.all(), counts);
    }
}
