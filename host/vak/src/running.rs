//! What decides at present, and how something else takes its place.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::{RwLock as Gate, RwLockReadGuard};
use vak_audit::{AppendError, Draft, EncodeError, ReadError, Receipt, Stopper, Tier};
use vak_pipeline::{Guard as _, Pipeline};
use vak_plugin::{Policy, Skill};
use vak_types::{Action, ComponentRef, Name, Timestamp};

use crate::builder::{BuildError, Components, Parts};
use crate::config::Config;
use crate::frameworks::{self, Frameworks};
use crate::inventory::{Inventory, Stopped};
use crate::kept::Keeper;
use crate::ledger::{AuditLedger, configuration};
use crate::limiter::{Limiting, LimitsError};
use crate::sessions::Sessions;

/// What the operation of a call of a skill begins with; its name follows.
pub(crate) const SKILL: &str = "skill/";

pub(crate) type Skills = BTreeMap<Name, Arc<Skill>>;

/// Another configuration, verified and loaded, that does not decide yet. See
/// [`Host::switch_to`](crate::Host::switch_to).
pub struct Prepared {
    config: Config,
    loaded: Components,
}

/// Why a running host does not take another configuration. It goes on with the
/// one it has.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// Something that it names is missing, wrong or not trusted.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// What a host has from its start on.
    #[error("`{0}` cannot change while the host runs; start it again")]
    Fixed(&'static str),
}

