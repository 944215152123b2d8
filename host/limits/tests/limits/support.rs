//! Short ways to write actions and limits.

use std::time::Duration;

use vak_limits::{Limit, Limits, Per, Rate, Reservation};
use vak_types::{Action, ActionRequest, Json, Timestamp};

pub(crate) const SECOND: u64 = 1_000_000_000;

/// `agent session operation` at `time_ns`.
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
        labels: Vec::new(),
    }
    .at("a-1".parse().unwrap(), Timestamp::from_nanos(time_ns))
}

pub(crate) fn limit(name: &str, per: Per, operations: &str, rate: Rate) -> Limit {
    Limit { name: name.parse().unwrap(), per, operations: operations.parse().unwrap(), rate }
}

/// `burst` at once and one more each second.
pub(crate) fn each_second(burst: u32) -> Rate {
    Rate::new(burst, 1, Duration::from_secs(1)).unwrap()
}

pub(crate) fn limits<const N: usize>(limits: [Limit; N]) -> Limits {
    Limits::new(limits.into()).unwrap()
}

/// How many of `words` at `time_ns` are allowed and happen, out of a thousand.
pub(crate) fn spend(limits: &Limits, words: &str, time_ns: u64) -> usize {
    let action = action(words, time_ns);
    let reservations = std::iter::from_fn(|| limits.reserve(&action).ok()).take(1_000);
    reservations.map(Reservation::commit).count()
}
