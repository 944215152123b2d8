//! A whole policy, as the README shows it.

use vak_sdk::policy::{Action, Description, Effect, Finding, JudgeError, Policy};

#[derive(Default)]
struct NoShell;

impl Policy for NoShell {
    fn evaluate(&self, action: &Action) -> Result<Finding, JudgeError> {
        match action.operation.ends_with("/shell") {
            true => Ok(Finding::forbid("no-shell", "agents may not open a shell")),
            false => Ok(Finding::abstain()),
        }
    }

    fn describe(&self) -> Description {
        Description::of("Keeps agents out of shells.").rule("no-shell", Effect::Forbid, "No shells.")
    }
}

vak_sdk::export_policy!(NoShell);
