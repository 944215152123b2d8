//! The limits against an independent definition of a token bucket: in no span
//! of time from one action to another are there more actions than the burst
//! and the refill of that span. It knows no debt and no tokens, and it forgets
//! a given back action altogether.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use vak_limits::{Limits, Per, Rate};

use crate::support::{action, limit};

#[derive(Debug, Clone, Copy)]
struct Terms {
    burst: u32,
    actions: u32,
    period_ns: u64,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    /// Time moves on by `pass_ns`; an action comes that is late by `late_ns`.
    Reserve { pass_ns: u64, late_ns: u64, agent: usize, operation: usize },
    /// One of the open reservations, by position, is committed or dropped.
    Settle { which: usize, commit: bool },
}

/// What happened under one limit, in order: when, and which reservation.
#[derive(Default)]
struct History(Vec<(u64, usize)>);

impl History {
    /// True when an action at `now_ns` keeps to the definition.
    fn allows(&self, terms: Terms, now_ns: u64) -> bool {
        self.0.iter().enumerate().all(|(first, (from_ns, _))| {
            let count = (self.0.len() - first + 1) as u128;
            let refill = u128::from(now_ns - from_ns) * u128::from(terms.actions);
            // count <= burst + actions * span / period, without the fraction.
            count * u128::from(terms.period_ns) <= u128::from(terms.burst) * u128::from(terms.period_ns) + refill
        })
    }
}

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
    (1..6u32, 1..5u32, 1..40u64).prop_map(|(burst, actions, period_ns)| Terms { burst, actions, period_ns })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..12u64, prop_oneof![3 => Just(0), 1 => 0..30u64], 0..2usize, 0..2usize)
            .prop_map(|(pass_ns, late_ns, agent, operation)| Step::Reserve { pass_ns, late_ns, agent, operation }),
        2 => (any::<usize>(), any::<bool>()).prop_map(|(which, commit)| Step::Settle { which, commit }),
    ]
}

fn limits_with(terms: [Terms; 3]) -> Limits {
    let rate = |terms: Terms| Rate::new(terms.burst, terms.actions, Duration::from_nanos(terms.period_ns)).unwrap();
    Limits::new(vec![
        limit("agent", Per::Agent, "*", rate(terms[0])),
        limit("files", Per::AgentAndOperation, "files/*", rate(terms[1])),
        limit("host", Per::Host, "*", rate(terms[2])),
    ])
    .unwrap()
}

fn check(terms: [Terms; 3], steps: &[Step]) {
    let limits = limits_with(terms);
    let mut histories: [[History; 2]; 3] = Default::default();
    let mut open = Vec::new();
    let mut now_ns = 1_000;
    // Nothing is late before there is a time to be late for.
    drop(limits.reserve(&action("ada s x", now_ns)).unwrap());
    for (id, step) in steps.iter().enumerate() {
        match *step {
            Step::Reserve { pass_ns, late_ns, agent, operation } => {
                // A late action never is the one that moves time on.
                now_ns += if late_ns == 0 { pass_ns } else { 0 };
                let action = action(&format!("{} s {}", AGENTS[agent], OPERATIONS[operation]), now_ns - late_ns);
                let of = histories_of(agent, operation);
                let allows = |at_ns| of.iter().all(|(limit, of)| histories[*limit][*of].allows(terms[*limit], at_ns));
                match limits.reserve(&action) {
                    Ok(reservation) => {
                        assert!(allows(now_ns), "allowed one too many at step {id}");
                        open.push((id, reservation));
                        for (limit, of) in of {
                            histories[limit][of].0.push((now_ns, id));
                        }
                    }
                    Err(exceeded) => {
                        assert!(!allows(now_ns), "refused without need at step {id}");
                        let wait_ns = exceeded.retry_after.unwrap().as_nanos() as u64 - late_ns;
                        assert!(allows(now_ns + wait_ns), "the wait at step {id} is too short");
                        assert!(!allows(now_ns + wait_ns - 1), "the wait at step {id} is too long");
                        let limit = ["agent", "files", "host"].iter().position(|name| *name == exceeded.limit.as_str());
                        let (limit, of) = *of.iter().find(|(of, _)| Some(*of) == limit).unwrap();
                        assert!(!histories[limit][of].allows(terms[limit], now_ns + wait_ns - 1));
                    }
                }
            }
            Step::Settle { which, commit } => {
                if open.is_empty() {
                    continue;
                }
                let (id, reservation) = open.swap_remove(which % open.len());
                if commit {
                    reservation.commit();
                } else {
                    drop(reservation);
                    histories.iter_mut().flatten().for_each(|history| history.0.retain(|(_, other)| *other != id));
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn equals_the_definition_with_reservations_held(
        terms in [terms(), terms(), terms()],
        steps in vec(step(), 1..120),
    ) {
        check(terms, &steps);
    }
}
