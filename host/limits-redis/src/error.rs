//! Why a limit cannot be shared.

use vak_types::LimitName;

use crate::{Shared, Sharing};

/// Why limits, or where they are counted, were not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The address is none, or of a kind that is not supported. It is not told:
    /// there may be a password in it.
    #[error("the address of Redis is not possible; write it as `redis://HOST:PORT/DATABASE`: {why}")]
    Address {
        /// What the parser said.
        why: String,
    },
    /// The prefix of keys is too long.
    #[error("a prefix of {bytes} bytes is not possible; the most is {}", Sharing::PREFIX_BYTES_MAX)]
    Prefix {
        /// How long it is.
        bytes: usize,
    },
    /// The time-out is outside 1 to [`Sharing::TIMEOUT_MS_MAX`].
    #[error("a time-out of {timeout_ms} ms is not possible; choose 1 to {}", Sharing::TIMEOUT_MS_MAX)]
    Timeout {
        /// As given.
        timeout_ms: u64,
    },
    /// It is no quota, nor a budget with a window, or it does not deny, or it is
    /// to tell when it is near: no host knows how much all of them use.
    #[error(
        "limit `{name}` cannot be shared; only quotas and budgets with a window can, enforced and without `near_percent`"
    )]
    Kind {
        /// The limit.
        name: LimitName,
    },
    /// The amount is above [`Shared::AMOUNT_MAX`].
    #[error("limit `{name}` cannot be shared at `{amount}`; the most is {}", Shared::AMOUNT_MAX)]
    Amount {
        /// The limit.
        name: LimitName,
        /// As given.
        amount: u64,
    },
    /// The thread that talks to Redis could not be started.
    #[error("the thread that asks Redis cannot be started: {why}")]
    Thread {
        /// What the system said.
        why: String,
    },
}
