//! The limits against an independent definition of a token bucket: in no span
//! of time from one action to another are there more actions than the burst
//! and the refill of that span. It knows no debt and no tokens, and it forgets
//! a given back action altogether.
//!
//! The two are equal as long as every action is settled at the time it was
//! asked at, as the pipeline does with what it denies. An action that is kept
//! later than that counts from a time between the two, so the limits may be
//! stricter then, and are never laxer.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use vak_limits::{Kind, Limits, Per, Rate, Reservation};

use crate::support::{action, costing, limit, limit_of, limits};

/// `burst` at once and one more each `interval` microseconds.
#[derive(Debug, Clone, Copy)]
struct Terms {
    burst: u32,
    actions: u32,
    interval: u64,
}

/// Times are in microseconds.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// Time moves on by `pass`; an action comes that is late by `late`.
    Reserve { pass: u64, late: u64, agent: usize, operation: usize },
    /// One of the open reservations, by position, is kept or dropped.
    Settle { which: usize, keep: bool },
}

/// What happened under one limit, and when.
#[derive(Debug, Default)]
struct History(Vec<u64>);

impl History {
    /// True when an action at `now`, after all others, keeps to the definition.
    fn allows(&self, terms: Terms, now: u64) -> bool {
        (0..self.0.len()).all(|first| {
            let count = (self.0.len() - first + 1) as u64;
            (count - u64::from(terms.burst).min(count)) * terms.interval <= now - self.0[first]
        })
    }

    /// True when all that happened keeps to the definition.
    fn is_lawful(&mut self, terms: Terms) -> bool {
        self.0.sort_unstable();
        (0..self.0.len()).all(|last| Self(self.0[..last].to_vec()).allows(terms, self.0[last]))
    }
}

const START: u64 = 1_000;
const AGENTS: [&str; 2] = ["ada", "bob"];
const OPERATIONS: [&str; 2] = ["files/read", "mail/send"];

/// Which history an action belongs to under each of three limits: one per
/// agent on everything, one per agent and operation on files, one for all.
fn histories_of(agent: usize, operation: usize) -> Vec<(usize, usize)> {
    let mut of = vec![(0, agent)];
    if operation == 0 {
        of.push((1, agent));
    }
    of.push((2, 0));
    of
}

fn terms() -> impl Strategy<Value = Terms> {
    (1..6u32, 1..5u32, 1..40u64).prop_map(|(burst, actions, interval)| Terms { burst, actions, interval })
}

fn reserve(late: u64) -> impl Strategy<Value = Step> {
    (0..12u64, prop_oneof![3 => Just(0), 1 => 0..=late], 0..2usize, 0..2usize)
        .prop_map(|(pass, late, agent, operation)| Step::Reserve { pass, late, agent, operation })
}

fn settle() -> impl Strategy<Value = Step> {
    (any::<usize>(), any::<bool>()).prop_map(|(which, keep)| Step::Settle { which, keep })
}

fn limits_with(terms: [Terms; 3]) -> Limits {
    let rate = |terms: Terms| {
        let period = Duration::from_micros(u64::from(terms.actions) * terms.interval);
        Rate::new(terms.burst, terms.actions, period).unwrap()
    };
    Limits::new(vec![
        limit("agent", Per::Agent, "*", rate(terms[0])),
        limit("files", Per::AgentAndOperation, "files/*", rate(terms[1])),
        limit("host", Per::Host, "*", rate(terms[2])),
    ])
    .unwrap()
}

