//! From a typed request to an answer.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio_util::task::TaskTracker;
use vak::config::ServerLimits;
use vak::{
    Action, ActionId, ActionRequest, Begun, Caller, Decided, DecidedBefore, Host, InvokeError, Json, Label, Outcome,
    ReadError, SessionId,
};
use vak_types::Name;

use super::answer::{Answer, DecideAnswer, ExecuteAnswer, OutcomeAnswer};
use super::heard::Heard;
use super::ids::{Claim, Content, Ids, heard};
use super::metrics::{End, Metrics};
use super::parcel::Parcel;
use super::problem::{Kind, Problem};
use super::refusals::Refusals;
use super::seal::Seals;
use super::to_the_end::ToTheEnd;
use super::tools::Tools;
use super::waiting::{Bounds, Open, Waiting};
use super::who::Who;
use super::wire::{BatchRequest, DecideRequest, ExecuteRequest, OutcomeRequest, What};

/// How often it is looked who waits too long.
const SWEEP: Duration = Duration::from_secs(1);

/// How many of these refusals are gathered for one entry: some thousand entries a
/// day, if somebody tries all day.
const GATHER: u32 = 10;

/// Decisions that are looked at in the log when the server starts, for the ids of
/// those that must not be decided again: two seconds of reading and 20 MB.
const REMEMBERED_MAX: usize = 100_000;

/// How long before a start sessions are known to have heard something: as long as
/// the host knows what they did.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Where requests are answered. What is begun here is ended here, whether or not
/// the client stays: each method is called through `to_the_end`.
pub(crate) struct Desk {
    pub(super) host: Arc<Host>,
    pub(crate) seals: Seals,
    pub(crate) waiting: Waiting,
    pub(super) ids: Ids,
    pub(crate) refusals: Refusals,
    pub(super) metrics: Arc<Metrics>,
    pub(crate) tasks: TaskTracker,
    pub(crate) tools: Option<Tools>,
    pub(crate) heard: Heard,
    runtime: Handle,
}

impl Desk {
    /// To be called in a tokio runtime, which what is ended later is ended in. Takes
    /// note of what was decided before, as far as it still counts: reads the log.
    pub(crate) fn new(
        host: Arc<Host>,
        limits: &ServerLimits,
        seals: Seals,
        metrics: Arc<Metrics>,
        tools: Option<Tools>,
    ) -> Result<Self, ReadError> {
        let bounds = Bounds {
            all: limits.waiting_max,
            per_agent: limits.waiting_per_agent_max,
            time: Duration::from_secs(limits.outcome_s),
        };
        let ids_s = Duration::from_secs(limits.ids_s);
        let ids = Ids::new(ids_s, limits.ids_max);
        let decided = host.decided_within(ids_s, REMEMBERED_MAX, |before| before.action.clone())?;
        ids.remember(decided.into_iter().filter(Seals::is_sealed).collect(), Instant::now());
        let heard = Heard::new(tools.as_ref().map(|tools| heard_before(&host, tools)).transpose()?.unwrap_or_default());
        Ok(Self {
            host,
            seals,
            waiting: Waiting::new(bounds),
            ids,
            refusals: Refusals::default(),
            metrics,
            tasks: TaskTracker::new(),
            tools,
            heard,
            runtime: Handle::current(),
        })
    }

    /// Has `work` go on to its end when the client does not wait for it.
    pub(crate) fn to_the_end<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> ToTheEnd<T> {
        ToTheEnd::new(work, &self.tasks, &self.runtime)
    }

    pub(crate) async fn decide(self: Arc<Self>, who: Arc<Who>, request: DecideRequest) -> Result<Answer, Problem> {
        let DecideRequest { id, agent, session, operation, resource, arguments, attributes, labels, able } = request;
        who.acts_as(&agent)?;
        let session = self.seals.session(&who, &agent, session)?;
        let id = id.map(|id| self.seals.action(&who, &agent, &id)).transpose().map_err(malformed)?;
        let attributes = attributes.0;
        let asked = ActionRequest { session, agent, operation, resource, arguments, attributes, labels };
        let content = id.as_ref().map(|_| content_of(&asked, able.into())).transpose()?;
        // Not part of what is asked: it may have heard more when it asks again.
        let labels = self.heard.with(&who.space, &asked.session, asked.labels);
        let asked = ActionRequest { labels, ..asked };
        let desk = Arc::clone(&self);
        let (id_too, owner) = (id.clone(), Arc::clone(&who.space));
        let work = async move { desk.decide_now(owner, asked, able.into(), id_too).await };
        match id.zip(content) {
            Some((id, content)) => self.once(&who, &id, content, work).await,
            None => work.await,
        }
    }

