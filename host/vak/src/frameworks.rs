//! Frameworks that agents are written in, each as its adapter understands it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use vak_plugin::{Adapter, AdapterError, Info, Intake};
use vak_types::{ComponentRef, Decision, Json, Name, Operation, Pattern};

use crate::config;

/// Those of a configuration, by the name of the adapter.
pub(crate) type Frameworks = BTreeMap<Name, Arc<Framework>>;

/// An adapter, what the operator says about it, and what came through it.
#[derive(Debug)]
pub struct Framework {
    name: Name,
    adapter: Adapter,
    blocked: Vec<Pattern<Operation>>,
    passed: Vec<Pattern<Operation>>,
    counts: Arc<Counts>,
}

/// What becomes of an operation before any policy is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Course {
    /// It is decided.
    Decide,
    /// The operator blocks it: it is denied, and that is recorded.
    Blocked,
    /// The operator lets it pass undecided. Nothing is recorded.
    Passed,
}

/// What came through an adapter since the host was started.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    messages: [AtomicU64; 4],
    actions: [AtomicU64; 6],
}

/// What came through an adapter since the host was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Statistics {
    /// Messages that asked for actions.
    pub asked: u64,
    /// Messages that said how actions ended.
    pub ended: u64,
    /// Messages that were about neither.
    pub neither: u64,
    /// Messages that the adapter did not understand, or failed at.
    pub refused: u64,
    /// Actions that were allowed.
    pub allowed: u64,
    /// Actions for which another way should be tried.
    pub backtracked: u64,
    /// Actions that were put to a person.
    pub escalated: u64,
    /// Actions that were denied, but for those that are blocked.
    pub denied: u64,
    /// Actions that the operator blocks.
    pub blocked: u64,
    /// Actions that the operator lets pass undecided.
    pub passed: u64,
}

impl Framework {
    pub(crate) fn new(adapter: Adapter, settings: &config::Adapter) -> Self {
        Self {
            name: settings.name.clone(),
            adapter,
            blocked: settings.blocked.clone(),
            passed: settings.pass.clone(),
            counts: Arc::default(),
        }
    }

    /// The adapter's name in the configuration.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// What the adapter says of itself.
    pub fn info(&self) -> &Info {
        self.adapter.info()
    }

    /// Exactly which component the adapter is.
    pub fn component(&self) -> &ComponentRef {
        self.adapter.component()
    }

    /// What came through it.
    pub fn statistics(&self) -> Statistics {
        let Counts { messages, actions } = &*self.counts;
        let [asked, ended, neither, refused] = messages.each_ref().map(|count| count.load(Relaxed));
        let [allowed, backtracked, escalated, denied, blocked, passed] =
            actions.each_ref().map(|count| count.load(Relaxed));
        Statistics { asked, ended, neither, refused, allowed, backtracked, escalated, denied, blocked, passed }
    }

    /// Reads a message.
    pub(crate) fn read(&self, event: &Json) -> Result<Intake, AdapterError> {
        let intake = self.adapter.ingest(event);
        let [asked, ended, neither, refused] = &self.counts.messages;
        let count = match &intake {
            Ok(Intake::Actions(_)) => asked,
            Ok(Intake::Outcomes(_)) => ended,
            Ok(Intake::Pass) => neither,
            Err(_) => refused,
        };
        count.fetch_add(1, Relaxed);
        intake
    }

    /// Counts a message that is not read.
    pub(crate) fn refuse(&self) {
        let [.., refused] = &self.counts.messages;
        refused.fetch_add(1, Relaxed);
    }

    /// The adapter, to write with.
    pub(crate) fn adapter(&self) -> &Adapter {
        &self.adapter
    }

    pub(crate) fn course(&self, operation: &Operation) -> Course {
        // What is named in both is blocked.
        match () {
            () if Pattern::any(&self.blocked, operation) => Course::Blocked,
            () if Pattern::any(&self.passed, operation) => Course::Passed,
            () => Course::Decide,
        }
    }

    pub(crate) fn count(&self, course: Course, decision: Decision) {
        let [allowed, backtracked, escalated, denied, blocked, passed] = &self.counts.actions;
        let count = match (course, decision) {
            (Course::Blocked, _) => blocked,
            (Course::Passed, _) => passed,
            (Course::Decide, Decision::Allow) => allowed,
            (Course::Decide, Decision::Backtrack) => backtracked,
            (Course::Decide, Decision::Escalate) => escalated,
            (Course::Decide, Decision::Deny) => denied,
        };
        count.fetch_add(1, Relaxed);
    }

    /// The same, counting on where `before` is.
    fn after(mut self, before: &Self) -> Self {
        self.counts = Arc::clone(&before.counts);
        self
    }
}

/// Has those that stay count on.
pub(crate) fn counting_on(now: BTreeMap<Name, Framework>, before: Option<&Frameworks>) -> Frameworks {
    let after = |(name, framework): (Name, Framework)| {
        let framework = match before.and_then(|before| before.get(&name)) {
            Some(before) => framework.after(before),
            None => framework,
        };
        (name, Arc::new(framework))
    };
    now.into_iter().map(after).collect()
}
