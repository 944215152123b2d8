//! What a person has to decide: actions that were escalated, kept until somebody
//! answers or the time is up, and each yes until it is used, once.
//!
//! An action is named by the place of its decision in the log. Whoever may look,
//! answer or use is the surface's to say: nothing here is for agents.

mod restored;
mod stopwatch;
mod table;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use vak_audit::{Answer, AppendError, EncodeError, ReadError, Receipt};
use vak_pipeline::Approval;
use vak_types::{Action, ActionId, AgentId, Digest, Person, Reason, SessionId, Timestamp, Verdict, printable};

use self::table::{Asked, Table};
use crate::config::Config;
use crate::host::Clock;
use crate::names::{self, StampError};

/// Longest note that is kept, in bytes.
const NOTE_BYTES_MAX: usize = 1_024;

/// An action that a person has to decide.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// Its name: the place of its decision in the log.
    pub seq: u64,
    /// What was asked.
    pub action: Arc<Action>,
    /// Who wants a person's word, and why.
    pub verdict: Arc<Verdict>,
    /// Since when it waits.
    pub since: Timestamp,
    /// From when on nobody can answer any more.
    pub until: Timestamp,
}

/// Who asked for an action that was escalated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker {
    /// The agent.
    pub agent: AgentId,
    /// Its session.
    pub session: SessionId,
    /// The action's id.
    pub action: ActionId,
}

/// What became of an action that was escalated.
#[derive(Debug, Clone)]
pub enum Standing {
    /// It waits for an answer.
    Waiting(Waiting),
    /// A person agreed: it can be decided again.
    Approved {
        /// Who.
        by: Person,
        /// From when on it can't any more.
        until: Timestamp,
    },
    /// A person did not agree.
    Rejected {
        /// Who.
        by: Person,
        /// What they had to say about it.
        note: String,
    },
    /// It was decided again.
    Used,
}

/// Why an action is not answered, or not decided again.
#[derive(Debug, thiserror::Error)]
pub enum ApprovalError {
    /// Nothing is known of it.
    #[error("entry {0} waits for no answer: it was not escalated, is long over, or was asked before the host started")]
    Unknown(u64),
    /// It was escalated, and too much waited already.
    #[error(
        "entry {0} waits for no answer: {max} actions of its agent did, or as many as the host keeps; ask again later",
        max = table::AGENT_MAX
    )]
    TooMany(u64),
    /// The time was up before somebody answered, or before the answer was used.
    #[error("entry {0} was not answered and used in time; ask again")]
    Expired(u64),
    /// Somebody answered before.
    #[error("entry {0} was answered already")]
    Answered(u64),
    /// Nobody answered yet.
    #[error("nobody has answered entry {0} yet")]
    Unanswered(u64),
    /// The answer was no.
    #[error("the answer to entry {0} was no")]
    Rejected(u64),
    /// The answer was yes, and it counts once.
    #[error("the answer to entry {0} was used already; ask again")]
    Used(u64),
    /// Something in the action is not as it was asked.
    #[error("entry {0} is about another action; what is decided again has to be the same, byte for byte")]
    OtherAction(u64),
    /// Nobody answers for themselves.
    #[error("`{0}` is, or reads like, the agent that asks; somebody else has to answer")]
    Own(Person),
    /// The person's name could be taken for another.
    #[error(transparent)]
    Name(#[from] StampError),
    /// The answer does not fit into an entry.
    #[error("the answer cannot be recorded: {0}")]
    Encode(#[from] EncodeError),
    /// The log did not take the answer, so it does not count.
    #[error("the answer cannot be recorded: {0}")]
    Append(#[from] AppendError),
}

/// What waits for persons.
pub(crate) struct Approvals {
    table: Mutex<Table>,
    clock: Clock,
}

impl Approvals {
    /// What waited when the host before this one ended.
    pub(crate) fn restored(config: &Config, clock: &Clock, now: Timestamp) -> Result<Self, ReadError> {
        Ok(Self { table: Mutex::new(restored::restored(config, now)?), clock: Arc::clone(clock) })
    }

    /// The table and the time, which is read while nobody else can: what looks
    /// later sees a later time.
    fn table(&self) -> (MutexGuard<'_, Table>, Timestamp) {
        // No code that may panic runs between two changes that belong together.
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let now = (self.clock)();
        table.look(now);
        (table, now)
    }

    /// Keeps an action that entry `receipt` escalated. `answered` is what a
    /// person agreed to before.
    pub(crate) fn keep(
        &self,
        receipt: &Receipt,
        action: &Action,
        verdict: &Verdict,
        answered: Vec<Reason>,
        wait: Duration,
    ) {
        // An entry that may be lost is no name: another could get it.
        let Receipt::Durable { seq, leaf, .. } = receipt else { return };
        let (action, verdict) = (Arc::new(action.clone()), Arc::new(verdict.clone()));
        let asked = Asked { seq: *seq, leaf: *leaf, action, verdict, answered };
        let agent = asked.action.agent.clone();
        let (mut table, now) = self.table();
        if !table.keep(asked, now, wait) {
            drop(table);
            tracing::warn!(%agent, seq, "an action is escalated, and too many wait: no person is asked");
        }
    }

    pub(crate) fn waiting(&self) -> Vec<Waiting> {
        self.table().0.waiting()
    }

    pub(crate) fn standing(&self, seq: u64) -> Result<Standing, ApprovalError> {
        self.table().0.standing(seq)
    }

    pub(crate) fn asker(&self, seq: u64) -> Result<Asker, ApprovalError> {
        self.table().0.asker(seq)
    }

    /// An action that a person has approved, and that is the same as `action` but
    /// for its id and when it was asked. Whether that is still good shows when it is
    /// used, so nobody needs to know the time.
    pub(crate) fn approved_like(&self, action: &Action) -> Option<(u64, Action)> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner).approved_like(action)
    }

    /// The action that entry `seq` escalated.
    pub(crate) fn action(&self, seq: u64) -> Result<Arc<Action>, ApprovalError> {
        self.table().0.action(seq)
    }

    /// Lets `by` answer, and nobody else. A yes will be `good` for so long.
    pub(crate) fn begin_answer(&self, seq: u64, by: &Person, good: Duration) -> Result<Answering<'_>, ApprovalError> {
        names::of_person(by)?;
        let (mut table, now) = self.table();
        let own = |action: &Action| match names::read_alike(by.as_str(), action.agent.as_str()) {
            true => Err(ApprovalError::Own(by.clone())),
            false => Ok(()),
        };
        let (action, leaf) = table.begin_answer(seq, good, own)?;
        Ok(Answering { approvals: self, seq, action, leaf, now, until: now.after(good), open: true })
    }

    /// Lets the yes to entry `seq` be used for `action`, and for nothing else.
    pub(crate) fn begin_use(&self, seq: u64, action: &Action) -> Result<Using<'_>, ApprovalError> {
        let (mut table, now) = self.table();
        let approval = table.begin_use(seq, action)?;
        Ok(Using { approvals: self, seq, approval, now, open: true })
    }
}

