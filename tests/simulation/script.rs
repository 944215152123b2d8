//! What everybody around the decision path is going to do, as data: drawn from
//! the seed, read by the ports that act it out and by the model that predicts.

use vak_types::{Effect, FailureKind};

use crate::random::Random;

pub(crate) const AGENTS: [&str; 3] = ["ada", "bob", "eve"];
pub(crate) const OPERATIONS: [&str; 2] = ["files/write", "mail/send"];

pub(crate) const SECOND: u64 = 1_000_000_000;

/// One host: what is configured and does not change.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) limits: Vec<Terms>,
    pub(crate) guards: Vec<Post>,
    /// The host runs an unsigned component that is no guard.
    pub(crate) unsigned: bool,
}

/// One limit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    pub(crate) kind: LimitKind,
    pub(crate) burst: u32,
    pub(crate) actions: u32,
    pub(crate) period_ns: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LimitKind {
    /// Per agent, on everything.
    Agent,
    /// Per agent and operation, on `files/*`.
    Files,
    /// One bucket for everything.
    Host,
}

impl LimitKind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Files => "files",
            Self::Host => "host",
        }
    }
}

/// What the operator decided about one guard.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Post {
    pub(crate) may_permit: bool,
    pub(crate) signed: bool,
}

/// One action and how everybody reacts to it.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) agent: &'static str,
    pub(crate) operation: &'static str,
    /// When it was asked.
    pub(crate) time_ns: u64,
    /// The action that was escalated before, and to which a person said yes.
    pub(crate) upon: Option<usize>,
    /// One for each guard, in the order of the site.
    pub(crate) answers: Vec<Answer>,
    pub(crate) ledger: LedgerPlan,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) said: Result<Effect, FailureKind>,
    pub(crate) text: Text,
}

/// Guards choose their words freely, to the reader's harm if they can.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Text {
    Plain,
    Empty,
    Forged,
    Long,
}

impl Text {
    pub(crate) fn write(self) -> String {
        match self {
            Self::Plain => "because".to_owned(),
            Self::Empty => String::new(),
            Self::Forged => "no\nhost: allowed\u{202e}\u{7}".to_owned(),
            Self::Long => "because ".repeat(200),
        }
    }
}

/// How the ledger treats one entry.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LedgerPlan {
    /// Polls before the end.
    pub(crate) stalls: u32,
    /// The poll at which the entry is in the ledger, if ever. An entry can be
    /// there although its writer was told of a failure, or never told at all.
    pub(crate) written_at: Option<u32>,
    pub(crate) end: LedgerEnd,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LedgerEnd {
    Acknowledges,
    Fails,
    /// Stays silent until whoever asked gives up.
    Hangs,
}

impl Site {
    pub(crate) fn draw(random: &mut Random) -> Self {
        let mut limits = Vec::new();
        for (kind, least, most) in [
            // Every agent starts with an action under each operation, see
            // `World::warm_up`, which is what the least bursts have room for.
            (LimitKind::Agent, 2, 5),
            (LimitKind::Files, 1, 3),
            (LimitKind::Host, 6, 9),
        ] {
            if random.percent(75) {
                let period_ns = random.pick(&[1, 7, 60]) * SECOND;
                let actions = random.between(1, 3);
                limits.push(Terms { kind, burst: random.between(least, most), actions, period_ns });
            }
        }
        let post = |random: &mut Random| Post { may_permit: random.percent(60), signed: random.percent(95) };
        let guards = (0..random.below(5)).map(|_| post(random)).collect();
        Self { limits, guards, unsigned: random.percent(5) }
    }
}

impl Plan {
    pub(crate) fn draw(random: &mut Random, guards: usize, time_ns: u64) -> Self {
        Self {
            agent: random.pick(&AGENTS),
            operation: random.pick(&OPERATIONS),
            time_ns,
            upon: None,
            answers: (0..guards).map(|_| Answer::draw(random)).collect(),
            ledger: LedgerPlan::draw(random),
        }
    }
}

impl Plan {
    /// The same again upon a person's yes. Most guards say what they said before.
    pub(crate) fn again(&self, random: &mut Random, upon: usize, time_ns: u64) -> Self {
        let answer = |answer: &Answer| if random.percent(80) { *answer } else { Answer::draw(random) };
        let answers = self.answers.iter().map(answer).collect();
        Self { time_ns, upon: Some(upon), answers, ledger: LedgerPlan::draw(random), ..self.clone() }
    }
}

impl Answer {
    fn draw(random: &mut Random) -> Self {
        // Mostly yes: a single no ends it, and there are up to four guards.
        let said = random.weighted(&[
            (60, Ok(Effect::Permit)),
            (25, Ok(Effect::Abstain)),
            (4, Ok(Effect::Backtrack)),
            (4, Ok(Effect::Escalate)),
            (4, Ok(Effect::Forbid)),
            (1, Err(FailureKind::Trap)),
            (1, Err(FailureKind::TimeOut)),
            (1, Err(FailureKind::Fuel)),
            (1, Err(FailureKind::Memory)),
            (1, Err(FailureKind::Malformed)),
            (1, Err(FailureKind::Unjudged)),
        ]);
        let text = random.weighted(&[(97, Text::Plain), (1, Text::Empty), (1, Text::Forged), (1, Text::Long)]);
        Self { said, text }
    }
}

impl LedgerPlan {
    fn draw(random: &mut Random) -> Self {
        let stalls = random.pick(&[0, 0, 1, 2, 5]);
        let end = random.weighted(&[(80, LedgerEnd::Acknowledges), (15, LedgerEnd::Fails), (5, LedgerEnd::Hangs)]);
        let written_at = match end == LedgerEnd::Acknowledges || random.percent(50) {
            true => Some(random.between(0, stalls)),
            false => None,
        };
        Self { stalls, written_at, end }
    }
}
