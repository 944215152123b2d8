//! Conditions on what the session did before.

use crate::condition::Unknown;
use crate::fact::{Fact, Facts, Name, Source, Why};
use crate::pattern::Pattern;
use crate::test::Range;

/// What the session did before, as the host tells it. Nothing where the host
/// does not remember all of the time that is asked about.
pub trait Past {
    /// How many of these operations were allowed, and how many were not.
    fn count(&self, operations: &str, within_ms: u64) -> Option<(u32, u32)>;

    /// The labels that actions had.
    fn labels(&self, within_ms: u64) -> Option<Vec<String>>;
}

/// Asks the host.
pub(crate) struct Host;

impl Past for Host {
    fn count(&self, operations: &str, within_ms: u64) -> Option<(u32, u32)> {
        let tally = vak_sdk::session::count(operations, within_ms).ok()?;
        Some((tally.allowed, tally.refused))
    }

    fn labels(&self, within_ms: u64) -> Option<Vec<String>> {
        let origins = vak_sdk::session::labels(within_ms).ok()?;
        Some(origins.into_iter().map(|origin| origin.label).collect())
    }
}

/// Nothing is known of the past.
pub(crate) struct Untold;

impl Past for Untold {
    fn count(&self, _: &str, _: u64) -> Option<(u32, u32)> {
        None
    }

    fn labels(&self, _: u64) -> Option<Vec<String>> {
        None
    }
}

/// A condition on the actions of the last so many milliseconds.
#[derive(Debug)]
pub(crate) struct Earlier {
    pub(crate) within_ms: u64,
    pub(crate) what: What,
}

/// What of them.
#[derive(Debug)]
pub(crate) enum What {
    /// How many there were of these operations that were allowed, or refused.
    Count { operations: Box<str>, refused: bool, range: Range },
    /// Some label matches one of the patterns.
    Label(Box<[Pattern]>),
}

impl Earlier {
    pub(crate) fn name(&self) -> Name<'_> {
        let name = match &self.what {
            What::Count { operations, .. } => operations,
            What::Label(_) => "",
        };
        Name { source: Source::Earlier, name }
    }

    pub(crate) fn holds<'r>(&'r self, facts: &Facts<'_>) -> Result<bool, Unknown<'r>> {
        let name = self.name();
        let unknown = |why| Unknown { name, why };
        match &self.what {
            What::Count { range, .. } => {
                let count = self.count(facts).ok_or(unknown(Why::Forgotten))?;
                range.holds(name, Fact::Integer(count), facts)
            }
            What::Label(_) => {
                let labels = facts.past.labels(self.within_ms).ok_or(unknown(Why::Forgotten))?;
                Ok(labels.iter().any(|label| self.means(label)))
            }
        }
    }

    /// How many actions it counts.
    pub(crate) fn count(&self, facts: &Facts<'_>) -> Option<i64> {
        let What::Count { operations, refused, .. } = &self.what else { return None };
        let (allowed, not) = facts.past.count(operations, self.within_ms)?;
        Some(i64::from(if *refused { not } else { allowed }))
    }

    /// The label that makes it hold.
    pub(crate) fn label(&self, facts: &Facts<'_>) -> Option<String> {
        facts.past.labels(self.within_ms)?.into_iter().find(|label| self.means(label))
    }

    fn means(&self, label: &str) -> bool {
        match &self.what {
            What::Label(patterns) => patterns.iter().any(|pattern| pattern.matches(label)),
            What::Count { .. } => false,
        }
    }
}