/// What a person says beside yes and no, as it is kept.
pub(crate) fn note(text: &str) -> String {
    printable(text, NOTE_BYTES_MAX)
}

/// An answer on its way to the log. If it is dropped there nobody knows whether
/// it arrived, and it does not count.
pub(crate) struct Answering<'a> {
    approvals: &'a Approvals,
    seq: u64,
    pub(crate) action: Arc<Action>,
    pub(crate) leaf: Digest,
    pub(crate) now: Timestamp,
    /// A yes is good until then.
    pub(crate) until: Timestamp,
    open: bool,
}

impl Answering<'_> {
    /// It is in the log, in entry `answer`.
    pub(crate) fn done(mut self, answer: u64, given: Answer, by: &Person, note: String) {
        self.open = false;
        let (mut table, _) = self.approvals.table();
        match given {
            Answer::Approved { until } => table.approve(self.seq, answer, by.clone(), until),
            Answer::Rejected => table.reject(self.seq, by.clone(), note),
        }
    }

    /// It never left.
    pub(crate) fn undone(mut self) {
        self.open = false;
        self.approvals.table().0.unanswer(self.seq);
    }
}

impl Drop for Answering<'_> {
    fn drop(&mut self) {
        if self.open {
            self.approvals.table().0.give_up(self.seq);
        }
    }
}

/// A yes that a verdict is about to count on. If it is dropped it is used: the
/// verdict may be in the log.
pub(crate) struct Using<'a> {
    approvals: &'a Approvals,
    seq: u64,
    pub(crate) approval: Approval,
    pub(crate) now: Timestamp,
    open: bool,
}

impl Using<'_> {
    /// The verdict was a deny, and nothing was done.
    pub(crate) fn unused(mut self) {
        self.open = false;
        self.approvals.table().0.unuse(self.seq);
    }
}

impl Drop for Using<'_> {
    fn drop(&mut self) {
        if self.open {
            self.approvals.table().0.used(self.seq);
        }
    }
}
