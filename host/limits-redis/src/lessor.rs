//! Taking out of what is leased, and having more leased where it is used up.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::{Duration, Instant};

use crate::accounts::Accounts;
use crate::away::Away;
use crate::link::Link;
use crate::part::Part;
use crate::terms::{Key, Terms};
use crate::until::Moment;
use crate::worker::{Job, Unleased, Worker};
use crate::{Error, Sharing};

/// Decisions that wait for Redis at one time. Each has a thread of the host's,
/// so there are never as many.
const JOBS_MAX: usize = 1_024;

/// What this host has leased from one Redis.
#[derive(Debug)]
pub(crate) struct Lessor {
    pub(crate) sharing: Sharing,
    accounts: Arc<Accounts>,
    away: Arc<Away>,
    jobs: SyncSender<Job>,
}

impl Lessor {
    /// Does not ask Redis for anything yet.
    pub(crate) fn new(sharing: &Sharing) -> Result<Self, Error> {
        let (accounts, away) = (Arc::default(), Arc::default());
        let worker = Worker {
            accounts: Arc::clone(&accounts),
            away: Arc::clone(&away),
            link: Link::new(sharing.clone()),
            prefix: sharing.prefix.clone(),
            timeout: sharing.timeout,
            owing: Vec::new(),
        };
        let (jobs, received) = sync_channel(JOBS_MAX);
        let thread = std::thread::Builder::new().name("vak-limits-redis".to_owned());
        // It ends by itself when nobody can ask any more. Waiting for that would
        // be waiting for Redis.
        let started = thread.spawn(move || worker.run(&received));
        started.map_err(|error| Error::Thread { why: error.to_string() })?;
        Ok(Self { sharing: sharing.clone(), accounts, away, jobs })
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.sharing.timeout
    }

    /// Takes `cost` by the deadline.
    pub(crate) fn take(&self, key: Key, terms: &Arc<Terms>, cost: u64, deadline: Instant) -> Result<Part, Unleased> {
        let now = Moment::now();
        if let Some(slot) = self.accounts.take(key, cost, now) {
            return Ok(Part::new(&self.accounts, key, slot, cost));
        }
        if let Some(wait) = self.accounts.refused(key, cost, now) {
            return Err(Unleased::Full(wait));
        }
        self.ask(key, terms, Some(cost), deadline)?.ok_or_else(late)
    }

    /// Books `amount` beyond what was taken, at Redis if it is there, and else
    /// when it is there again.
    pub(crate) fn book(&self, key: Key, terms: &Arc<Terms>, amount: u64) {
        if self.accounts.owe(key, amount, Moment::now()) {
            let booked = self.ask(key, terms, None, Instant::now() + self.timeout());
            if let Err(Unleased::Away(why)) = booked {
                tracing::warn!(limit = %terms.name(), "what was spent beyond a shared limit is booked later: {why}");
            }
        }
    }

    fn ask(
        &self,
        key: Key,
        terms: &Arc<Terms>,
        cost: Option<u64>,
        deadline: Instant,
    ) -> Result<Option<Part>, Unleased> {
        let away = self.away.reason(self.timeout());
        // Who only books is heard even then: it is to be done later.
        if let (Some(_), Some(why)) = (cost, &away) {
            return Err(Unleased::Away(why.clone()));
        }
        let (reply, replied) = sync_channel(1);
        let job = Job { key, terms: Arc::clone(terms), cost, deadline, reply };
        self.jobs.try_send(job).map_err(|_| late())?;
        match away {
            Some(why) => Err(Unleased::Away(why)),
            None => {
                let left = deadline.saturating_duration_since(Instant::now());
                replied.recv_timeout(left).unwrap_or_else(|_| Err(late()))
            }
        }
    }
}

fn late() -> Unleased {
    Unleased::Away("no answer in time".to_owned())
}
