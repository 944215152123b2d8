//! Has a person look at an agent that was refused three times within ten
//! minutes: it is being talked into something, or does not know what it does.

use vak_sdk::policy::{Action, Description, Effect, Finding, JudgeError, Policy};
use vak_sdk::session::{self, SessionError};

const STRIKES: u32 = 3;
const WITHIN_MS: u64 = 10 * 60 * 1_000;

#[derive(Default)]
struct ThreeStrikes;

impl Policy for ThreeStrikes {
    fn evaluate(&self, _: &Action) -> Result<Finding, JudgeError> {
        let refused = session::count("*", WITHIN_MS).map(|tally| tally.refused);
        Ok(match refused {
            Ok(refused) if refused < STRIKES => Finding::abstain(),
            Ok(refused) => Finding::escalate("strikes", format!("refused {refused} times within ten minutes")),
            // So busy that the host does not remember ten minutes of it.
            Err(SessionError::Forgotten) => Finding::escalate("strikes", "nobody knows what it was refused"),
            Err(SessionError::BadPattern) => return Err(JudgeError::Other("`*` is no pattern".to_owned())),
        })
    }

    fn describe(&self) -> Description {
        Description::of("Has a person look at an agent that was refused three times within ten minutes.")
            .rule("strikes", Effect::Escalate, "Three refusals within ten minutes.")
            .asking_for_session()
    }
}

vak_sdk::export_policy!(ThreeStrikes);