    async fn decide_now(
        self: Arc<Self>,
        owner: Arc<str>,
        asked: ActionRequest,
        able: vak::Able,
        id: Option<ActionId>,
    ) -> Result<Answer, Problem> {
        let action = match id {
            Some(id) => self.host.stamp_as(asked, id),
            None => self.host.stamp(asked),
        };
        let action = action.map_err(malformed)?;
        let decided = self.host.decide_for(&action, able).await;
        self.told(owner, None, &action, decided)
    }

    /// Has an allowed action wait for its outcome, which will be reported under
    /// `known_as`, or else under the action's id.
    pub(super) fn told(
        self: &Arc<Self>,
        owner: Arc<str>,
        known_as: Option<ActionId>,
        action: &Action,
        decided: Decided,
    ) -> Result<Answer, Problem> {
        let known_as = known_as.unwrap_or_else(|| action.id.clone());
        let lasting = decided.receipt.is_some();
        let told = Answer::new(&DecideAnswer::new(&known_as, &decided), None)?;
        let Some(begun) = Begun::of(action, decided) else {
            return Ok(Answer { lasting, ..told });
        };
        let (number, gone) = self.waiting.add(Open { owner, known_as, begun }, Instant::now());
        let parcel = Arc::new(Parcel::new(Arc::clone(self), number));
        for open in gone {
            self.end(open, Outcome::unknown("others took its place before an outcome was reported"), End::Unreported);
        }
        Ok(Answer { parcel: Some(parcel), ..told })
    }

    /// Each by itself, asked in their order.
    pub(crate) async fn batch(self: Arc<Self>, who: Arc<Who>, request: BatchRequest) -> Vec<Result<Answer, Problem>> {
        let one = |action| Arc::clone(&self).decide(Arc::clone(&who), action);
        let answers = join_all(request.actions.into_iter().map(one)).await;
        answers.iter().filter_map(|answer| answer.as_ref().err()).for_each(|problem| self.refusals.count(problem));
        answers
    }

    pub(crate) async fn execute(self: Arc<Self>, who: Arc<Who>, request: ExecuteRequest) -> Result<Answer, Problem> {
        let ExecuteRequest { id, agent, session, what, input, labels } = request;
        who.acts_as(&agent)?;
        let session = self.seals.session(&who, &agent, session)?;
        let id = id.map(|id| self.seals.action(&who, &agent, &id)).transpose().map_err(malformed)?;
        let caller = Caller { agent, session, labels };
        match what {
            What::Skill(skill) => self.execute_skill(who, caller, &skill, input, id).await,
            What::Tool(tool) => self.execute_tool(who, caller, &tool, input, id).await,
        }
    }

    async fn execute_skill(
        self: Arc<Self>,
        who: Arc<Who>,
        caller: Caller,
        skill: &Name,
        input: Json,
        id: Option<ActionId>,
    ) -> Result<Answer, Problem> {
        let texts = ["execute", caller.session.as_str(), caller.agent.as_str(), skill.as_str()];
        let content = content(&texts, input.as_str(), &caller.labels);
        let labels = self.heard.with(&who.space, &caller.session, caller.labels);
        let caller = Caller { labels, ..caller };
        let call = self.host.skill_call(&caller, skill, input, id.clone()).map_err(|error| match error {
            InvokeError::Unknown(_) => Problem::new(Kind::NoSuchSkill, error.to_string()),
            error => malformed(error),
        })?;
        let desk = Arc::clone(&self);
        let work = async move {
            let action = call.action().id.clone();
            let called = desk.host.call(call).await.map_err(not_recorded)?;
            let told = Answer::new(&ExecuteAnswer::new(&action, &called), None)?;
            Ok(Answer { lasting: called.receipt.is_some(), ..told })
        };
        match id {
            Some(id) => self.once(&who, &id, content, work).await,
            None => work.await,
        }
    }

    pub(crate) async fn outcome(self: Arc<Self>, who: Arc<Who>, request: OutcomeRequest) -> Result<Answer, Problem> {
        let open = self.waiting.take(&request.action, &who.space).ok_or_else(|| {
            let detail = "it has its outcome already, waited too long for one, was not allowed, or is another's";
            Problem::new(Kind::NoSuchDecision, detail)
        })?;
        let recorded = self.host.conclude(open.begun, request.outcome()).await;
        self.metrics.ended(if recorded.is_ok() { End::Reported } else { End::Lost });
        let receipt = (&recorded.map_err(not_recorded)?).into();
        Answer::new(&OutcomeAnswer { receipt }, None)
    }

