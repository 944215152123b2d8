//! The queue between those who append and the threads that seal and commit.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_channel::oneshot;
use vak_types::Timestamp;

use crate::log::{AppendError, Committed, StopCause};
use crate::{Draft, Options, Signer};

/// The most bytes that wait in the queue, so that the longest entries don't
/// take half a gigabyte: 64 MiB.
const QUEUE_BYTES_MAX: usize = 64 << 20;

/// How many entries have to wait before they are sealed ahead of their commit:
/// enough to be worth waking a thread, and sealed in some 60 µs.
pub(crate) const AHEAD_ENTRIES: usize = 64;

/// Tells whoever appended how the commit went.
pub(crate) type Done = oneshot::Sender<Result<Committed, AppendError>>;

/// What waits for its commit.
#[derive(Debug)]
pub(crate) enum Work {
    /// An entry that is encoded.
    Append(Draft),
    /// A change of key, which only the committer can sign.
    Rotate(Box<Signer>, Timestamp),
}

impl Work {
    /// What it takes of the queue's room.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Append(draft) => {
                draft.rest.len() + draft.payloads.iter().map(|payload| payload.bytes.len()).sum::<usize>()
            }
            Self::Rotate(..) => 0,
        }
    }

    fn after(&self) -> Option<u64> {
        match self {
            Self::Append(draft) => draft.after,
            Self::Rotate(..) => None,
        }
    }
}

/// An entry that waits for its commit.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) work: Work,
    pub(crate) done: Option<Done>,
}

#[derive(Debug)]
pub(crate) struct Queue {
    state: Mutex<State>,
    /// Tells the committer that there is something to do.
    work: Condvar,
    /// Tells the sealer that there is enough to seal ahead.
    enough: Condvar,
    entries_max: usize,
}

#[derive(Debug)]
struct State {
    pending: VecDeque<Pending>,
    /// Entries that are not yet being written, and their bytes: those that are
    /// pending, and those that are sealed.
    entries: usize,
    bytes: usize,
    /// Those among them whose commit somebody waits for.
    awaited: usize,
    /// The sequence number of the next entry that gets a place. Places are
    /// committed in order and a failed commit is the last, so an entry's
    /// number is known as soon as it has a place.
    next_seq: u64,
    /// Those who wait for a place.
    waiting: Vec<oneshot::Sender<()>>,
    /// The committer sleeps; set so that waking it costs a system call once a
    /// batch and not once an entry.
    idle: bool,
    /// The committer sleeps until there is a reason to commit.
    gathering: bool,
    /// The sealer sleeps.
    sealer_idle: bool,
    closed: bool,
    stopped: Option<StopCause>,
}

impl Queue {
    pub(crate) fn new(next_seq: u64, options: &Options) -> Self {
        let state = State {
            pending: VecDeque::new(),
            entries: 0,
            bytes: 0,
            awaited: 0,
            next_seq,
            waiting: Vec::new(),
            idle: false,
            gathering: false,
            sealer_idle: false,
            closed: false,
            stopped: None,
        };
        let entries_max = options.queue_entries_max.max(1);
        Self { state: Mutex::new(state), work: Condvar::new(), enough: Condvar::new(), entries_max }
    }

    /// Gives `work` a place, as soon as there is one, and its sequence number.
    pub(crate) async fn push(&self, work: Work, done: Option<Done>) -> Result<u64, AppendError> {
        let mut pending = Pending { work, done };
        loop {
            let place = match self.try_push(pending)? {
                Ok(seq) => return Ok(seq),
                Err((back, place)) => {
                    pending = back;
                    place
                }
            };
            // Cancelled when the log stops, which the next turn finds out.
            place.await.unwrap_or(());
        }
    }

    fn try_push(&self, pending: Pending) -> Result<Result<u64, (Pending, oneshot::Receiver<()>)>, AppendError> {
        let mut state = self.lock();
        if let Some(cause) = &state.stopped {
            return Err(AppendError::Stopped(cause.clone()));
        }
        if let Some(decision) = pending.work.after().filter(|decision| *decision >= state.next_seq) {
            return Err(AppendError::NoSuchDecision { decision, size: state.next_seq });
        }
        let bytes = state.bytes + pending.work.bytes();
        if state.entries >= self.entries_max || (bytes > QUEUE_BYTES_MAX && state.entries > 0) {
            let (free, place) = oneshot::channel();
            state.waiting.push(free);
            return Ok(Err((pending, place)));
        }
        state.entries += 1;
        state.bytes = bytes;
        state.awaited += usize::from(pending.done.is_some());
        state.pending.push_back(pending);
        let seq = state.next_seq;
        state.next_seq += 1;
        let wake = if std::mem::take(&mut state.idle) || (state.gathering && self.is_due(&state)) {
            state.gathering = false;
            Some(&self.work)
        } else if state.pending.len() >= AHEAD_ENTRIES && std::mem::take(&mut state.sealer_idle) {
            Some(&self.enough)
        } else {
            None
        };
        drop(state);
        if let Some(wake) = wake {
            wake.notify_one();
        }
        Ok(Ok(seq))
    }

