//! What this host has leased and not spent, for each key.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::script::{Answer, Ask};
use crate::terms::{Key, Terms};
use crate::until::{Moment, Until};

/// Most keys, as in `vak-limits`; one takes some 150 bytes.
const ACCOUNTS_MAX: usize = 1 << 20;

/// No use in looking through fewer for those that are over.
const ACCOUNTS_KEPT: usize = 1_024;

/// How long a refusal is believed. Room comes back sooner than it says when
/// another host gives some back.
const REFUSED: Duration = Duration::from_millis(100);

#[derive(Debug, Default)]
pub(crate) struct Accounts(Mutex<Books>);

#[derive(Debug, Default)]
struct Books {
    accounts: HashMap<Key, Account>,
    /// How many there may be before those that are over are forgotten.
    sweep_at: usize,
}

/// What one key has here.
#[derive(Debug)]
struct Account {
    /// What is left of what was leased in this slot,
    slot: u64,
    left: u64,
    /// while it lasts.
    until: Until,
    /// What is left of a slot before, to be given back with the next lease.
    back: (u64, u64),
    /// Spent, and not leased anywhere.
    owed: u64,
    refused: Option<Refusal>,
}

/// So much was refused, which is not asked again for a moment: a flood of
/// actions without room must not keep other keys from being asked.
#[derive(Debug, Clone, Copy)]
struct Refusal {
    cost: u64,
    at: Moment,
    wait: Duration,
}

impl Accounts {
    /// Takes `cost` out of what is leased, and says of which slot.
    pub(crate) fn take(&self, key: Key, cost: u64, now: Moment) -> Option<u64> {
        let mut books = self.lock();
        let account = books.accounts.get_mut(&key)?;
        account.roll(now);
        // With nothing left even what costs nothing is asked: there may be a debt.
        if account.left == 0 || account.owed > 0 || account.until.is_over(now) {
            return None;
        }
        account.left = account.left.checked_sub(cost)?;
        Some(account.slot)
    }

    /// For how long there is no room, if Redis said so moments ago.
    pub(crate) fn refused(&self, key: Key, cost: u64, now: Moment) -> Option<Duration> {
        let Refusal { cost: least, at, wait } = self.lock().accounts.get(&key)?.refused?;
        let past = now.since(at);
        (cost >= least && past < wait.min(REFUSED)).then(|| wait - past)
    }

    /// Puts back what was taken and not spent. What is of a slot long past is
    /// lost until it leaves the window.
    pub(crate) fn give_back(&self, key: Key, slot: u64, amount: u64) {
        if let Some(account) = self.lock().accounts.get_mut(&key) {
            if account.slot == slot {
                account.left += amount;
            } else if account.back.0 == slot {
                account.back.1 += amount;
            }
        }
    }

    /// Books what was spent beyond what was taken: out of what is leased, and the
    /// rest is owed. True when there is something to book at Redis.
    pub(crate) fn owe(&self, key: Key, amount: u64, now: Moment) -> bool {
        let mut books = self.lock();
        let account = books.account(key, now);
        account.roll(now);
        let paid = amount.min(account.left);
        account.left -= paid;
        account.owed = account.owed.saturating_add(amount - paid);
        account.owed > 0
    }

    /// What to ask Redis for so that `cost` can be taken; `None`, to book alone.
    /// What is to be given back is given back at most once, whatever comes of it.
    /// `None` when there are too many keys.
    pub(crate) fn ask(&self, key: Key, terms: &Terms, cost: Option<u64>, now: Moment) -> Option<Ask> {
        let mut books = self.lock();
        if !books.has_room(key, now) {
            return None;
        }
        let account = books.account(key, now);
        account.roll(now);
        let (back_slot, back) = std::mem::take(&mut account.back);
        let least = cost.unwrap_or(0).saturating_sub(account.left);
        let wanted = if cost.is_some() { terms.slice(least) } else { 0 };
        Some(Ask { least, wanted, owed: account.owed.min(crate::Shared::AMOUNT_MAX), back_slot, back })
    }

    /// Books what Redis answered to `ask`, and takes `cost` out of it. `sent` is
    /// a moment before the question.
    pub(crate) fn answered(&self, key: Key, ask: &Ask, answer: Answer, cost: Option<u64>, sent: Moment) -> Taken {
        let mut books = self.lock();
        let account = books.account(key, sent);
        account.owed -= ask.owed.min(account.owed);
        match answer {
            Answer::Granted { amount, slot, left } => {
                if slot != account.slot {
                    account.back = (account.slot, std::mem::take(&mut account.left));
                    account.slot = slot;
                }
                account.left += amount;
                account.until = sent.until_theirs(left);
                account.refused = None;
                // Leased at Redis's own time, so it counts for this action even if
                // the slot was over before the answer was here.
                match account.left.checked_sub(cost.unwrap_or(0)) {
                    Some(left) => {
                        account.left = left;
                        Taken::Of(slot)
                    }
                    None => Taken::TooLittle,
                }
            }
            Answer::Refused { wait } => {
                account.refused = cost.map(|cost| Refusal { cost, at: sent, wait });
                Taken::Refused(wait)
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Books> {
        // Nothing that may panic runs while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What came of an answer.
pub(crate) enum Taken {
    /// The cost was taken of this slot.
    Of(u64),
    /// Others took of it meanwhile, or a slot ended.
    TooLittle,
    /// There is no room for so long.
    Refused(Duration),
}

impl Account {
    /// What is left of a slot that is over is not to be spent.
    fn roll(&mut self, now: Moment) {
        if self.left > 0 && self.until.is_over(now) {
            self.back = (self.slot, std::mem::take(&mut self.left));
        }
    }
}

impl Books {
    fn account(&mut self, key: Key, now: Moment) -> &mut Account {
        let over = now.until(Duration::ZERO);
        let new = Account { slot: 0, left: 0, until: over, back: (0, 0), owed: 0, refused: None };
        self.accounts.entry(key).or_insert(new)
    }

    fn has_room(&mut self, key: Key, now: Moment) -> bool {
        if self.accounts.len() >= self.sweep_at.max(ACCOUNTS_KEPT) && !self.accounts.contains_key(&key) {
            self.accounts.retain(|_, account| account.owed > 0 || !account.until.is_over(now));
            self.sweep_at = (2 * self.accounts.len()).min(ACCOUNTS_MAX);
        }
        self.accounts.len() < ACCOUNTS_MAX || self.accounts.contains_key(&key)
    }
}
