//! Tools of MCP servers. They are the upstreams of the gateway, reached by the
//! same code: pinned, labelled, bounded, and asked for nothing that is not allowed.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;
use vak::config::Mcp;
use vak::{Action, ActionId, Caller, Json, Label};
use vak_types::{Name, Operation, Resource};

use super::answer::{Answer, ExecuteAnswer};
use super::desk::{Desk, content, malformed, not_recorded};
use super::problem::{Kind, Problem};
use super::who::Who;
use crate::mcp::{Abandon, Company, Condition, Errand, Undone, Upstream, Upstreams, Wish};

/// Calls of one upstream that are under way: one that does not answer must not
/// take all places. A quarter of those there are.
const CALLS_MAX: usize = 64;

/// The upstreams of a host.
pub(crate) struct Tools {
    upstreams: Arc<Upstreams>,
    places: HashMap<Name, Arc<Semaphore>>,
    /// For a call, and for starting its upstream before that.
    within: Duration,
    /// Gives up the calls under way.
    hang_up: CancellationToken,
}

/// How many upstreams there are, and how they are. One that is down is started
/// anew by the next call of it.
#[derive(Debug, Clone, Copy, Default, Serialize, ToSchema)]
pub(crate) struct Counts {
    up: usize,
    starting: usize,
    down: usize,
}

impl Counts {
    pub(crate) fn by_word(self) -> [(&'static str, usize); 3] {
        [("up", self.up), ("starting", self.starting), ("down", self.down)]
    }
}

impl Tools {
    /// Those of `upstreams`, which `mcp` names.
    pub(crate) fn new(upstreams: Arc<Upstreams>, mcp: &Mcp) -> Self {
        let place = |upstream: &Arc<Upstream>| (upstream.name.clone(), Arc::new(Semaphore::new(CALLS_MAX)));
        let places = upstreams.all().iter().map(place).collect();
        let within = Duration::from_millis(mcp.start_ms.saturating_add(mcp.call_ms));
        Self { upstreams, places, within, hang_up: CancellationToken::new() }
    }

    /// The longest that a call takes.
    pub(crate) fn within(&self) -> Duration {
        self.within
    }

    pub(crate) fn counts(&self) -> Counts {
        self.upstreams.all().iter().fold(Counts::default(), |mut counts, upstream| {
            match upstream.condition() {
                Condition::Up => counts.up += 1,
                Condition::Starting => counts.starting += 1,
                Condition::Down => counts.down += 1,
            }
            counts
        })
    }

    /// The label that its session has after an action with these names, if it was
    /// the call of an upstream that is not believed.
    pub(crate) fn label_of(&self, operation: &Operation, resource: &Resource) -> Option<Label> {
        let (upstream, _) = self.upstreams.of_operation(operation.as_str()).filter(|_| is_of(resource, operation))?;
        upstream.label.clone()
    }

    /// Gives up the calls under way.
    pub(crate) fn hang_up(&self) {
        self.hang_up.cancel();
    }

    fn place(&self, upstream: &Upstream) -> Result<OwnedSemaphorePermit, Problem> {
        let busy = || {
            Problem::new(Kind::Busy, format!("{CALLS_MAX} calls of this upstream are under way; ask again in a while"))
        };
        let places = self.places.get(&upstream.name).ok_or_else(busy)?;
        Arc::clone(places).try_acquire_owned().map_err(|_| busy())
    }
}

/// Whether this is what a tool with this operation is asked of. Whoever asks for
/// decisions alone may mean something else by the same operation.
fn is_of(resource: &Resource, operation: &Operation) -> bool {
    resource.as_str().strip_prefix("mcp:").is_some_and(|of| of == operation.as_str())
}

impl Desk {
    pub(super) async fn execute_tool(
        self: Arc<Self>,
        who: Arc<Who>,
        caller: Caller,
        tool: &Operation,
        input: Json,
        id: Option<ActionId>,
    ) -> Result<Answer, Problem> {
        let (upstream, wish) = self.found(tool)?;
        if !input.as_str().starts_with('{') {
            return Err(malformed("`input` of a tool has to be an object"));
        }
        let content = content(
            &["tool", caller.session.as_str(), caller.agent.as_str(), tool.as_str()],
            input.as_str(),
            &caller.labels,
        );
        let labels = self.heard.with(&who.space, &caller.session, caller.labels);
        let caller = Caller { labels, ..caller };
        let upstream = Arc::clone(upstream);
        let errand = Errand::new(&self.host, &upstream, wish, caller, input, id.clone()).await.map_err(undone)?;
        let (desk, by) = (Arc::clone(&self), Arc::clone(&who.space));
        let work = async move { desk.carry_out(&by, &upstream, errand).await };
        match id {
            Some(id) => self.once(&who, &id, content, work).await,
            None => work.await,
        }
    }

    /// Calls a tool whose call a person approved. `None` if `action` is none.
    pub(super) async fn execute_approved_tool(
        &self,
        who: &Who,
        action: &Action,
        seq: u64,
    ) -> Option<Result<Answer, Problem>> {
        let (upstream, wish) =
            self.found(&action.operation).ok().filter(|_| is_of(&action.resource, &action.operation))?;
        // It may have been asked as a decision about something else.
        if !action.arguments.as_str().starts_with('{') {
            return None;
        }
        let errand = Errand::answered(&self.host, upstream, wish, action.clone(), seq);
        Some(self.carry_out(&who.space, upstream, errand).await)
    }

    fn found(&self, tool: &Operation) -> Result<(&Arc<Upstream>, Wish), Problem> {
        let none = || Problem::new(Kind::NoSuchTool, format!("there is no upstream with a tool `{tool}`"));
        self.tools.as_ref().and_then(|tools| tools.upstreams.of_operation(tool.as_str())).ok_or_else(none)
    }

    async fn carry_out(&self, who: &Arc<str>, upstream: &Upstream, errand: Errand) -> Result<Answer, Problem> {
        let tools = self.tools.as_ref().ok_or_else(|| Problem::internal("there are no upstreams"))?;
        let _place = tools.place(upstream)?;
        let Action { id, session, .. } = errand.action().clone();
        let hears = |label| self.heard.hears(who, &session, label);
        let abandon = Abandon { cancelled: CancellationToken::new(), hang_up: tools.hang_up.clone() };
        match errand.run(Company { progress: None, person: None, abandon, hears }).await {
            Ok(done) => Answer::new(&ExecuteAnswer::of_tool(&id, &done)?, None),
            Err(Undone::Refused(verdict, receipt)) => {
                let told = Answer::new(&ExecuteAnswer::refused(&id, &verdict, receipt.as_ref()), None)?;
                Ok(Answer { lasting: receipt.is_some(), ..told })
            }
            Err(other) => Err(undone(other)),
        }
    }
}

fn undone(why: Undone) -> Problem {
    match why {
        Undone::Name(error) => malformed(error),
        Undone::Person(error) => error.into(),
        Undone::Unrecorded(error) => not_recorded(error),
        Undone::Refused(..) => Problem::internal("a verdict is an answer"),
        Undone::Unreached(error) => Problem::new(Kind::Upstream, error.to_string()),
        Undone::Put(_) => Problem::internal("nobody can be asked here"),
        Undone::Panicked(why) => Problem::internal(why),
    }
}
