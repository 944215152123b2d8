//! Policies without a say: they are asked after the verdict is out, and what
//! they say is recorded.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use futures_executor::block_on;
use vak_audit::{AppendError, Draft, Dropped, EncodeError, Shadow, Tier, What};
use vak_pipeline::Guard as _;
use vak_plugin::Policy;
use vak_types::{Action, Failure, FailureKind, Timestamp};

use crate::inventory::Stopped;
use crate::ledger::AuditLedger;
use crate::sessions::Sessions;

/// Actions that wait to be judged. When there are more they are left out, and
/// the log says how many: decisions wait for nothing of this.
const WAITING_MAX: usize = 1_024;

/// How long a host that closes goes on judging what waits. The rest is left out.
const CLOSING_MAX: Duration = Duration::from_secs(2);

/// Asks policies in shadow, on a thread of its own that starts with the first.
pub(crate) struct Shadows {
    ledger: Arc<AuditLedger>,
    worker: OnceLock<Worker>,
}

struct Worker {
    actions: SyncSender<Decided>,
    left_out: Arc<AtomicU64>,
    closing: Arc<OnceLock<Instant>>,
    thread: JoinHandle<()>,
}

/// What there is to be said something about.
struct Decided {
    policies: Arc<[Policy]>,
    stopped: Arc<Stopped>,
    sessions: Option<Arc<Sessions>>,
    action: Action,
    seq: u64,
    now: Timestamp,
}

/// Why a finding is not in the log.
#[derive(Debug, thiserror::Error)]
enum ShadowError {
    #[error(transparent)]
    Encode(#[from] EncodeError),
    #[error(transparent)]
    Append(#[from] AppendError),
}

impl Shadows {
    pub(crate) fn new(ledger: Arc<AuditLedger>) -> Self {
        Self { ledger, worker: OnceLock::new() }
    }

    /// Has `policies` say what they would have said of the action that entry
    /// `seq` decided.
    pub(crate) fn ask(
        &self,
        policies: &Arc<[Policy]>,
        stopped: &Arc<Stopped>,
        sessions: Option<&Arc<Sessions>>,
        action: &Action,
        seq: u64,
        now: Timestamp,
    ) {
        if !policies.iter().any(|policy| policy.covers(action)) {
            return;
        }
        let worker = self.worker.get_or_init(|| Worker::start(Arc::clone(&self.ledger)));
        let (policies, stopped, sessions) = (Arc::clone(policies), Arc::clone(stopped), sessions.cloned());
        let decided = Decided { policies, stopped, sessions, action: action.clone(), seq, now };
        if worker.actions.try_send(decided).is_err() {
            worker.left_out.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Ends once what waits is judged, or soon.
    pub(crate) fn close(self, now: Timestamp) {
        let Self { ledger, worker } = self;
        if let Some(Worker { actions, left_out, closing, thread }) = worker.into_inner() {
            closing.get_or_init(Instant::now);
            drop(actions);
            // A worker that panicked could not say what it left out.
            if thread.join().is_err() {
                left_out.fetch_add(1, Ordering::Relaxed);
                tell(&ledger, &left_out, now);
            }
        }
    }
}

impl Worker {
    fn start(ledger: Arc<AuditLedger>) -> Self {
        let (actions, waiting) = sync_channel(WAITING_MAX);
        let left_out = Arc::new(AtomicU64::new(0));
        let closing = Arc::new(OnceLock::new());
        let (counted, ends) = (Arc::clone(&left_out), Arc::clone(&closing));
        let thread = std::thread::spawn(move || work(&ledger, &waiting, &counted, &ends));
        Self { actions, left_out, closing, thread }
    }
}

fn work(ledger: &AuditLedger, waiting: &Receiver<Decided>, left_out: &AtomicU64, closing: &OnceLock<Instant>) {
    let mut last = Timestamp::default();
    loop {
        let next = match waiting.try_recv() {
            Ok(next) => Some(next),
            Err(TryRecvError::Disconnected) => None,
            Err(TryRecvError::Empty) => {
                tell(ledger, left_out, last);
                waiting.recv().ok()
            }
        };
        let Some(decided) = next else { break };
        last = decided.now;
        for policy in decided.policies.iter().filter(|policy| policy.covers(&decided.action)) {
            if closing.get().is_some_and(|since| since.elapsed() > CLOSING_MAX) {
                left_out.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            if let Err(error) = judge(ledger, policy, &decided) {
                let (policy, seq) = (&policy.component().name, decided.seq);
                tracing::warn!(%policy, seq, "a finding in shadow is not recorded: {error}");
                left_out.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
    tell(ledger, left_out, last);
}

fn judge(ledger: &AuditLedger, policy: &Policy, decided: &Decided) -> Result<(), ShadowError> {
    let Decided { stopped, sessions, action, seq, now, .. } = decided;
    let sessions = sessions.as_ref().filter(|_| policy.asks_for_session());
    let past = sessions.and_then(|sessions| sessions.before(action)).map(Arc::new);
    // One that was withdrawn is not asked, as if it had failed.
    let answer = match stopped.why(&policy.component().name) {
        Some(why) => Err(Failure { kind: FailureKind::Unavailable, message: why.to_owned() }),
        None => policy.evaluate(action, past.as_ref()),
    };
    let (reason, obligations) = vak_pipeline::alone(policy, answer);
    let shadow = ledger.worded(Shadow { decision: *seq, reason, obligations });
    let draft = Draft::shadow(action, *now, &shadow)?;
    block_on(ledger.log.append(draft, Tier::Accepted))?;
    Ok(())
}

/// Says in the log how many there are no findings of.
fn tell(ledger: &AuditLedger, left_out: &AtomicU64, now: Timestamp) {
    let count = left_out.swap(0, Ordering::Relaxed);
    if count == 0 {
        return;
    }
    let reason = "policies in shadow did not keep up, or what they said could not be recorded".to_owned();
    let draft = Draft::dropped(now, Dropped { what: What::Shadows { count }, reason });
    if let Err(error) = draft.map_err(ShadowError::from).and_then(|draft| {
        block_on(ledger.log.append(draft, Tier::Accepted))?;
        Ok(())
    }) {
        tracing::warn!(count, "findings in shadow are missing, and the log does not say so: {error}");
    }
}
