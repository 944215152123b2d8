//! What sessions have heard from upstreams.
//!
//! What an upstream said may be in all that its session does after that, so the
//! session's later actions carry its label, whatever their asker says of them. A
//! session has no end here, and so no place in a table for ever: where a token has
//! more of them than are kept, what the oldest has heard counts as heard by all of
//! that token's. Nothing is forgotten that way; a token with that many sessions
//! makes its own actions suspect, and nobody else's.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use vak::{Label, SessionId};

/// Sessions of one token that are told apart. Each takes some hundred bytes.
const SESSIONS_MAX: usize = 4_096;

type Labels = BTreeSet<Label>;

#[derive(Default)]
pub(crate) struct Heard {
    /// As the log has it from before the start.
    before: HashMap<SessionId, Labels>,
    /// By the name of who asks, of whom there are as many as the operator names.
    since: Mutex<HashMap<Arc<str>, Sessions>>,
}

#[derive(Default)]
struct Sessions {
    /// What all of them may have heard.
    all: Labels,
    each: HashMap<SessionId, Labels>,
    /// The oldest first.
    order: VecDeque<SessionId>,
}

impl Heard {
    pub(crate) fn new(before: HashMap<SessionId, Labels>) -> Self {
        Self { before, since: Mutex::default() }
    }

    /// Notes that a session of `who` hears what has this label. To be called before
    /// anybody is told anything.
    pub(crate) fn hears(&self, who: &Arc<str>, session: &SessionId, label: Label) {
        let mut since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        let Sessions { all, each, order } = since.entry(Arc::clone(who)).or_default();
        if let Some(labels) = each.get_mut(session) {
            labels.insert(label);
            return;
        }
        if each.len() >= SESSIONS_MAX
            && let Some(oldest) = order.pop_front()
        {
            all.extend(each.remove(&oldest).into_iter().flatten());
        }
        order.push_back(session.clone());
        each.insert(session.clone(), Labels::from([label]));
    }

    /// `labels`, and those of what the session has heard.
    pub(crate) fn with(&self, who: &Arc<str>, session: &SessionId, mut labels: Vec<Label>) -> Vec<Label> {
        let since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        let of =
            since.get(who).into_iter().flat_map(|of| of.all.iter().chain(of.each.get(session).into_iter().flatten()));
        for label in self.before.get(session).into_iter().flatten().chain(of) {
            if !labels.contains(label) {
                labels.push(label.clone());
            }
        }
        labels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(name: &str) -> Label {
        name.parse().unwrap()
    }

    #[test]
    fn what_is_heard_is_not_forgotten_and_is_nobody_elses() {
        let session = |number: usize| -> SessionId { format!("s{number}").parse().unwrap() };
        let heard = Heard::new(HashMap::from([(session(7), Labels::from([label("old")]))]));
        let (one, other): (Arc<str>, Arc<str>) = ("one".into(), "other".into());
        heard.hears(&one, &session(0), label("a"));
        heard.hears(&one, &session(0), label("b"));
        heard.hears(&one, &session(0), label("a"));
        let given = vec![label("b"), label("mine")];
        assert_eq!(heard.with(&one, &session(0), given.clone()), ["b", "mine", "a"].map(label));
        assert_eq!(heard.with(&one, &session(1), given.clone()), given);
        assert_eq!(heard.with(&other, &session(0), given.clone()), given);
        assert_eq!(heard.with(&one, &session(7), Vec::new()), [label("old")]);
        // As many as may be, and one more: the first is all of them now.
        (1..=SESSIONS_MAX).for_each(|number| heard.hears(&one, &session(number), label("c")));
        assert_eq!(heard.with(&one, &session(0), Vec::new()), ["a", "b"].map(label));
        assert_eq!(heard.with(&one, &session(SESSIONS_MAX), Vec::new()), ["a", "b", "c"].map(label));
        assert_eq!(heard.with(&other, &session(0), given.clone()), given);
    }
}
