//! The running host.

mod messages;
mod persons;
mod skills;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use vak_audit::{
    Acceptance, AppendError, Body, Draft, Dropped, EncodeError, LogReader, ReadError, Receipt, Status, StopCause, Tier,
    VerifierKey, What,
};
use vak_pipeline::{Able, Guard as _, Standing};
use vak_plugin::{Policy, Prospect, Skill};
use vak_types::{
    Action, ActionId, ActionRequest, AgentId, Decision, Label, Name, Operation, Reason, Resource, SessionId, Timestamp,
    Verdict,
};

use crate::approvals::Approvals;
use crate::begun::Begun;
use crate::builder::HostBuilder;
use crate::clock::ActionIds;
use crate::config::{Config, ConfigError};
use crate::inventory::Part;
use crate::kept::Keeper;
use crate::ledger::AuditLedger;
use crate::limiter::Held;
use crate::lookout::Lookout;
use crate::names::{self, StampError};
use crate::outcome::Outcome;
use crate::reloads::Reloads;
use crate::running::{PrepareError, Prepared, Running, Switch, SwitchError};
use crate::sessions::first_since;
use crate::shadow::Shadows;
use crate::verdicts::Verdicts;

pub use messages::{Message, MessageError, Settled};
pub use skills::{Called, Ended, InvokeError, SkillCall};

pub(crate) type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// A verdict with the receipt of its entry in the log.
pub type Decided = vak_pipeline::Decided<Receipt, Held>;

/// On whose behalf a skill is called. The surface vouches for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The agent.
    pub agent: AgentId,
    /// Its session.
    pub session: SessionId,
    /// Where the input comes from.
    pub labels: Vec<Label>,
}

/// What the log says of a decision.
#[derive(Debug, Clone, Copy)]
pub struct DecidedBefore<'a> {
    /// The action's id.
    pub action: &'a ActionId,
    /// Its session.
    pub session: &'a SessionId,
    /// What was to be done.
    pub operation: &'a Operation,
    /// What to.
    pub resource: &'a Resource,
    /// Whether it was allowed.
    pub allowed: bool,
}

/// Why something was not recorded.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The decision was not recorded, or it did not allow the action, so it
    /// has no outcome.
    #[error("the action was not allowed, so it has no outcome to record")]
    NotAllowed,
    /// The entry is too long.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The log did not take it.
    #[error(transparent)]
    Append(#[from] AppendError),
}

/// What a refused caller is told, in one line.
pub fn refusal(verdict: &Verdict) -> String {
    let word = match verdict.decision {
        Decision::Deny | Decision::Allow => "denied",
        Decision::Escalate => "needs a person's approval",
        Decision::Backtrack => "try another way",
    };
    let reason = verdict.deciding().map_or_else(|| "no reason given".to_owned(), ToString::to_string);
    let wait = verdict.retry_after_ms.map(|wait| format!(" (retry after {wait} ms)")).unwrap_or_default();
    format!("{word} by {reason}{wait}")
}

/// A running host. Shared by reference; every method may be called at any time
/// from any task.
pub struct Host {
    switch: Switch,
    lookout: Lookout,
    reloads: Reloads,
    ledger: Arc<AuditLedger>,
    shadows: Shadows,
    approvals: Approvals,
    keeper: Keeper,
    verdicts: Verdicts,
    skill_calls: Semaphore,
    verifier: VerifierKey,
    clock: Clock,
    ids: ActionIds,
}

impl Host {
    /// A host with this configuration, not yet started.
    pub fn builder(config: Config) -> HostBuilder {
        HostBuilder::new(config)
    }

    #[expect(clippy::too_many_arguments, reason = "each is made elsewhere, and this is called once")]
    pub(crate) fn new(
        running: Running,
        lookout: Lookout,
        ledger: Arc<AuditLedger>,
        approvals: Approvals,
        keeper: Keeper,
        verifier: VerifierKey,
        clock: Clock,
        ids: ActionIds,
    ) -> Self {
        let skill_calls = Semaphore::new(skills::AT_ONCE_MAX);
        let shadows = Shadows::new(Arc::clone(&ledger));
        Self {
            switch: Switch::new(running),
            lookout,
            reloads: Reloads::default(),
            ledger,
            shadows,
            approvals,
            keeper,
            verdicts: Verdicts::default(),
            skill_calls,
            verifier,
            clock,
            ids,
        }
    }

