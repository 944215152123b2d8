//! How often an action may happen.

use std::fmt;
use std::time::Duration;

use crate::Error;

/// A token bucket: `burst` actions at once, refilled with `actions` actions
/// every `period`, spread evenly over it.
///
/// ```
/// use std::time::Duration;
/// use vak_limits::Rate;
///
/// let rate = Rate::new(5, 60, Duration::from_secs(60))?;
/// assert_eq!(rate.to_string(), "5 at once and 60 more each 60s");
/// # Ok::<(), vak_limits::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    burst: u32,
    actions: u32,
    period_ns: u64,
}

impl Rate {
    /// Largest burst and largest refill. Above a million actions a limit stops
    /// nothing that a host could do anyway.
    pub const ACTIONS_MAX: u32 = 1_000_000;

    /// Longest period: 366 days. Counts live as long as the process, so a
    /// longer one is a slip in a unit.
    pub const PERIOD_MAX: Duration = Duration::from_secs(366 * 86_400);

    /// A rate of `burst` actions at once and `actions` more every `period`.
    ///
    /// # Errors
    /// `burst` or `actions` is outside 1 to [`Rate::ACTIONS_MAX`], or `period`
    /// is zero or longer than [`Rate::PERIOD_MAX`].
    pub fn new(burst: u32, actions: u32, period: Duration) -> Result<Self, Error> {
        if !(1..=Self::ACTIONS_MAX).contains(&burst) {
            return Err(Error::Burst { burst });
        }
        if !(1..=Self::ACTIONS_MAX).contains(&actions) {
            return Err(Error::Refill { actions });
        }
        match u64::try_from(period.as_nanos()) {
            Ok(period_ns) if period_ns > 0 && period <= Self::PERIOD_MAX => Ok(Self { burst, actions, period_ns }),
            _ => Err(Error::Period { period }),
        }
    }

    /// The debt one action adds, in ticks.
    ///
    /// A tick is the part of a debt that decays in 1/`actions` of a nanosecond.
    /// In this unit both the cost of an action and the decay in a nanosecond
    /// are whole numbers, so a rate such as 3 a second does not drift. Times
    /// are below 2^64 and counts below 2^20, so ticks stay far below 2^128.
    pub(crate) fn cost(self) -> u128 {
        u128::from(self.period_ns)
    }

    /// The largest debt, in ticks: the whole burst is used up.
    pub(crate) fn capacity(self) -> u128 {
        self.cost() * u128::from(self.burst)
    }

    /// The debt that decays in `elapsed_ns`, in ticks.
    pub(crate) fn decay(self, elapsed_ns: u64) -> u128 {
        u128::from(elapsed_ns) * u128::from(self.actions)
    }

    /// The time in which `ticks` decay, in nanoseconds, rounded up so that
    /// whoever waits that long is not refused again.
    pub(crate) fn decay_ns(self, ticks: u128) -> u64 {
        u64::try_from(ticks.div_ceil(u128::from(self.actions))).unwrap_or(u64::MAX)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let period = Duration::from_nanos(self.period_ns);
        write!(f, "{} at once and {} more each {period:?}", self.burst, self.actions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_cannot_be_meant() {
        let second = Duration::from_secs(1);
        let cases = [
            (0, 1, second, "a burst of `0` actions is not possible; choose 1 to 1000000"),
            (1_000_001, 1, second, "a burst of `1000001` actions is not possible; choose 1 to 1000000"),
            (1, 0, second, "a refill of `0` actions is not possible; choose 1 to 1000000"),
            (1, 1_000_001, second, "a refill of `1000001` actions is not possible; choose 1 to 1000000"),
            (1, 1, Duration::ZERO, "a period of `0ns` is not possible; choose 1ns to 31622400s"),
            (1, 1, Rate::PERIOD_MAX + second, "a period of `31622401s` is not possible; choose 1ns to 31622400s"),
        ];
        for (burst, actions, period, message) in cases {
            assert_eq!(Rate::new(burst, actions, period).map_err(|error| error.to_string()), Err(message.to_owned()));
        }
        for (burst, actions, period) in [(1, 1, Duration::from_nanos(1)), (1_000_000, 1_000_000, Rate::PERIOD_MAX)] {
            assert!(Rate::new(burst, actions, period).is_ok());
        }
    }
}