/// Why a host did not switch. If there was an entry for it already, its log has
/// stopped, and it denies everything.
#[derive(Debug, thiserror::Error)]
pub enum SwitchError {
    /// There is no entry for it.
    #[error("the configuration cannot be recorded: {0}")]
    Encode(#[from] EncodeError),
    /// The settings can't be written as text, of which the entry has the digest.
    #[error(transparent)]
    Config(#[from] crate::ConfigError),
    /// The log did not take it.
    #[error("the configuration cannot be recorded: {0}")]
    Append(#[from] AppendError),
    /// What sessions did before cannot be read.
    #[error("what sessions did before: {0}")]
    Sessions(#[from] ReadError),
    /// Its limits cannot take the place of those that run.
    #[error(transparent)]
    Limits(#[from] LimitsError),
}

/// What decides.
pub(crate) struct Running {
    pub(crate) pipeline: Pipeline<Arc<Limiting>, Policy, Arc<AuditLedger>>,
    pub(crate) skills: Arc<Skills>,
    pub(crate) frameworks: Arc<Frameworks>,
    pub(crate) config: Arc<Config>,
    pub(crate) shadows: Arc<[Policy]>,
    pub(crate) sessions: Option<Arc<Sessions>>,
    /// All components, as the log names them.
    components: Vec<Arc<ComponentRef>>,
    /// What is loaded, and who vouches for it.
    pub(crate) inventory: Arc<Inventory>,
    limits: Arc<Limiting>,
}

/// One [`Running`] after the other.
pub(crate) struct Switch {
    /// Held, to read, from before an action is judged until its verdict has its
    /// place in the log; to write, while another configuration gets its entry.
    /// So the log has each verdict after the configuration that gave it.
    gate: Gate<()>,
    /// Held for a moment: whoever looks at it must not wait for the gate, whose
    /// holder may need this very thread.
    running: RwLock<Arc<Running>>,
}

/// Stops the log when a switch is given up between its entry and its effect:
/// the log would name a configuration that does not decide.
struct Unfinished(Option<Stopper>);

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(stopper) = &self.0 {
            stopper.stop("a change of the configuration was interrupted".to_owned());
        }
    }
}

impl Running {
    pub(crate) fn new(
        config: Config,
        loaded: Components,
        limits: Arc<Limiting>,
        sessions: Option<Arc<Sessions>>,
        ledger: Arc<AuditLedger>,
        before: Option<&Self>,
    ) -> Self {
        let components = loaded.components();
        let Components { policies, shadows, skills, frameworks, inventory } = loaded;
        // One without a say makes no verdict unsigned. Who says what is asked has one.
        let unsigned = skills.values().any(|skill| skill.component().signer.is_none())
            || frameworks.values().any(|framework| framework.component().signer.is_none());
        let frameworks = frameworks::counting_on(frameworks, before.map(|before| &*before.frameworks));
        let mut pipeline = Pipeline::new(Arc::clone(&limits), policies, ledger, unsigned);
        if let Some(sessions) = &sessions {
            pipeline = pipeline.with_sessions(Arc::clone(sessions) as Arc<dyn vak_pipeline::Sessions>);
        }
        let (skills, frameworks, config) = (Arc::new(skills), Arc::new(frameworks), Arc::new(config));
        let inventory = Arc::new(inventory);
        Self { pipeline, skills, frameworks, config, shadows: shadows.into(), sessions, components, inventory, limits }
    }

    /// Why `action` must not be judged: something that has `stopped` would judge
    /// it, or is called by it.
    pub(crate) fn in_the_way(&self, stopped: &Stopped, action: &Action) -> Option<String> {
        if stopped.is_empty() {
            return None;
        }
        let judging = self.pipeline.guards().iter().filter(|policy| policy.covers(action));
        let judging = judging.map(|policy| &policy.component().name);
        let called =
            self.skills.keys().filter(|name| action.operation.as_str().strip_prefix(SKILL) == Some(name.as_str()));
        let why = judging.chain(called).find_map(|name| stopped.why(name));
        why.or(stopped.everything()).map(str::to_owned)
    }

    /// Has what is used of the limits kept across restarts.
    pub(crate) fn keep(&self, keeper: &Keeper) {
        keeper.keep(&self.config.limits, &self.limits);
    }
}

impl Prepared {
    pub(crate) fn new(config: Config, now: &Config, time: Timestamp) -> Result<Self, PrepareError> {
        let fixed = |same: bool, what| if same { Ok(()) } else { Err(PrepareError::Fixed(what)) };
        fixed(config.state == now.state, "state")?;
        fixed(config.audit == now.audit, "audit")?;
        fixed(config.mcp == now.mcp, "mcp")?;
        let same = match (&config.server, &now.server) {
            (Some(next), Some(now)) => next.same_but_tokens(now),
            (next, now) => next == now,
        };
        fixed(same, "server")?;
        // The limits in it are looked at, and not taken: those that run go on.
        let Parts { loaded, .. } = Parts::load(&config, time)?;
        Ok(Self { config, loaded })
    }

    /// Whether `running` is what this would be.
    pub(crate) fn is_like(&self, running: &Running) -> Result<bool, crate::ConfigError> {
        let same = self.loaded.components() == running.components && self.loaded.inventory.is_like(&running.inventory);
        Ok(same && self.config.effective()? == running.config.effective()?)
    }
}

impl Switch {
    pub(crate) fn new(running: Running) -> Self {
        Self { gate: Gate::new(()), running: RwLock::new(Arc::new(running)) }
    }

    /// What decides, and goes on to as long as the guard is held.
    pub(crate) async fn hold(&self) -> (RwLockReadGuard<'_, ()>, Arc<Running>) {
        let guard = self.gate.read().await;
        (guard, self.now())
    }

    /// What decides now.
    pub(crate) fn now(&self) -> Arc<Running> {
        // Nothing that may panic runs while it is held.
        Arc::clone(&self.running.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Records `next` and lets it decide, between two decisions.
    pub(crate) async fn to(
        &self,
        next: Prepared,
        ledger: &Arc<AuditLedger>,
        now: Timestamp,
    ) -> Result<Receipt, SwitchError> {
        let Prepared { config, loaded } = next;
        let draft = Draft::configuration(now, configuration(&config, loaded.components())?)?;
        let _alone = self.gate.write().await;
        let before = self.now();
        let mut unfinished = Unfinished(Some(ledger.log.stopper()));
        let receipt = ledger.log.append(draft, Tier::Durable).await?;
        // Who waits for a limit must not get round it by a change elsewhere.
        let same = (&config.limits, &config.sharing) == (&before.config.limits, &before.config.sharing);
        let limits = match same {
            true => Arc::clone(&before.limits),
            false => Arc::new(before.limits.replaced(&config, now)?),
        };
        // Whatever was judged before is in the log now, before the entry above.
        let sessions = match &before.sessions {
            Some(sessions) if loaded.asking().any(Policy::asks_for_session) => Some(Arc::clone(sessions)),
            _ => Sessions::of(loaded.asking(), &config.log(), now)?,
        };
        let running = Arc::new(Running::new(config, loaded, limits, sessions, Arc::clone(ledger), Some(&before)));
        *self.running.write().unwrap_or_else(PoisonError::into_inner) = running;
        unfinished.0 = None;
        Ok(receipt)
    }
}