    /// Verifies and loads all that another configuration names, beside what
    /// decides. Blocks, as [`HostBuilder::build`] does.
    ///
    /// # Errors
    /// Something that it names is missing, wrong or not trusted, or it changes
    /// what a host has from its start on: `state`, `audit` or `mcp`.
    pub fn prepare(&self, config: Config) -> Result<Prepared, PrepareError> {
        Prepared::new(config, &self.config(), (self.clock)())
    }

    /// Whether what decides is what `next` would let decide: the same settings, and
    /// the same components that the same keys vouch for. What settings lead to
    /// without naming its contents, such as a secret's file, is not looked at.
    ///
    /// # Errors
    /// The settings can't be written as text.
    pub fn is_running(&self, next: &Prepared) -> Result<bool, ConfigError> {
        next.is_like(&self.switch.now())
    }

    /// How changes of the configuration went.
    pub fn reloads(&self) -> &Reloads {
        &self.reloads
    }

    /// Lets another configuration decide, from one decision to the next. The log
    /// says so, and has each verdict after the configuration that gave it.
    /// What was used of a limit that stays is still used.
    ///
    /// If this is dropped before it is ready, the log stops, and the host denies
    /// everything.
    ///
    /// # Errors
    /// The log does not take the entry.
    pub async fn switch_to(&self, next: Prepared) -> Result<Receipt, SwitchError> {
        let receipt = self.switch.to(next, &self.ledger, (self.clock)()).await?;
        self.switch.now().keep(&self.keeper);
        Ok(receipt)
    }

    /// Gives a request an id and the time.
    ///
    /// # Errors
    /// A name in it could be taken for another.
    pub fn stamp(&self, request: ActionRequest) -> Result<Action, StampError> {
        self.stamp_as(request, self.ids.next()?)
    }

    /// The same with an id from elsewhere. Whoever gives it sees to it that no
    /// other action has it; those of [`stamp`](Self::stamp) have no `@`.
    ///
    /// # Errors
    /// A name in it could be taken for another.
    pub fn stamp_as(&self, request: ActionRequest, id: ActionId) -> Result<Action, StampError> {
        names::check(&request)?;
        Ok(request.at(id, (self.clock)()))
    }

    /// Decides one action: limits, policies, ledger. The action may be carried
    /// out if, and only if, the verdict [is an allow](Verdict::is_allow), and as
    /// it was asked: a policy that obliges to more denies it. See
    /// [`decide_for`](Self::decide_for).
    ///
    /// Policies run on the calling thread, some microseconds each and never
    /// longer than their wall-time limit.
    pub async fn decide(&self, action: &Action) -> Decided {
        self.decide_for(action, Able::default()).await
    }

    /// The same for somebody who is `able` to meet obligations, and does so:
    /// carries an allowed action out with [`Decided::arguments`], and sends the
    /// headers among the verdict's obligations.
    pub async fn decide_for(&self, action: &Action, able: Able) -> Decided {
        self.decide_with(None, action, able).await
    }

    /// The same for somebody who carries it out `with` a component that was loaded
    /// before, perhaps by another configuration than decides now.
    async fn decide_with(&self, with: Option<&Part>, action: &Action, able: Able) -> Decided {
        let (_guard, running) = self.switch.hold().await;
        let decided = match self.in_the_way(&running, with, action) {
            Some(why) => running.pipeline.refuse(action, &why).await,
            None => {
                let decided = running.pipeline.decide(action, able).await;
                self.follow_up(&running, action, &decided, Vec::new());
                decided
            }
        };
        self.verdicts.count(decided.verdict.decision);
        decided
    }

