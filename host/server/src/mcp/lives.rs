//! The lives of an upstream: it is started anew when it has died, by the next call
//! of it, and not too often.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};

use super::changes::listen;
use super::connection::Connection;
use super::error::{RequestError, StartError};
use super::start::Start;

/// The least time from one start to the next. It doubles with each further one.
const PAUSE: Duration = Duration::from_secs(1);

/// What that grows to: an upstream that dies of each call is started once a minute.
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// After so long a life its starts are not counted together with the next ones.
const STEADY: Duration = Duration::from_secs(600);

type Starting = Shared<BoxFuture<'static, Result<Arc<Connection>, Arc<StartError>>>>;

/// How an upstream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    Up,
    Starting,
    Down,
}

/// One life after the other.
pub(crate) struct Lives {
    start: Arc<Start>,
    now: Mutex<Life>,
}

struct Life {
    /// From 0.
    number: u64,
    began: Instant,
    /// Starts in a row, each soon after the one before.
    starts: u32,
    starting: Starting,
}

impl Life {
    fn condition(&self) -> Condition {
        match self.starting.peek() {
            None => Condition::Starting,
            Some(Ok(connection)) if connection.is_alive() => Condition::Up,
            Some(_) => Condition::Down,
        }
    }
}

impl Lives {
    /// Begins the first. It starts in the background, so that clients and skills do
    /// not wait for it; what needs it does.
    pub(crate) fn begin(start: Start) -> Self {
        let start = Arc::new(start);
        let starting = starting(&start, 0, None);
        let now = Life { number: 0, began: Instant::now(), starts: 1, starting };
        Self { start, now: Mutex::new(now) }
    }

    pub(crate) fn condition(&self) -> Condition {
        self.life().condition()
    }

    /// The connection of the life that it has now: a new one if the last has ended.
    ///
    /// # Errors
    /// It does not start, or has died so often that it is not started yet.
    pub(crate) async fn connection(&self) -> Result<Arc<Connection>, RequestError> {
        let starting = match self.now() {
            Ok(starting) => starting,
            Err((last, wait)) => {
                let why = match last.await {
                    Ok(connection) => connection.last_words().await.to_string(),
                    Err(error) => error.to_string(),
                };
                return Err(RequestError::Resting { why, millis: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX) });
            }
        };
        Ok(starting.await?)
    }

    /// The life that it has now; or the last, and for how long there is no other.
    fn now(&self) -> Result<Starting, (Starting, Duration)> {
        let mut life = self.life();
        if life.condition() != Condition::Down {
            return Ok(life.starting.clone());
        }
        let (age, pause) = (life.began.elapsed(), pause(life.starts));
        if age < pause {
            return Err((life.starting.clone(), pause - age));
        }
        let before = life.starting.peek().and_then(|ended| ended.as_ref().ok()).cloned();
        let number = life.number + 1;
        *life = Life {
            number,
            began: Instant::now(),
            starts: if age < STEADY { life.starts.saturating_add(1) } else { 1 },
            starting: starting(&self.start, number, before),
        };
        Ok(life.starting.clone())
    }

    /// Waits for the start that is under way, if one is, and says whether it did.
    pub(crate) async fn has_begun(&self) -> bool {
        let starting = self.life().starting.clone();
        starting.await.is_ok()
    }

    /// Ends it for good.
    pub(crate) async fn end(&self) {
        self.start.stop.cancel();
        if let Some(keeper) = self.start.slot.get() {
            keeper.close().await;
        }
    }

    fn life(&self) -> MutexGuard<'_, Life> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long after its start an upstream that was started so often is left dead.
fn pause(starts: u32) -> Duration {
    PAUSE.saturating_mul(1_u32.checked_shl(starts.saturating_sub(1)).unwrap_or(u32::MAX)).min(PAUSE_MAX)
}

/// Starts a life in a task of its own, after the end of the one `before`.
fn starting(start: &Arc<Start>, number: u64, before: Option<Arc<Connection>>) -> Starting {
    let start = Arc::clone(start);
    let life = async move {
        if let Some(before) = before {
            before.end().await;
        }
        let started = start.life(number).await;
        match &started {
            Ok(_) if number > 0 => {
                tracing::warn!(upstream = %start.upstream, "an upstream had died and is started anew");
                // It may have other tools than before, and had none meanwhile.
                start.changes.note_all();
            }
            Ok(_) | Err(StartError::Stopping) => {}
            Err(error) => tracing::error!("{error}"),
        }
        started
    };
    let life = tokio::spawn(life).map(|joined| joined.unwrap_or(Err(StartError::Stopping)));
    let known = |connection| {
        let connection = Arc::new(connection);
        listen(&connection, connection.client.clone());
        connection
    };
    let starting = life.map(move |done| done.map(known).map_err(Arc::new)).boxed().shared();
    // Whoever looks sees how it is without waiting for it.
    tokio::spawn(starting.clone().map(drop));
    starting
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end() {
        let seconds: Vec<_> = (1..=8).map(|starts| pause(starts).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(pause(u32::MAX), PAUSE_MAX);
    }
}
