//! Short ways to write actions and limits.

use std::time::Duration;

use vak_limits::{Held, Kind, Limit, Limits, Per, Rate, Reservation};
use vak_types::{Action, ActionRequest, AttributeValue, Json, Timestamp};

pub(crate) const SECOND: u64 = 1_000_000_000;

/// An ordinary time.
pub(crate) const START: u64 = 1_700_000_000 * SECOND;

pub(crate) const DAY: Duration = Duration::from_secs(86_400);

pub(crate) fn at(time_ns: u64) -> Timestamp {
    Timestamp::from_nanos(time_ns)
}

/// `agent session operation`, and labels if there are more words, at `time_ns`.
pub(crate) fn action(words: &str, time_ns: u64) -> Action {
    let mut words = words.split(' ');
    let mut word = || words.next().unwrap();
    ActionRequest {
        agent: word().parse().unwrap(),
        session: word().parse().unwrap(),
        operation: word().parse().unwrap(),
        resource: "r".parse().unwrap(),
        arguments: Json::default(),
        attributes: Default::default(),
        labels: words.map(|label| label.parse().unwrap()).collect(),
    }
    .at("a-1".parse().unwrap(), at(time_ns))
}

/// The same with a cost.
pub(crate) fn costing(cost: i64, words: &str, time_ns: u64) -> Action {
    let mut action = action(words, time_ns);
    action.attributes.insert("cost".to_owned(), AttributeValue::Integer(cost));
    action
}

pub(crate) fn limit_of(name: &str, per: Per, operations: &str, kind: Kind) -> Limit {
    Limit::new(name.parse().unwrap(), per, operations.parse().unwrap(), kind)
}

pub(crate) fn limit(name: &str, per: Per, operations: &str, rate: Rate) -> Limit {
    limit_of(name, per, operations, Kind::rate(rate))
}

/// `burst` at once and one more each second.
pub(crate) fn each_second(burst: u32) -> Rate {
    Rate::new(burst, 1, Duration::from_secs(1)).unwrap()
}

pub(crate) fn budget(amount: u64, window: Option<Duration>) -> Kind {
    Kind::Budget { amount, window, cost: "cost".to_owned(), refund: true }
}

pub(crate) fn limits<const N: usize>(limits: [Limit; N]) -> Limits {
    Limits::new(limits.into()).unwrap()
}

/// How many of `words` at `time_ns` are allowed and happen, out of a thousand.
pub(crate) fn spend(limits: &Limits, words: &str, time_ns: u64) -> usize {
    let action = action(words, time_ns);
    let reservations = std::iter::from_fn(|| limits.reserve(&action).ok()).take(1_000);
    reservations.map(Reservation::hold).map(|held| held.succeed(&[], at(time_ns))).count()
}

/// An action that is allowed and under way.
pub(crate) fn start(limits: &Limits, action: &Action) -> Held {
    limits.reserve(action).unwrap().hold()
}
