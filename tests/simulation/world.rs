//! One host, its agents and everything that goes wrong around it, driven from
//! a seed and compared with the model after every step.

use std::collections::BTreeMap;
use std::task::Poll;

use vak_limits::Held;
use vak_pipeline::{Able, Approval, Decided, Pipeline};
use vak_types::{Action, ActionRequest, Decision, Json, Reason, Source, Timestamp, Verdict};

use crate::budget::{Budget, subjects};
use crate::executor::Task;
use crate::model::{Prediction, Voice};
use crate::ports::{Place, RealLimits, ScriptedGuard, ScriptedLedger, Stage};
use crate::random::Random;
use crate::script::{LedgerEnd, Plan, SECOND, Site};
use crate::trace::Trace;

const START_NS: u64 = 1_700_000_000 * SECOND;
const STEPS: usize = 50;

/// More than the burst of any limit, so that reservations in flight are what
/// stops an action.
const IN_FLIGHT_MAX: usize = 10;

/// Longest text of a reason: what the pipeline keeps of a guard's words.
const TEXT_BYTES_MAX: usize = 1_024;

type Path = Pipeline<RealLimits, ScriptedGuard, ScriptedLedger>;

/// The order in which guards are asked, which must not matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    AsConfigured,
    Reversed,
}

/// What one run left behind.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) trace: String,
    /// How many actions were allowed upon a person's yes.
    pub(crate) approved: usize,
    /// By action: the decision, and how long to wait.
    pub(crate) decisions: BTreeMap<usize, (Decision, Option<u64>)>,
}

struct World<'a> {
    random: Random,
    site: Site,
    /// Guards by their index in the site, in the order they are asked.
    order: Vec<usize>,
    stage: Stage,
    path: &'a Path,
    limits: RealLimits,
    budget: Budget,
    now_ns: u64,
    in_flight: BTreeMap<usize, InFlight<'a>>,
    decisions: BTreeMap<usize, (Decision, Option<u64>)>,
    /// What a person may say yes to.
    escalated: Vec<(usize, Verdict)>,
    trace: Trace,
}

struct InFlight<'a> {
    task: Task<'a, Decided<Place, Held>>,
    /// Set by the first poll, which is when limits and guards are asked.
    prediction: Option<Prediction>,
    polls: u32,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Submit,
    Approve,
    Poll,
    Cancel,
    Clock,
}

/// Runs `seed` to its end. Panics where the path and the model disagree.
pub(crate) fn run(seed: u64, order: Order) -> Run {
    let mut random = Random::new(seed);
    let site = Site::draw(&mut random);
    let mut asked: Vec<usize> = (0..site.guards.len()).collect();
    if order == Order::Reversed {
        asked.reverse();
    }
    let stage = Stage::default();
    let limits = RealLimits::new(&site.limits);
    let guards: Vec<_> =
        asked.iter().map(|index| ScriptedGuard::new(*index, site.guards[*index], stage.clone())).collect();
    let path = Pipeline::new(limits.clone(), guards, ScriptedLedger(stage.clone()), site.unsigned);
    let mut world = World {
        random,
        budget: Budget::new(&site.limits),
        order: asked,
        stage,
        path: &path,
        limits,
        now_ns: START_NS,
        in_flight: BTreeMap::new(),
        decisions: BTreeMap::new(),
        escalated: Vec::new(),
        trace: Trace::new(seed),
        site,
    };
    let site = format!("{:?}", world.site);
    world.trace.line(format_args!("{site}"));
    world.warm_up();
    for _ in 0..STEPS {
        world.step();
    }
    world.drain();
    world.check_room_of_everybody();
    let decisions = std::mem::take(&mut world.decisions);
    let plans = &world.stage.scene().plans;
    let allowed = |number: &usize| decisions[number].0 == Decision::Allow && plans[*number].upon.is_some();
    let approved = decisions.keys().filter(|number| allowed(number)).count();
    Run { trace: world.trace.text(), approved, decisions }
}

impl<'a> World<'a> {
    /// Makes the bucket of everybody and drops none: the limits forget a full
    /// bucket when they make a new one and come by it, and whether they do
    /// depends on how they hash, which is random. All have to be taken from at
    /// the same time, so that none is full while another is made.
    fn warm_up(&self) {
        let held: Vec<_> = subjects()
            .map(|(agent, operation)| self.limits.0.reserve(&action("warm-up", agent, operation, START_NS)).unwrap())
            .collect();
        drop(held);
    }

    fn step(&mut self) {
        let step = self.random.weighted(&[
            (31, Step::Submit),
            (6, Step::Approve),
            (46, Step::Poll),
            (8, Step::Cancel),
            (9, Step::Clock),
        ]);
        match step {
            Step::Approve if self.in_flight.len() < IN_FLIGHT_MAX && !self.escalated.is_empty() => self.approve(),
            Step::Submit if self.in_flight.len() < IN_FLIGHT_MAX => self.submit(),
            Step::Submit | Step::Approve | Step::Poll => self.poll_one(),
            Step::Cancel => self.cancel_one(),
            Step::Clock => self.move_clock(),
        }
    }

