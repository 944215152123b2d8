//! What is asked of Redis, and its answer.

use std::time::Duration;

use redis::Value;

use crate::link::Failure;
use crate::terms::{Key, Terms};

/// Sent as it is each time: Redis compiles it once, and nobody has to care
/// whether it still knows it.
const LEASE: &str = include_str!("lease.lua");

/// One run of the script for one key.
#[derive(Debug)]
pub(crate) struct Ask {
    /// Less than this is of no use.
    pub(crate) least: u64,
    /// At most this; 0, to book alone.
    pub(crate) wanted: u64,
    /// Spent already.
    pub(crate) owed: u64,
    /// A slot before,
    pub(crate) back_slot: u64,
    /// and what was not spent of it.
    pub(crate) back: u64,
}

/// What came of it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Answer {
    /// So much was leased, in this slot, which lasts for so long.
    Granted { amount: u64, slot: u64, left: Duration },
    /// There is no room for so long.
    Refused { wait: Duration },
}

impl Ask {
    pub(crate) fn command(&self, key: Key, terms: &Terms, prefix: &str) -> Vec<u8> {
        let Self { least, wanted, owed, back_slot, back } = self;
        let mut command = redis::cmd("EVAL");
        command.arg(LEASE).arg(1).arg(key.text(prefix, terms.name()));
        command.arg(micros(terms.slot)).arg(terms.amount);
        command.arg(least).arg(wanted).arg(owed).arg(back_slot).arg(back);
        command.get_packed_command()
    }

    /// An answer that makes no sense is none.
    pub(crate) fn answer(&self, terms: &Terms, value: &Value) -> Result<Answer, Failure> {
        let Value::Array(values) = value else { return Err(Failure::Garbage) };
        let [Value::Int(amount), Value::Int(slot), Value::Int(left_us), Value::Int(wait_us)] = values[..] else {
            return Err(Failure::Garbage);
        };
        let number = |value: i64| u64::try_from(value).map_err(|_| Failure::Garbage);
        if amount < 0 {
            return Ok(Answer::Refused { wait: Duration::from_micros(number(wait_us)?) });
        }
        let (amount, left) = (number(amount)?, Duration::from_micros(number(left_us)?));
        if !(self.least..=self.wanted).contains(&amount) || left > terms.slot {
            return Err(Failure::Garbage);
        }
        Ok(Answer::Granted { amount, slot: number(slot)?, left })
    }
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}
