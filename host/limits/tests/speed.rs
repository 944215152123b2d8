//! How long a check takes and how much memory a key takes:
//! `cargo test --release -p vak-limits --test speed -- --ignored --nocapture`.
#![cfg(not(loom))]
#![allow(unsafe_code, clippy::unwrap_used)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use vak_limits::{Kind, Limit, Limits, Per, Rate};
use vak_types::{Action, ActionRequest, AttributeValue, Timestamp};

/// Counts what is allocated.
struct Counting;

static BYTES: AtomicUsize = AtomicUsize::new(0);
static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is passed on to the allocator of the system.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        BYTES.fetch_add(layout.size(), Relaxed);
        ALLOCATIONS.fetch_add(1, Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        BYTES.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const KEYS: usize = 1_000_000;
const BATCHES: usize = 20_000;
const NOW: Timestamp = Timestamp::from_nanos(1_700_000_000_000_000_000);

fn action(number: usize) -> Action {
    let request: ActionRequest =
        serde_json::from_str(r#"{"agent":"a","session":"s","operation":"files/write","resource":"r"}"#).unwrap();
    let mut action = request.at("a-1".parse().unwrap(), NOW);
    action.agent = format!("agent-{number}").parse().unwrap();
    action.attributes.insert("cost".to_owned(), AttributeValue::Integer(1));
    action
}

fn limits(per: &[(Per, Kind)]) -> Limits {
    let limit = |(at, (per, kind)): (usize, &(Per, Kind))| {
        Limit::new(format!("limit-{at}").parse().unwrap(), *per, "*".parse().unwrap(), kind.clone())
    };
    Limits::new(per.iter().enumerate().map(limit).collect()).unwrap()
}

fn rate() -> Kind {
    Kind::rate(Rate::new(1_000_000, 1_000_000, Duration::from_secs(1)).unwrap())
}

/// Reservations that are open at a time, and timed together: some 30
/// microseconds, in which the system rarely takes the processor away.
const BATCH: usize = 50;

/// Nanoseconds for a check, for giving back and for spending with a success, as
/// the median over batches; and how often memory was allocated.
fn measure(limits: &Limits, actions: &[Action]) -> ([f64; 3], usize) {
    let mut times_ns: [Vec<u128>; 3] = std::array::from_fn(|_| Vec::with_capacity(BATCHES));
    let mut reservations = Vec::with_capacity(BATCH);
    let allocations = ALLOCATIONS.load(Relaxed);
    for batch in 0..BATCHES {
        let first = batch * BATCH % actions.len();
        let start = Instant::now();
        reservations
            .extend(actions.iter().cycle().skip(first).take(BATCH).map(|action| limits.reserve(action).unwrap()));
        let checked = Instant::now();
        match batch % 2 {
            0 => reservations.clear(),
            _ => reservations.drain(..).for_each(|reservation| reservation.hold().succeed(&[], NOW)),
        }
        let settled = Instant::now();
        times_ns[0].push((checked - start).as_nanos());
        times_ns[1 + batch % 2].push((settled - checked).as_nanos());
    }
    let allocations = ALLOCATIONS.load(Relaxed) - allocations;
    let median = |mut times_ns: Vec<u128>| {
        times_ns.sort_unstable();
        times_ns[times_ns.len() / 2] as f64 / BATCH as f64
    };
    (times_ns.map(median), allocations)
}

/// Fills `limits` with keys and says how many bytes each takes.
fn fill(limits: &Limits, actions: &[Action]) -> f64 {
    let before = BYTES.load(Relaxed);
    actions.iter().for_each(|action| drop(limits.reserve(action).unwrap().hold()));
    (BYTES.load(Relaxed) - before) as f64 / limits.keys() as f64
}

#[test]
fn one_or_two_limits_need_no_memory() {
    let quota = Kind::Quota { actions: Limit::AMOUNT_MAX, window: Duration::from_secs(86_400), refund: false };
    let places = Kind::Concurrency { at_once: 10 };
    for second in [vec![], vec![(Per::Host, rate())], vec![(Per::Session, quota)], vec![(Per::Agent, places)]] {
        let limits = limits(&[vec![(Per::Agent, rate())], second].concat());
        let action = action(0);
        let call = || limits.reserve(&action).unwrap().hold().succeed(&[], NOW);
        call();
        // Others of this process may allocate, though not always.
        let rounds = (0..100).map(|_| {
            let before = ALLOCATIONS.load(Relaxed);
            call();
            drop(limits.reserve(&action));
            ALLOCATIONS.load(Relaxed) - before
        });
        assert_eq!(rounds.min(), Some(0));
    }
}

#[test]
#[ignore = "takes a minute and wants a release build"]
fn a_million_keys() {
    let all: Vec<_> = (0..KEYS).map(action).collect();
    let budget = Kind::Budget { amount: Limit::AMOUNT_MAX, window: None, cost: "cost".to_owned(), refund: true };
    let quota = Kind::Quota { actions: Limit::AMOUNT_MAX, window: Duration::from_secs(86_400), refund: false };
    let cases = [
        ("one rate", limits(&[(Per::Agent, rate())]), KEYS),
        ("two rates", limits(&[(Per::Agent, rate()), (Per::AgentAndOperation, rate())]), KEYS / 2),
        ("one quota", limits(&[(Per::Agent, quota)]), KEYS),
        ("rate and budget", limits(&[(Per::Agent, rate()), (Per::Agent, budget)]), KEYS / 2),
    ];
    println!("a million keys   B/key    agents  check ns   drop ns  spend ns allocations");
    for (name, limits, agents) in cases {
        let bytes = fill(&limits, &all[..agents]);
        // Few agents are busy at a time, whatever number is known.
        for busy in [50, 1_000, 10_000, agents] {
            let actions: Vec<_> = (0..busy).map(|at| all[at * (agents / busy)].clone()).collect();
            let ([check_ns, give_back_ns, spend_ns], allocations) = measure(&limits, &actions);
            println!(
                "{name:<16} {bytes:>6.1} {busy:>9} {check_ns:>9.1} {give_back_ns:>9.1} {spend_ns:>9.1} {allocations:>11}"
            );
        }
    }
}