    fn submit(&mut self) {
        let plan = Plan::draw(&mut self.random, self.site.guards.len(), self.now_ns);
        self.begin(&plan, None);
    }

    /// A person says yes to an action, and it is decided again.
    fn approve(&mut self) {
        let numbers: Vec<usize> = (0..self.escalated.len()).collect();
        let (upon, verdict) = self.escalated.swap_remove(self.random.pick(&numbers));
        let before = self.stage.scene().plans[upon].clone();
        let plan = before.again(&mut self.random, upon, self.now_ns);
        let approval = Approval { seq: upon as u64, answered: verdict.escalations().cloned().collect() };
        self.begin(&plan, Some(approval));
    }

    fn begin(&mut self, plan: &Plan, approval: Option<Approval>) {
        let number = {
            let mut scene = self.stage.scene();
            scene.plans.push(plan.clone());
            scene.plans.len() - 1
        };
        self.trace.line(format_args!("{number} submitted: {plan:?}"));
        let action = action(&number.to_string(), plan.agent, plan.operation, plan.time_ns);
        let path = self.path;
        let task = Task::new(async move {
            match approval {
                Some(approval) => path.decide_approved(&action, Able::default(), &approval).await,
                None => path.decide(&action, Able::default()).await,
            }
        });
        self.in_flight.insert(number, InFlight { task, prediction: None, polls: 0 });
    }

    fn poll_one(&mut self) {
        let awake = self.in_flight.iter().filter(|(_, decision)| decision.task.is_awake());
        let awake: Vec<usize> = awake.map(|(number, _)| *number).collect();
        if !awake.is_empty() {
            let number = self.random.pick(&awake);
            self.poll(number);
        }
    }

    fn poll(&mut self, number: usize) {
        let plan = self.stage.scene().plans[number].clone();
        let mut decision = self.in_flight.remove(&number).unwrap();
        if decision.prediction.is_none() {
            decision.prediction = Some(self.predict(number, &plan));
        }
        let prediction = decision.prediction.as_ref().unwrap();
        let limited = matches!(prediction.voices[..], [Voice::Limit(_)]);
        match decision.task.poll() {
            Poll::Pending => {
                self.trace.line(format_args!("{number} pending"));
                let hangs = plan.ledger.end == LedgerEnd::Hangs;
                assert!(decision.polls < plan.ledger.stalls || hangs, "{number} waits for nobody");
                assert_eq!(decision.task.is_awake(), decision.polls < plan.ledger.stalls, "{number}: waker");
                decision.polls += 1;
                self.in_flight.insert(number, decision);
            }
            Poll::Ready(decided) => {
                assert_eq!(decision.polls, plan.ledger.stalls, "{number} did not wait for the ledger");
                self.check_release(number, &plan, prediction, &decided);
                match decided.verdict.is_allow() {
                    true => self.budget.keep(number),
                    false => self.budget.give_back(number),
                }
                self.decisions.insert(number, (decided.verdict.decision, decided.verdict.retry_after_ms));
                if decided.verdict.decision == Decision::Escalate && plan.upon.is_none() {
                    self.escalated.push((number, decided.verdict));
                }
            }
        }
        self.check_asked(number, limited);
        self.check_room(plan.agent, plan.operation);
    }

    fn predict(&mut self, number: usize, plan: &Plan) -> Prediction {
        let room = self.budget.take(number, plan);
        let answered = plan.upon.map(|upon| self.stage.scene().plans[upon].answers.clone());
        let prediction = Prediction::of(&self.site, plan, room, &self.order, answered.as_deref());
        if prediction.decision != Decision::Allow {
            self.budget.give_back(number);
        }
        self.trace.line(format_args!("{number} judged {}", prediction.decision));
        prediction
    }

    fn cancel_one(&mut self) {
        let numbers: Vec<usize> = self.in_flight.keys().copied().collect();
        if !numbers.is_empty() {
            let number = self.random.pick(&numbers);
            self.cancel(number);
        }
    }

    fn cancel(&mut self, number: usize) {
        self.trace.line(format_args!("{number} cancelled"));
        drop(self.in_flight.remove(&number));
        self.budget.give_back(number);
        let (agent, operation) = {
            let plan = &self.stage.scene().plans[number];
            (plan.agent, plan.operation)
        };
        self.check_room(agent, operation);
    }

    fn move_clock(&mut self) {
        let seconds = self.random.weighted(&[(6, 3), (2, 9), (2, 3_600)]);
        let jump_ns = self.random.next() % (seconds * SECOND);
        self.now_ns = match self.random.percent(75) {
            true => self.now_ns + jump_ns,
            false => self.now_ns.saturating_sub(jump_ns),
        };
        self.trace.line(format_args!("the clock shows {} ns", self.now_ns));
    }

    /// Everything in flight comes to its end; what hangs is given up.
    fn drain(&mut self) {
        while self.in_flight.values().any(|decision| decision.task.is_awake()) {
            self.poll_one();
        }
        while !self.in_flight.is_empty() {
            self.cancel_one();
        }
    }

