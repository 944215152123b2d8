//! More calls at once than the host has places for.

use std::sync::{Arc, Condvar, Mutex};

use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use vak::{Decided, Decision, Host};
use vak_audit::Body;
use vak_hostile::{decide, entry, install, verified};
use vak_test_support::Site;
use vak_types::FailureKind;

const CALLERS: usize = 200;

/// Where the guests of all callers stand: inside a host call, or back. No guest
/// leaves its host call before every caller is accounted for, so that all of
/// them are at their calls at the same time whatever the machine does.
#[derive(Default)]
struct Gate {
    state: Mutex<(usize, usize)>,
    changed: Condvar,
}

impl Gate {
    fn wait(&self) {
        let mut state = self.state.lock().unwrap();
        state.0 += 1;
        self.changed.notify_all();
        drop(self.changed.wait_while(state, |(inside, back)| *inside + *back < CALLERS).unwrap());
    }

    fn turned_away(&self) {
        self.state.lock().unwrap().1 += 1;
        self.changed.notify_all();
    }
}

/// Holds a guest where it writes a line.
struct Hold(Arc<Gate>);

impl Subscriber for Hold {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && metadata.target().starts_with("vak_plugin")
    }

    fn event(&self, _: &Event<'_>) {
        self.0.wait();
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

fn call(host: &Host, gate: &Arc<Gate>) -> Decided {
    let decided = tracing::subscriber::with_default(Hold(gate.clone()), || decide(host, "good/wait"));
    if !decided.verdict.is_allow() {
        gate.turned_away();
    }
    decided
}

/// All callers at once; how many were allowed.
fn wave(host: &Host) -> usize {
    let gate = Arc::new(Gate::default());
    let decided: Vec<_> = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS).map(|_| scope.spawn(|| call(host, &gate))).collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).collect()
    });
    for decided in &decided {
        let verdict = &decided.verdict;
        match verdict.decision {
            Decision::Allow => {}
            _ => assert_eq!(verdict.reasons[0].failure, Some(FailureKind::Unavailable), "{verdict:?}"),
        }
        let recorded = entry(host, decided.receipt.as_ref().unwrap().seq());
        assert!(matches!(recorded.body, Body::Decision(_, recorded) if recorded.verdict == *verdict));
    }
    let allowed = decided.iter().filter(|decided| decided.verdict.is_allow()).count();
    assert_eq!(allowed, gate.state.lock().unwrap().0, "whoever got a place is allowed");
    allowed
}

#[test]
fn calls_beyond_the_pool_are_denied_and_the_others_are_not() {
    let limits = "limits = { wall_ms_max = 60_000 }";
    let site = install(Site::new(), "hostile-policy", "", limits);
    let host = site.host();
    let places = wave(&host);
    println!("{places} of {CALLERS} at once");
    assert!((100..CALLERS).contains(&places), "{places}");
    for _ in 0..3 {
        assert_eq!(wave(&host), places, "a place got lost");
        assert!(decide(&host, "good/act").verdict.is_allow());
    }
    assert_eq!(verified(&host).decisions, 4 * CALLERS as u64 + 3);
}
