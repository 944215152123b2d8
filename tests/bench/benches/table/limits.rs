//! The limiter with many keys.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use vak_limits::{Kind, Limit, Limits, Per, Rate};
use vak_types::{Action, AgentId};

use crate::fixture::action;
use crate::memory::allocated_by;
use crate::print::{Row, quantile};

const KEYS: usize = 1_000_000;

/// Agents that act while the others are known: few do at a time.
const BUSY: usize = 1_000;

/// Checks that are timed together.
const BATCH: usize = 50;
const BATCHES: usize = 20_000;

/// One rate for each agent, and a million agents.
pub(crate) fn rows() -> Vec<Row> {
    let rate = Kind::rate(Rate::new(1_000_000, 1_000_000, Duration::from_secs(1)).unwrap());
    let limit = Limit::new("measured".parse().unwrap(), Per::Agent, "*".parse().unwrap(), rate);
    let limits = Limits::new(vec![limit]).unwrap();
    let mut action = action();
    let ((), bytes) = allocated_by(|| {
        for number in 0..KEYS {
            action.agent = agent(number);
            drop(limits.reserve(&action).unwrap().hold());
        }
    });
    assert_eq!(limits.keys(), KEYS);
    let mut reservations = Vec::with_capacity(BATCH);
    let mut check = |agents| {
        nanos(agents, |actions| {
            reservations.clear();
            let start = Instant::now();
            reservations.extend(actions.iter().map(|action| limits.reserve(action).unwrap()));
            start.elapsed()
        })
    };
    let (busy, all) = (check(BUSY), check(KEYS));
    let map: HashMap<AgentId, u64> = (0..KEYS).map(|number| (agent(number), 0)).collect();
    let look = |agents| {
        let nanos = nanos(agents, |actions| {
            let start = Instant::now();
            actions.iter().for_each(|action| assert_eq!(map[&action.agent], 0));
            start.elapsed()
        });
        format!("a look into a `HashMap` of them: {nanos:.0} ns")
    };
    let (look_busy, look_all) = (look(BUSY), look(KEYS));
    vec![
        Row::at_most("limiter check, 1,000,000 keys, 1,000 of them busy", busy, 60.0, "ns", look_busy),
        Row::at_most("the same, all of them busy, from memory", all, 60.0, "ns", look_all),
        Row::at_most("memory of such a key", bytes as f64 / KEYS as f64, 100.0, "B", String::new()),
    ]
}

fn agent(number: usize) -> AgentId {
    format!("agent-{number}").parse().unwrap()
}

/// The median nanoseconds over batches of actions by agents at random: what is
/// known of an agent is rarely in a cache then, and the action that asks is.
fn nanos(agents: usize, mut time: impl FnMut(&[Action]) -> Duration) -> f64 {
    let mut actions = vec![action(); BATCH];
    let mut random = 1_u64;
    let mut nanos: Vec<_> = (0..BATCHES)
        .map(|_| {
            for action in &mut actions {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let at = (random >> 33) as usize % agents;
                action.agent = agent(at * (KEYS / agents));
            }
            time(&actions).as_nanos() as f64 / BATCH as f64
        })
        .collect();
    quantile(&mut nanos, 0.5)
}
