//! The thread that asks Redis, one question at a time.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

use crate::accounts::{Accounts, Taken};
use crate::away::{AWAY, Away};
use crate::link::Link;
use crate::part::Part;
use crate::terms::{Key, Terms};
use crate::until::Moment;

/// How often a slot may end, or others may take what was leased, while one
/// action waits.
const TRIES: usize = 4;

/// Why nothing was leased.
#[derive(Debug)]
pub(crate) enum Unleased {
    /// There is no room for so long.
    Full(Duration),
    /// Redis does not say.
    Away(String),
}

/// What somebody waits for.
pub(crate) struct Job {
    pub(crate) key: Key,
    pub(crate) terms: Arc<Terms>,
    /// What to take of a lease; `None`, to book what is owed.
    pub(crate) cost: Option<u64>,
    /// Nobody waits longer.
    pub(crate) deadline: Instant,
    pub(crate) reply: SyncSender<Result<Option<Part>, Unleased>>,
}

pub(crate) struct Worker {
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) away: Arc<Away>,
    pub(crate) link: Link,
    pub(crate) prefix: String,
    pub(crate) timeout: Duration,
    /// Where something could not be booked yet.
    pub(crate) owing: Vec<(Key, Arc<Terms>)>,
}

impl Worker {
    /// Until nobody can ask any more.
    pub(crate) fn run(mut self, jobs: &Receiver<Job>) {
        let mut book_at = Instant::now();
        loop {
            let wait = if self.owing.is_empty() { Duration::MAX } else { AWAY };
            match jobs.recv_timeout(wait) {
                Ok(job) => self.handle(job),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return self.book(),
            }
            if Instant::now() >= book_at {
                self.book();
                book_at = Instant::now() + AWAY;
            }
        }
    }

    fn handle(&mut self, Job { key, terms, cost, deadline, reply }: Job) {
        if cost.is_some() && Instant::now() >= deadline {
            return;
        }
        let leased = self.lease(key, &terms, cost);
        if cost.is_none() && leased.is_err() && !self.owing.iter().any(|(owing, _)| *owing == key) {
            self.owing.push((key, terms));
        }
        // If nobody waits any more what was taken is given back, and what was
        // leased is there for the next.
        drop(reply.try_send(leased));
    }

    /// Books what could not be booked.
    fn book(&mut self) {
        for (key, terms) in std::mem::take(&mut self.owing) {
            if let Err(Unleased::Away(_)) = self.lease(key, &terms, None) {
                self.owing.push((key, terms));
            }
        }
    }

    fn lease(&mut self, key: Key, terms: &Terms, cost: Option<u64>) -> Result<Option<Part>, Unleased> {
        for _ in 0..TRIES {
            let now = Moment::now();
            if let Some(cost) = cost {
                // Somebody else may have asked for the same key meanwhile.
                if let Some(slot) = self.accounts.take(key, cost, now) {
                    return Ok(Some(Part::new(&self.accounts, key, slot, cost)));
                }
                if let Some(wait) = self.accounts.refused(key, cost, now) {
                    return Err(Unleased::Full(wait));
                }
            }
            match self.ask(key, terms, cost)? {
                Taken::Of(slot) => return Ok(cost.map(|cost| Part::new(&self.accounts, key, slot, cost))),
                Taken::Refused(wait) => return Err(Unleased::Full(wait)),
                Taken::TooLittle => {}
            }
        }
        Err(Unleased::Away("its clock and this host's do not agree".to_owned()))
    }

    fn ask(&mut self, key: Key, terms: &Terms, cost: Option<u64>) -> Result<Taken, Unleased> {
        let Self { accounts, away, link, prefix, timeout, .. } = self;
        if let Some(why) = away.reason(*timeout) {
            return Err(Unleased::Away(why));
        }
        // Apart from the question, so that a slow start does not cost an answer.
        away.asking(|| link.connect()).map_err(Unleased::Away)?;
        let sent = Moment::now();
        let ask = accounts.ask(key, terms, cost, sent);
        let ask = ask.ok_or_else(|| Unleased::Away("more is counted than this host has room for".to_owned()))?;
        let answer = away.asking(|| link.ask(&ask.command(key, terms, prefix)).and_then(|it| ask.answer(terms, &it)));
        Ok(accounts.answered(key, &ask, answer.map_err(Unleased::Away)?, cost, sent))
    }
}
