//! A session that did something before.

use vak_policy_rules::Past;

/// What a session did.
#[derive(Debug, Clone)]
pub(crate) struct Earlier {
    pub(crate) steps: Vec<Step>,
    /// How far back all of it is remembered, in milliseconds.
    pub(crate) known_ms: u64,
}

#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) operation: &'static str,
    pub(crate) label: &'static str,
    pub(crate) allowed: bool,
    pub(crate) ms_ago: u64,
}

impl Earlier {
    /// The steps of some time, if it is remembered.
    pub(crate) fn within(&self, ms: u64) -> Option<impl Iterator<Item = &Step>> {
        (ms <= self.known_ms).then(|| self.steps.iter().filter(move |step| step.ms_ago < ms))
    }
}

impl Past for Earlier {
    fn count(&self, operations: &str, within_ms: u64) -> Option<(u32, u32)> {
        let (mut allowed, mut refused) = (0, 0);
        for step in self.within(within_ms)? {
            let meant = match operations.strip_suffix('*') {
                Some(start) => step.operation.starts_with(start),
                None => step.operation == operations,
            };
            match (meant, step.allowed) {
                (false, _) => {}
                (true, true) => allowed += 1,
                (true, false) => refused += 1,
            }
        }
        Some((allowed, refused))
    }

    fn labels(&self, within_ms: u64) -> Option<Vec<String>> {
        Some(self.within(within_ms)?.map(|step| step.label.to_owned()).collect())
    }
}