    /// Why `action` is denied without asking any policy: something was withdrawn
    /// that would judge it or carry it out.
    fn in_the_way(&self, running: &Running, with: Option<&Part>, action: &Action) -> Option<String> {
        let known = self.lookout.look();
        let held = with.and_then(|part| part.stopped(&known));
        held.or_else(|| running.in_the_way(&running.inventory.stopped(&known), action))
    }

    /// What comes after a verdict. `answered` is what a person agreed to before.
    fn follow_up(&self, running: &Running, action: &Action, decided: &Decided, answered: Vec<Reason>) {
        let Decided { verdict, receipt: Some(receipt), .. } = decided else { return };
        if verdict.decision == Decision::Escalate {
            self.approvals.keep(receipt, action, verdict, answered, running.config.approvals.wait());
        }
        if !running.shadows.is_empty() && verdict.is_judged() {
            let now = (self.clock)();
            let stopped = running.inventory.stopped(&self.lookout.look());
            self.shadows.ask(&running.shadows, &stopped, running.sessions.as_ref(), action, receipt.seq(), now);
        }
    }

    /// Denies an action for a reason that the surface has and no policy can know,
    /// and records that.
    pub async fn refuse(&self, action: &Action, why: &str) -> Decided {
        let (_guard, running) = self.switch.hold().await;
        let decided = running.pipeline.refuse(action, why).await;
        self.verdicts.count(decided.verdict.decision);
        decided
    }

    /// How often each decision was made since the start.
    pub fn verdicts(&self) -> [(Decision, u64); 4] {
        self.verdicts.all()
    }

    /// Records how an allowed action ended, and ends what its limits hold: what
    /// failed or was withdrawn is given back where a limit says so, what
    /// succeeded or is unknown is spent, as much as the outcome says or else as
    /// was reserved. A decision
    /// without an outcome holds for `hold_s`.
    ///
    /// # Errors
    /// The action was not allowed, or the log does not take the entry.
    pub async fn record_outcome(
        &self,
        action: &Action,
        decided: Decided,
        outcome: Outcome,
    ) -> Result<Receipt, RecordError> {
        self.conclude(Begun::of(action, decided).ok_or(RecordError::NotAllowed)?, outcome).await
    }

    /// The same for an action that has been kept, without what its outcome needs
    /// nothing of.
    ///
    /// # Errors
    /// The log does not take the entry.
    pub async fn conclude(&self, begun: Begun, outcome: Outcome) -> Result<Receipt, RecordError> {
        let Begun { about, decision, held } = begun;
        let now = (self.clock)();
        if let Some(held) = held {
            let spent: Vec<_> = outcome.spent.iter().map(|(what, amount)| (what.as_str(), *amount)).collect();
            match outcome.status {
                Status::Failed => held.fail(now),
                Status::Unknown if outcome.withdrawn => held.fail(now),
                // It may have happened, and then it has cost what it costs.
                Status::Succeeded | Status::Unknown => held.succeed(&spent, now),
            }
        }
        let Outcome { status, result, detail, duration, .. } = outcome;
        let duration_ns = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let outcome = vak_audit::Outcome { decision, status, result, detail, duration_ns };
        let draft = Draft::outcome(&about, now, &outcome)?;
        Ok(self.ledger.log.append(draft, self.ledger.tier).await?)
    }

    /// Records that `count` calls were refused before they were actions that
    /// could be decided.
    ///
    /// # Errors
    /// The log does not take the entry.
    pub async fn record_refused(&self, count: u64, reason: String) -> Result<Receipt, RecordError> {
        let dropped = Dropped { what: What::Calls { count }, reason };
        let draft = Draft::dropped((self.clock)(), dropped)?;
        Ok(self.ledger.log.append(draft, self.ledger.tier).await?)
    }

    /// Records that how an MCP server describes something counts from here on, and
    /// waits until that is on disk: to be called before it counts.
    ///
    /// # Errors
    /// The log does not take the entry.
    pub async fn record_acceptance(&self, acceptance: Acceptance) -> Result<Receipt, RecordError> {
        let draft = Draft::acceptance((self.clock)(), acceptance)?;
        Ok(self.ledger.log.append(draft, Tier::Durable).await?)
    }