    /// Does the work if the id is new, and otherwise answers as before.
    pub(super) async fn once(
        &self,
        who: &Who,
        id: &ActionId,
        content: Content,
        work: impl Future<Output = Result<Answer, Problem>>,
    ) -> Result<Answer, Problem> {
        loop {
            match self.ids.claim(&who.space, id, content, Instant::now())? {
                Claim::Mine(turn, before) => {
                    if let Some(withdrawn) = before {
                        withdrawn.undone().await;
                    }
                    let answer = work.await?;
                    if answer.lasting {
                        turn.say(&answer);
                    }
                    return Ok(answer);
                }
                Claim::Theirs(said) => {
                    if let Some(answer) = heard(said).await {
                        self.metrics.repeated.add();
                        return answer;
                    }
                }
            }
        }
    }

    /// Ends an allowed action whose verdict never left. `undone` is dropped when
    /// that is recorded.
    pub(crate) fn withdraw(&self, number: u64, undone: watch::Sender<()>) {
        if let Some(open) = self.waiting.withdraw(number) {
            let outcome = Outcome::withdrawn("the client went before the verdict could be told");
            let ended = self.recorded(open, outcome, End::Withdrawn);
            self.tasks.spawn_on(ended.map(move |()| drop(undone)), &self.runtime);
        }
    }

    /// Ends what nobody has reported of, now and then, for as long as it is
    /// polled.
    pub(crate) async fn sweep(&self) {
        for turn in 1_u32.. {
            tokio::time::sleep(SWEEP).await;
            if turn.is_multiple_of(GATHER) {
                self.refusals.record(&self.host).await;
            }
            self.ids.tidy(Instant::now());
            for open in self.waiting.expired(Instant::now()) {
                self.end(open, Outcome::unknown("no outcome was reported in time"), End::Unreported);
            }
        }
    }

    /// Ends all that waits. What was told may have been done.
    pub(crate) fn end_all(self: &Arc<Self>) {
        let desk = Arc::clone(self);
        self.tasks.spawn(async move { desk.refusals.record(&desk.host).await });
        for open in self.waiting.all() {
            self.end(open, Outcome::unknown("the server stopped before an outcome was reported"), End::Unreported);
        }
    }

    fn end(&self, open: Open, outcome: Outcome, end: End) {
        self.tasks.spawn_on(self.recorded(open, outcome, end), &self.runtime);
    }

    fn recorded(&self, open: Open, outcome: Outcome, end: End) -> impl Future<Output = ()> + Send + use<> {
        let (host, metrics) = (Arc::clone(&self.host), Arc::clone(&self.metrics));
        async move {
            let action = open.begun.action().clone();
            let recorded = host.conclude(open.begun, outcome).await;
            metrics.ended(if recorded.is_ok() { end } else { End::Lost });
            if let Err(error) = recorded {
                tracing::error!(%action, "an outcome could not be recorded: {error}");
            }
        }
    }
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk").field("waiting", &self.waiting.len()).finish_non_exhaustive()
    }
}

pub(super) fn malformed(error: impl std::fmt::Display) -> Problem {
    Problem::new(Kind::Malformed, error.to_string())
}

pub(super) fn not_recorded(error: impl std::fmt::Display) -> Problem {
    tracing::error!("an outcome could not be recorded: {error}");
    Problem::new(
        Kind::NotRecorded,
        "the outcome could not be recorded; the host denies everything until it is started again",
    )
}

/// What the sessions of the last day heard, as far as the log is read for it: what
/// comes of an upstream is in it as an allow.
fn heard_before(host: &Host, tools: &Tools) -> Result<HashMap<SessionId, BTreeSet<Label>>, ReadError> {
    let each = |before: &DecidedBefore<'_>| {
        let label = before.allowed.then(|| tools.label_of(before.operation, before.resource)).flatten();
        label.map(|label| (before.session.clone(), label))
    };
    let mut heard: HashMap<SessionId, BTreeSet<Label>> = HashMap::new();
    for (session, label) in host.decided_within(DAY, REMEMBERED_MAX, each)?.into_iter().flatten() {
        heard.entry(session).or_default().insert(label);
    }
    Ok(heard)
}

pub(super) fn content_of(asked: &ActionRequest, able: vak::Able) -> Result<Content, Problem> {
    let attributes = serde_json::to_string(&asked.attributes).map_err(Problem::internal)?;
    let able = format!("{}{}", u8::from(able.arguments), u8::from(able.headers));
    let texts = [
        "decide",
        asked.session.as_str(),
        asked.agent.as_str(),
        asked.operation.as_str(),
        asked.resource.as_str(),
        &attributes,
        &able,
    ];
    Ok(content(&texts, asked.arguments.as_str(), &asked.labels))
}

/// A digest of texts, each with its length, so that no two lists have one.
pub(super) fn content(texts: &[&str], arguments: &str, labels: &[Label]) -> Content {
    let mut hasher = blake3::Hasher::new();
    let labels = labels.iter().map(Label::as_str);
    for text in texts.iter().copied().chain([arguments]).chain(labels) {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    }
    *hasher.finalize().as_bytes()
}
