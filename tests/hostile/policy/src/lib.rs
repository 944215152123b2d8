//! A policy that misbehaves on request: while it is configured and while it is
//! described, as its configuration says (`configure spin`, `describe spin`),
//! and while it judges, as the operation says (`hostile/spin`). It permits
//! everything else, so one host can be shown to survive all of it.

#[path = "../../misbehave.rs"]
mod misbehave;

use std::hint::black_box;

use vak_sdk::log::{self, Level};
use vak_sdk::policy::{Action, ConfigError, Configure, Description, Effect, Finding, JudgeError, Policy};

use misbehave::{misbehave, too_long};

struct Hostile {
    describe: String,
    ballast: Vec<u8>,
}

impl Configure for Hostile {
    fn configure(config: &str) -> Result<Self, ConfigError> {
        let refuse = |message| Err(ConfigError { message, line: Some(7), column: None });
        let (when, how) = config.split_once(' ').unwrap_or_default();
        let mut hostile = Self { describe: String::new(), ballast: Vec::new() };
        match (when, how) {
            ("configure", "refuse") => return refuse("not\u{1b}[2J today".to_owned()),
            ("configure", "refuse-too-long") => return refuse(too_long()),
            ("configure", "sprinkle") => hostile.ballast = sprinkle(48),
            ("configure", "sprinkle-too-much") => hostile.ballast = sprinkle(200),
            ("configure", how) => misbehave(how),
            ("describe", how) => hostile.describe = how.to_owned(),
            _ => {}
        }
        Ok(hostile)
    }
}

impl Policy for Hostile {
    fn evaluate(&self, action: &Action) -> Result<Finding, JudgeError> {
        match action.operation.strip_prefix("hostile/") {
            Some("reason-too-long") => return Ok(Finding::permit("rule", too_long())),
            Some("rule-too-long") => return Ok(Finding::permit(too_long(), "reason")),
            Some("error-too-long") => return Err(JudgeError::Other(too_long())),
            Some("error") => return Err(JudgeError::Missing("a reason\nto go on".to_owned())),
            Some(how) => misbehave(how),
            None => {}
        }
        if action.operation == "good/wait" {
            log::write(Level::Info, "waiting");
        }
        black_box(&self.ballast);
        Ok(Finding::permit("rule", "no reason not to"))
    }

    fn describe(&self) -> Description {
        misbehave(&self.describe);
        let (rules, bytes) = if self.describe == "too-many-rules" { (100_000, 200) } else { (1, 0) };
        let summary = "a".repeat(bytes);
        (0..rules).fold(Description::of("Hostile."), |description, _| description.rule("", Effect::Permit, &*summary))
    }
}

/// The memory that is dearest to snapshot: each run of bytes that are not zero
/// is a piece of its own.
fn sprinkle(mebibytes: usize) -> Vec<u8> {
    b"\x01\0\0\0\0\0\0\0".repeat((mebibytes << 20) / 8)
}

vak_sdk::export_configurable_policy!(Hostile);