fn attempt(limits: &Limits, agent: usize, operation: usize, time: u64) -> Result<Reservation, vak_limits::Exceeded> {
    limits.reserve(&action(&format!("{} s {}", AGENTS[agent], OPERATIONS[operation]), time * 1_000))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn equals_the_definition(
        terms in [terms(), terms(), terms()],
        steps in vec((reserve(0), any::<bool>()), 1..120),
    ) {
        let limits = limits_with(terms);
        let mut histories: [[History; 2]; 3] = Default::default();
        let mut now = START;
        for (step, keep) in steps {
            let Step::Reserve { pass, agent, operation, .. } = step else { continue };
            now += pass;
            let of = histories_of(agent, operation);
            let allows = |at: u64| of.iter().all(|(limit, of)| histories[*limit][*of].allows(terms[*limit], at));
            match attempt(&limits, agent, operation, now) {
                Ok(reservation) => {
                    prop_assert!(allows(now), "allowed one too many");
                    if keep {
                        reservation.hold();
                        of.iter().for_each(|(limit, of)| histories[*limit][*of].0.push(now));
                    }
                }
                Err(exceeded) => {
                    prop_assert!(!allows(now), "refused without need");
                    let wait = exceeded.retry_after.unwrap().as_micros() as u64;
                    prop_assert!(allows(now + wait), "the wait is too short");
                    prop_assert!(!allows(now + wait - 1), "the wait is too long");
                    let limit = ["agent", "files", "host"].iter().position(|name| *name == exceeded.limit.as_str());
                    let (limit, of) = *of.iter().find(|(of, _)| Some(*of) == limit).unwrap();
                    prop_assert!(!histories[limit][of].allows(terms[limit], now + wait - 1), "another limit is meant");
                }
            }
        }
    }

    /// An action that costs several counts as that many at one time.
    #[test]
    fn equals_the_definition_at_any_cost(
        terms in terms(),
        steps in vec((0..12u64, 0..7u64, any::<bool>()), 1..120),
    ) {
        let period = Duration::from_micros(u64::from(terms.actions) * terms.interval);
        let rate = Rate::new(terms.burst, terms.actions, period).unwrap();
        let kind = Kind::Rate { rate, cost: Some("cost".to_owned()) };
        let limits = limits([limit_of("dear", Per::Agent, "*", kind)]);
        let (mut history, mut now) = (History::default(), START);
        for (pass, cost, keep) in steps {
            now += pass;
            let with = |at: u64, tokens: u64| {
                let mut all = history.0.clone();
                (0..tokens).all(|_| {
                    let fits = History(all.clone()).allows(terms, at);
                    all.push(at);
                    fits
                })
            };
            match limits.reserve(&costing(cost as i64, "ada s files/read", now * 1_000)) {
                Ok(reservation) => {
                    prop_assert!(with(now, cost), "allowed one too many");
                    if keep {
                        reservation.hold();
                        history.0.extend((0..cost).map(|_| now));
                    }
                }
                Err(exceeded) => match exceeded.retry_after {
                    None => prop_assert!(cost > terms.burst.into(), "refused for good"),
                    Some(wait) => {
                        let wait = wait.as_micros() as u64;
                        prop_assert!(!with(now, cost), "refused without need");
                        prop_assert!(with(now + wait, cost), "the wait is too short");
                        prop_assert!(!with(now + wait - 1, cost), "the wait is too long");
                    }
                },
            }
        }
    }

    #[test]
    fn keeps_to_the_definition_whatever_is_late_or_held(
        terms in [terms(), terms(), terms()],
        steps in vec(prop_oneof![3 => reserve(30), 2 => settle()], 1..120),
    ) {
        let limits = limits_with(terms);
        let mut histories: [[History; 2]; 3] = Default::default();
        let mut open = Vec::new();
        let mut now = START;
        for step in steps {
            match step {
                Step::Reserve { pass, late, agent, operation } => {
                    now += pass;
                    if let Ok(reservation) = attempt(&limits, agent, operation, now - late) {
                        open.push((now - late, histories_of(agent, operation), reservation));
                    }
                }
                Step::Settle { which, keep } if !open.is_empty() => {
                    let (at, of, reservation) = open.swap_remove(which % open.len());
                    if keep {
                        reservation.hold();
                        of.iter().for_each(|(limit, of)| histories[*limit][*of].0.push(at));
                    }
                }
                Step::Settle { .. } => {}
            }
        }
        for (limit, terms) in terms.into_iter().enumerate() {
            prop_assert!(histories[limit].iter_mut().all(|history| history.is_lawful(terms)), "one too many");
        }
        // What was dropped, or was never decided, has left nothing behind.
        drop(open);
        for agent in 0..2 {
            let kept = histories_of(agent, 0).iter().map(|(limit, of)| histories[*limit][*of].0.len()).sum::<usize>();
            prop_assert!(kept > 0 || attempt(&limits, agent, 0, now).is_ok());
        }
    }
}
