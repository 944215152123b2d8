//! Understands the AutoGPT Platform and AutoGPT Classic. `README.md` says what it
//! is sent, what it answers, and where the shapes come from.
//!
//! Neither has a place where a guard is plugged in: a wrapper of `Block.execute`, of
//! the executor, or of `Agent.execute` sends its arguments here.

mod classic;
mod event;
mod goals;
mod platform;
mod reply;

use vak_sdk::adapter::{Adapter, AdapterError, Answer, ConfigError, Configure, Info, Intake, Request, each, one};

use crate::event::{Event, Item};
use crate::goals::Goals;

/// The adapter, and what it takes for risky.
#[derive(Debug)]
pub struct AutoGpt {
    goals: Goals,
}

impl Configure for AutoGpt {
    fn configure(config: &str) -> Result<Self, ConfigError> {
        let goals = Goals::read(config).map_err(|problem| {
            let number = |count: usize| u32::try_from(count + 1).unwrap_or(u32::MAX);
            let before = problem.at.map(|at| &config[..config.floor_char_boundary(at)]);
            ConfigError {
                message: problem.message,
                line: before.map(|before| number(before.matches('\n').count())),
                column: before.map(|before| number(before.rsplit('\n').next().unwrap_or("").chars().count())),
            }
        })?;
        Ok(Self { goals })
    }
}

impl Adapter for AutoGpt {
    fn describe(&self) -> Info {
        let versions = ["platform 00605b2f", "classic 1e9971c1", "agpt 0.2.2"].map(str::to_owned).to_vec();
        Info { framework: "autogpt".to_owned(), versions, rewrites: true }
    }

    fn ingest(&self, event: &str) -> Result<Intake, AdapterError> {
        Ok(match Event::read(event)? {
            Event::One(session, item) => Intake::Actions(vec![self.request(&session, *item)]),
            Event::Several(_, items) if items.is_empty() => Intake::Pass,
            Event::Several(session, items) => {
                Intake::Actions(items.into_iter().map(|item| self.request(&session, item)).collect())
            }
            Event::Ended(ended) if ended.is_empty() => Intake::Pass,
            Event::Ended(ended) => Intake::Outcomes(ended),
        })
    }

    fn render(&self, event: &str, answers: &[Answer]) -> Result<String, AdapterError> {
        match Event::read(event)? {
            Event::One(_, item) => reply::to_one(&item, one(answers)?),
            Event::Several(_, items) => reply::to_all(&items, each(items.len(), answers)?),
            Event::Ended(_) => each(0, answers).map(|_| "{}".to_owned()),
        }
    }
}

impl AutoGpt {
    fn request(&self, session: &str, item: Item) -> Request {
        let Item { call, operation, resource, arguments, mut labels, goal, .. } = item;
        if let Some(goal) = goal {
            labels.extend(self.goals.labels(&goal));
        }
        let session = Some(session.to_owned());
        Request { call, session, operation: format!("autogpt/{operation}"), resource, arguments, labels }
    }
}

vak_sdk::export_configurable_adapter!(AutoGpt);
