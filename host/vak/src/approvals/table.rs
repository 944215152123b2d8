//! What waits for persons, and what became of what waited.

mod steps;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use vak_types::{Action, AgentId, AttributeValue, Digest, Label, Person, Reason, Timestamp, Verdict};

use super::stopwatch::Stopwatch;
use super::{ApprovalError, Asker, Standing, Waiting};

/// Actions of an agent that wait at a time: more than a person reads. What comes
/// then is not kept, so that nobody's floods push out what somebody else asked.
pub(super) const AGENT_MAX: usize = 64;

/// Memory of an agent's, in bytes: the longest arguments are 1 MiB.
const AGENT_BYTES_MAX: usize = 8 << 20;

/// Actions of all agents: 64 agents that all flood.
const ALL_MAX: usize = 4_096;

/// Memory of all agents' together, in bytes.
const BYTES_MAX: usize = 64 << 20;

/// Of how many it is known what became of them. Of others nothing is known, and
/// nothing can be done with them either way.
const CLOSED_MAX: usize = 4_096;

/// What one takes beside its texts, in bytes, at most.
const KEPT_BYTES: usize = 1_024;

/// An action before it is kept.
pub(super) struct Asked {
    pub(super) seq: u64,
    pub(super) leaf: Digest,
    pub(super) action: Arc<Action>,
    pub(super) verdict: Arc<Verdict>,
    /// What a person was asked before, and agreed to.
    pub(super) answered: Vec<Reason>,
}

impl Asker {
    fn of(action: &Action) -> Self {
        Self { agent: action.agent.clone(), session: action.session.clone(), action: action.id.clone() }
    }
}

impl Asked {
    /// All that a yes to it says yes to.
    fn questions(&self) -> impl Iterator<Item = &Reason> {
        self.verdict.escalations().chain(&self.answered)
    }
}

/// What waits.
pub(super) struct Table {
    time: Stopwatch,
    open: BTreeMap<u64, Open>,
    shares: HashMap<AgentId, Share>,
    bytes: usize,
    closed: BTreeMap<u64, (Asker, Closed)>,
    /// Nothing ends before.
    soonest: Duration,
}

struct Open {
    asked: Asked,
    since: Timestamp,
    ends: Duration,
    bytes: usize,
    state: State,
}

#[derive(Clone)]
enum State {
    Waiting,
    /// An answer is on its way to the log. If it is yes, it ends then.
    Answering(Duration),
    Approved(Yes),
    /// A verdict that counts on it is on its way to the log.
    Using(Yes),
}

#[derive(Clone)]
struct Yes {
    seq: u64,
    by: Person,
}

/// What an agent has of it.
#[derive(Default)]
struct Share {
    count: usize,
    bytes: usize,
}

enum Closed {
    TooMany,
    Expired,
    /// It is not known whether the answer is in the log.
    Answered,
    Rejected {
        by: Person,
        note: String,
    },
    Used,
}

