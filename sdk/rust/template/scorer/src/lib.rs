//! Trusts a step less the more it can change on untrusted input.

use vak_sdk::scorer::{Action, Assessment, JudgeError, Scorer};

/// How the names of operations that change nothing start.
const READING: [&str; 5] = ["find", "get", "list", "read", "search"];

#[derive(Default)]
struct Caution;

// Runs without clock, randomness and files: the answer depends on the action
// alone. An error says that the action could not be judged.
impl Scorer for Caution {
    fn evaluate(&self, action: &Action) -> Result<Assessment, JudgeError> {
        let name = action.operation.rsplit('/').next().unwrap_or_default();
        let reads = READING.iter().any(|verb| name.starts_with(verb));
        let untrusted = action.labels.iter().any(|label| label == "untrusted-input");
        Ok(match (reads, untrusted) {
            (true, _) => Assessment::new(1.0, "only reads"),
            (false, true) => Assessment::new(0.25, "changes something on untrusted input"),
            (false, false) => Assessment::new(0.75, "changes something"),
        })
    }
}

vak_sdk::export_scorer!(Caution);