    /// Waits until there are entries that are not being written. False when the
    /// queue is closed and nothing is left.
    pub(crate) fn wait(&self) -> Result<bool, StopCause> {
        let mut state = self.lock();
        loop {
            match (&state.stopped, state.entries) {
                (Some(cause), _) => return Err(cause.clone()),
                (None, 0) if state.closed => return Ok(false),
                (None, 0) => state.idle = true,
                (None, _) => break,
            }
            state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.idle = false;
        Ok(true)
    }

    /// Waits for a while, or until there is a reason to commit.
    pub(crate) fn gather(&self, most: Duration) {
        let mut state = self.lock();
        state.gathering = !self.is_due(&state);
        let more = |state: &mut State| state.gathering;
        let (mut state, _) = self.work.wait_timeout_while(state, most, more).unwrap_or_else(PoisonError::into_inner);
        state.gathering = false;
    }

    /// Whether there is a reason to commit.
    fn is_due(&self, state: &State) -> bool {
        let many = state.entries >= self.entries_max.div_ceil(2) || state.bytes >= QUEUE_BYTES_MAX / 2;
        state.awaited > 0 || many || state.closed || state.stopped.is_some()
    }

    /// Waits until there is enough to seal ahead. False when there will not be.
    pub(crate) fn wait_for_enough(&self) -> bool {
        let mut state = self.lock();
        while state.pending.len() < AHEAD_ENTRIES {
            if state.closed || state.stopped.is_some() {
                return false;
            }
            state.sealer_idle = true;
            state = self.enough.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.sealer_idle = false;
        true
    }

    /// Swaps what is pending into `batch`, which has to be empty. It keeps its
    /// room until [`free`](Self::free).
    pub(crate) fn take(&self, batch: &mut VecDeque<Pending>) {
        std::mem::swap(&mut self.lock().pending, batch);
    }

    /// Gives back the room of entries that are about to be written.
    pub(crate) fn free(&self, entries: usize, bytes: usize, awaited: usize) {
        let mut state = self.lock();
        state.entries -= entries;
        state.bytes -= bytes;
        state.awaited -= awaited;
        // All of them, not as many as there are places: one that was cancelled
        // in the meantime must not keep the place from another.
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        for free in waiting {
            free.send(()).unwrap_or(());
        }
    }

    /// Nothing more comes; what is queued is still committed.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.gathering = false;
        drop(state);
        self.work.notify_one();
        self.enough.notify_one();
    }

    /// Refuses everything from now on, including what is queued. The first
    /// cause stands.
    pub(crate) fn stop(&self, cause: StopCause) {
        let mut state = self.lock();
        let cause = state.stopped.get_or_insert(cause).clone();
        state.gathering = false;
        let pending = std::mem::take(&mut state.pending);
        let waiting = std::mem::take(&mut state.waiting);
        drop((state, waiting));
        self.work.notify_one();
        self.enough.notify_one();
        for done in pending.into_iter().filter_map(|pending| pending.done) {
            done.send(Err(AppendError::Stopped(cause.clone()))).unwrap_or(());
        }
    }

    /// Why the log stopped, if it did.
    pub(crate) fn stopped(&self) -> Option<StopCause> {
        self.lock().stopped.clone()
    }

    /// No code that may panic runs while the lock is held, so the state is
    /// whole even if it is poisoned.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use futures_executor::block_on;

    use super::*;
    use crate::{About, Outcome, Status};

    const FOREVER: Duration = Duration::from_secs(1 << 20);

    fn queue() -> Queue {
        Queue::new(1, &Options { queue_entries_max: 8, ..Options::default() })
    }

    fn push(queue: &Queue, done: Option<Done>) {
        let about = About { agent: "a".parse().unwrap(), session: "s".parse().unwrap(), action: "1".parse().unwrap() };
        let outcome =
            Outcome { decision: 0, status: Status::Unknown, result: None, detail: String::new(), duration_ns: 0 };
        let draft = Draft::outcome(&about, Timestamp::default(), &outcome).unwrap();
        block_on(queue.push(Work::Append(draft), done)).unwrap();
    }

    fn awaited(queue: &Queue) -> oneshot::Receiver<Result<Committed, AppendError>> {
        let (done, committed) = oneshot::channel();
        push(queue, Some(done));
        committed
    }

    /// Each of these would wait forever otherwise.
    #[test]
    fn gathering_ends_when_somebody_waits_or_much_has_come() {
        let reasons: [fn(&Queue); 4] = [
            |queue| drop(awaited(queue)),
            |queue| (0..4).for_each(|_| push(queue, None)),
            Queue::close,
            |queue| queue.stop(StopCause::Panicked),
        ];
        for happen in reasons {
            let (before, queue) = (queue(), queue());
            happen(&before);
            before.gather(FOREVER);
            std::thread::scope(|scope| {
                let gathering = scope.spawn(|| queue.gather(FOREVER));
                while !queue.lock().gathering {
                    std::thread::yield_now();
                }
                push(&queue, None);
                assert!(queue.lock().gathering);
                happen(&queue);
                gathering.join().unwrap();
            });
        }
    }

    #[test]
    fn what_is_being_written_is_no_reason() {
        let queue = queue();
        let _committed = awaited(&queue);
        let mut batch = VecDeque::new();
        queue.take(&mut batch);
        // Sealed, but not on its way yet.
        assert!(queue.is_due(&queue.lock()));
        queue.free(1, batch[0].work.bytes(), 1);
        assert!(!queue.is_due(&queue.lock()));
        queue.gather(Duration::from_millis(1));
    }
}