impl Table {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            time: Stopwatch::started(now),
            open: BTreeMap::new(),
            shares: HashMap::new(),
            bytes: 0,
            closed: BTreeMap::new(),
            soonest: Duration::MAX,
        }
    }

    /// Looks at the clock, and ends what was not answered or used in time.
    pub(super) fn look(&mut self, now: Timestamp) {
        self.time.look(now);
        let passed = self.time.passed();
        if passed < self.soonest {
            return;
        }
        // What is on its way to the log was in time.
        let ends = |open: &Open| matches!(open.state, State::Waiting | State::Approved(_)).then_some(open.ends);
        let over = self.open.iter().filter(|(_, open)| ends(open).is_some_and(|ends| ends <= passed));
        let over: Vec<u64> = over.map(|(seq, _)| *seq).collect();
        for seq in over {
            self.close(seq, Closed::Expired);
        }
        self.soonest = self.open.values().filter_map(ends).min().unwrap_or(Duration::MAX);
    }

    /// Whether one more of `agent` can be kept.
    pub(super) fn has_room(&self, agent: &AgentId, bytes: usize) -> bool {
        let share = self.shares.get(agent);
        self.open.len() < ALL_MAX
            && self.bytes + bytes <= BYTES_MAX
            && share.is_none_or(|share| share.count < AGENT_MAX && share.bytes + bytes <= AGENT_BYTES_MAX)
    }

    /// Keeps an action so long; says whether there was room for it.
    pub(super) fn keep(&mut self, asked: Asked, since: Timestamp, wait: Duration) -> bool {
        let bytes = bytes_of(&asked);
        if !self.has_room(&asked.action.agent, bytes) {
            self.note(asked.seq, Asker::of(&asked.action), Closed::TooMany);
            return false;
        }
        let share = self.shares.entry(asked.action.agent.clone()).or_default();
        share.count += 1;
        share.bytes += bytes;
        self.bytes += bytes;
        let ends = self.time.passed() + wait;
        self.soonest = self.soonest.min(ends);
        self.open.insert(asked.seq, Open { asked, since, ends, bytes, state: State::Waiting });
        true
    }

    /// What waits for an answer, the oldest first.
    pub(super) fn waiting(&self) -> Vec<Waiting> {
        let open = self.open.values().filter(|open| matches!(open.state, State::Waiting));
        open.map(|open| self.shown(open)).collect()
    }

    fn shown(&self, open: &Open) -> Waiting {
        let Asked { seq, action, verdict, .. } = &open.asked;
        let (action, verdict) = (Arc::clone(action), Arc::clone(verdict));
        Waiting { seq: *seq, action, verdict, since: open.since, until: self.time.shows_at(open.ends) }
    }

    pub(super) fn standing(&self, seq: u64) -> Result<Standing, ApprovalError> {
        let Some(open) = self.open.get(&seq) else {
            return match self.closed.get(&seq).map(|(_, closed)| closed) {
                Some(Closed::Rejected { by, note }) => Ok(Standing::Rejected { by: by.clone(), note: note.clone() }),
                Some(Closed::Used) => Ok(Standing::Used),
                _ => Err(self.closed(seq)),
            };
        };
        Ok(match &open.state {
            State::Waiting | State::Answering(_) => Standing::Waiting(self.shown(open)),
            State::Approved(yes) => Standing::Approved { by: yes.by.clone(), until: self.time.shows_at(open.ends) },
            State::Using(_) => Standing::Used,
        })
    }

    pub(super) fn action(&self, seq: u64) -> Result<Arc<Action>, ApprovalError> {
        self.open.get(&seq).map(|open| Arc::clone(&open.asked.action)).ok_or_else(|| self.closed(seq))
    }

    /// Who asked, also where it is over.
    pub(super) fn asker(&self, seq: u64) -> Result<Asker, ApprovalError> {
        let open = self.open.get(&seq).map(|open| Asker::of(&open.asked.action));
        open.or_else(|| self.closed.get(&seq).map(|(asker, _)| asker.clone())).ok_or(ApprovalError::Unknown(seq))
    }

    fn closed(&self, seq: u64) -> ApprovalError {
        match self.closed.get(&seq).map(|(_, closed)| closed) {
            None => ApprovalError::Unknown(seq),
            Some(Closed::TooMany) => ApprovalError::TooMany(seq),
            Some(Closed::Expired) => ApprovalError::Expired(seq),
            Some(Closed::Answered) => ApprovalError::Answered(seq),
            Some(Closed::Rejected { .. }) => ApprovalError::Rejected(seq),
            Some(Closed::Used) => ApprovalError::Used(seq),
        }
    }

    fn close(&mut self, seq: u64, closed: Closed) {
        if let Some(Open { asked, bytes, .. }) = self.open.remove(&seq) {
            self.bytes -= bytes;
            if let Some(share) = self.shares.get_mut(&asked.action.agent) {
                share.count -= 1;
                share.bytes -= bytes;
                if share.count == 0 {
                    self.shares.remove(&asked.action.agent);
                }
            }
            self.note(seq, Asker::of(&asked.action), closed);
        }
    }

    fn note(&mut self, seq: u64, asker: Asker, closed: Closed) {
        self.closed.insert(seq, (asker, closed));
        while self.closed.len() > CLOSED_MAX {
            self.closed.pop_first();
        }
    }
}

fn bytes_of(asked: &Asked) -> usize {
    let Action { resource, arguments, attributes, labels, .. } = &*asked.action;
    let value = |value: &AttributeValue| match value {
        AttributeValue::Boolean(_) | AttributeValue::Integer(_) => 0,
        AttributeValue::Text(text) => text.len(),
        AttributeValue::Texts(texts) => texts.iter().map(|text| text.len() + size_of::<String>()).sum(),
    };
    let attribute = |(key, of): (&String, &AttributeValue)| key.len() + value(of) + KEPT_BYTES / 8;
    let reason = |reason: &Reason| reason.message.len() + reason.rule.as_ref().map_or(0, String::len) + KEPT_BYTES / 4;
    let label = |label: &Label| label.as_str().len() + KEPT_BYTES / 8;
    KEPT_BYTES
        + resource.as_str().len()
        + arguments.as_str().len()
        + attributes.iter().map(attribute).sum::<usize>()
        + labels.iter().map(label).sum::<usize>()
        + asked.verdict.reasons.iter().chain(&asked.answered).map(reason).sum::<usize>()
}