    /// What `each` makes of the actions that were decided in the last while, oldest
    /// first: of the newest of them, if there are more than `most`. Blocks while it
    /// reads the log.
    ///
    /// # Errors
    /// The log can't be read.
    pub fn decided_within<T>(
        &self,
        time: Duration,
        most: usize,
        mut each: impl FnMut(&DecidedBefore<'_>) -> T,
    ) -> Result<Vec<T>, ReadError> {
        let log = LogReader::open(&self.log())?;
        let size = log.size()?;
        // Each has one entry, and most have another for their outcomes.
        let newest = size.saturating_sub((most as u64).saturating_mul(2));
        let from = first_since(&log, size, (self.clock)().before(time))?.max(newest);
        let mut decided = Vec::new();
        for entry in log.entries(from, size - from) {
            if let Body::Decision(about, decision) = entry?.body {
                decided.push(each(&DecidedBefore {
                    action: &about.action,
                    session: &about.session,
                    operation: &decision.operation,
                    resource: &decision.resource,
                    allowed: decision.verdict.is_allow(),
                }));
            }
        }
        decided.drain(..decided.len().saturating_sub(most));
        Ok(decided)
    }

    /// Why nothing can be recorded any more, if the log has stopped. The host
    /// denies everything then.
    pub fn stopped(&self) -> Option<StopCause> {
        self.ledger.log.stopped()
    }

    /// The skills, by name, as they are now.
    pub fn skills(&self) -> Arc<BTreeMap<Name, Arc<Skill>>> {
        Arc::clone(&self.switch.now().skills)
    }

    /// The policies, in the order they are asked, as they are now.
    pub fn policies(&self) -> Arc<[Policy]> {
        Arc::clone(self.switch.now().pipeline.guards())
    }

    /// Whether the policies, as they are now, could ever allow an action with these
    /// names, whatever else is in it. `false` only where that is certain; nothing
    /// is decided or recorded. Runs on the calling thread, some microseconds for
    /// each policy.
    pub fn may_ever(&self, agent: &AgentId, operation: &Operation, resource: &Resource) -> bool {
        let mut may = false;
        for policy in &*self.policies() {
            match policy.prospects(agent, operation, resource) {
                Prospect::AlwaysForbids => return false,
                Prospect::Open => may |= policy.standing() == Standing::MayPermit,
                Prospect::NeverPermits => {}
            }
        }
        may
    }

    /// How many of the components that decide now, or are called, have stopped
    /// because a marketplace withdrew them. `None` if what was withdrawn can't be
    /// read, so that all has.
    pub fn withdrawn(&self) -> Option<usize> {
        let stopped = self.switch.now().inventory.stopped(&self.lookout.look());
        stopped.everything().is_none().then(|| stopped.count())
    }

    /// The configuration that decides now.
    pub fn config(&self) -> Arc<Config> {
        Arc::clone(&self.switch.now().config)
    }

    /// The audit log's file.
    pub fn log(&self) -> PathBuf {
        self.config().log()
    }

    /// The public key that the log's checkpoints verify with.
    pub fn verifier_key(&self) -> &VerifierKey {
        &self.verifier
    }

    /// Commits what is queued for the log and stops.
    ///
    /// # Errors
    /// The log had stopped before.
    pub fn close(self) -> Result<(), AppendError> {
        let Self { switch, ledger, shadows, keeper, clock, .. } = self;
        drop(switch);
        shadows.close(clock());
        // A skill that still runs has no part in the log.
        let closed = match Arc::into_inner(ledger) {
            Some(ledger) => ledger.log.close().map(drop),
            None => Ok(()),
        };
        keeper.close();
        closed
    }
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host")
            .field("config", &self.config())
            .field("skills", &self.skills().keys())
            .finish_non_exhaustive()
    }
}