    fn check_release(&mut self, number: usize, plan: &Plan, prediction: &Prediction, decided: &Decided<Place, Held>) {
        let Decided { verdict, receipt, arguments, held } = decided;
        assert!(arguments.is_none(), "{number}: nobody obliges to anything");
        assert_eq!(held.is_some(), verdict.is_allow(), "{number}: only an allow holds");
        self.trace.line(format_args!("{number} released {}: {:?}", verdict.decision, receipt));
        assert_eq!(verdict.is_allow(), prediction.releases_allow(plan.ledger.end), "{number}: {verdict:?}");
        assert_eq!(verdict.unsigned, prediction.unsigned, "{number}: unsigned");
        assert_eq!(verdict.retry_after_ms, prediction.retry_after_ms, "{number}: retry after");
        assert_eq!(verdict.approval, plan.upon.map(|upon| upon as u64), "{number}: approval");
        let reasons = match receipt {
            Some(Place(place)) => {
                let recorded = &self.stage.scene().entries[*place];
                assert_eq!(recorded, &(number.to_string().parse().unwrap(), verdict.clone()), "{number}: entry");
                assert_eq!(plan.ledger.end, LedgerEnd::Acknowledges, "{number} has a receipt from nowhere");
                assert_eq!(verdict.decision, prediction.decision, "{number}: {verdict:?}");
                &verdict.reasons[..]
            }
            None => {
                assert_eq!(plan.ledger.end, LedgerEnd::Fails, "{number} has no receipt");
                assert_eq!(verdict.decision, Decision::Deny, "{number} left without an entry");
                let (last, others) = verdict.reasons.split_last().unwrap();
                assert_eq!(last.source, Source::Host);
                assert!(last.message.contains("could not be recorded: the disk is full"), "{number}: {last}");
                others
            }
        };
        check_voices(number, prediction, reasons);
        check_explained(number, verdict);
    }

    /// Every guard is asked once, or none when a limit has spoken, and
    /// everything goes to the ledger once.
    fn check_asked(&self, number: usize, limited: bool) {
        let scene = self.stage.scene();
        let recorded = scene.recorded.iter().filter(|other| **other == number).count();
        assert_eq!(recorded, 1, "{number} went to the ledger");
        let asked = scene.asked.iter().filter(|(other, _)| *other == number).map(|(_, guard)| *guard);
        let asked: Vec<usize> = asked.collect();
        let expected = if limited { &[] } else { &self.order[..] };
        assert_eq!(asked, expected, "{number} was judged by others");
    }

    fn check_room_of_everybody(&mut self) {
        for (agent, operation) in subjects() {
            self.check_room(agent, operation);
        }
    }

    /// The real limits have exactly the room that is left when the allowed
    /// actions, and no others, are counted. Counted by taking all of it, which
    /// is then given back.
    fn check_room(&mut self, agent: &str, operation: &str) {
        let Some(room) = self.budget.room(agent, operation, self.now_ns) else { return };
        let probe = action("probe", agent, operation, self.now_ns);
        let held: Vec<_> = std::iter::from_fn(|| self.limits.0.reserve(&probe).ok()).collect();
        assert_eq!(held.len() as u64, room, "room of {agent} for {operation}");
    }
}

fn check_voices(number: usize, prediction: &Prediction, reasons: &[Reason]) {
    let agrees = |(voice, reason): (&Voice, &Reason)| match (voice, &reason.source) {
        (Voice::Limit(limits), Source::Limit(limit)) => limits.contains(&limit.as_str()),
        (Voice::Guard(index, effect, failure), Source::Component(component)) => {
            component.name.as_str() == format!("guard-{index}")
                && (*effect, *failure) == (reason.effect, reason.failure)
        }
        (Voice::Host, Source::Host) => reason.effect.decision() == Some(Decision::Deny),
        _ => false,
    };
    let voices = &prediction.voices;
    let agree = voices.len() == reasons.len() && voices.iter().zip(reasons).all(agrees);
    assert!(agree, "{number}: expected {voices:?}, got {reasons:?}");
}

/// Somebody stands for the decision, in words that stay on their line.
fn check_explained(number: usize, verdict: &Verdict) {
    assert!(verdict.deciding().is_some(), "{number}: nobody decided {verdict:?}");
    for reason in &verdict.reasons {
        for text in [Some(&reason.message), reason.rule.as_ref()].into_iter().flatten() {
            assert!(text.len() <= TEXT_BYTES_MAX && !text.contains(['\n', '\u{202e}', '\u{7}']), "{number}: {text:?}");
        }
    }
}

fn action(id: &str, agent: &str, operation: &str, time_ns: u64) -> Action {
    ActionRequest {
        agent: agent.parse().unwrap(),
        session: "s".parse().unwrap(),
        operation: operation.parse().unwrap(),
        resource: "r".parse().unwrap(),
        arguments: Json::default(),
        attributes: BTreeMap::new(),
        labels: Vec::new(),
    }
    .at(id.parse().unwrap(), Timestamp::from_nanos(time_ns))
}
