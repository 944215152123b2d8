//! How often an action may happen.

use std::fmt;
use std::time::Duration;

use crate::Error;
use crate::time::Tick;

/// A token bucket: `burst` actions at once, refilled with `actions` actions
/// every `period`, spread evenly over it.
///
/// The time between two refills is rounded up to a microsecond, so a bucket
/// is never faster than it says, and slower by at most that per action.
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

    /// Longest period: 366 days. A longer one is a slip in a unit.
    pub const PERIOD_MAX: Duration = Duration::from_secs(366 * 86_400);

    /// Least time between two refills. Faster rates stop nothing either, and
    /// the rounding would be a larger part of them.
    pub const INTERVAL_MIN: Duration = Duration::from_micros(1);

    /// Longest time in which a whole burst comes back: a hundred years. A bucket
    /// keeps that moment, and the end of time is the year 2540.
    pub const RECOVERY_MAX: Duration = Duration::from_secs(100 * 366 * 86_400);

    /// A rate of `burst` actions at once and `actions` more every `period`.
    ///
    /// # Errors
    /// `burst` or `actions` is outside 1 to [`Rate::ACTIONS_MAX`], `period` is
    /// longer than [`Rate::PERIOD_MAX`], there is less than
    /// [`Rate::INTERVAL_MIN`] between two refills, or the burst takes longer than
    /// [`Rate::RECOVERY_MAX`] to come back.
    pub fn new(burst: u32, actions: u32, period: Duration) -> Result<Self, Error> {
        if !(1..=Self::ACTIONS_MAX).contains(&burst) {
            return Err(Error::Burst { burst });
        }
        if !(1..=Self::ACTIONS_MAX).contains(&actions) {
            return Err(Error::Refill { actions });
        }
        if period < Self::INTERVAL_MIN * actions || period > Self::PERIOD_MAX {
            return Err(Error::Period { period, actions });
        }
        if period.as_nanos() * u128::from(burst) > Self::RECOVERY_MAX.as_nanos() * u128::from(actions) {
            return Err(Error::Recovery { burst, actions, period });
        }
        // Below 2^55 by the checks above.
        let period_ns = period.as_secs() * 1_000_000_000 + u64::from(period.subsec_nanos());
        Ok(Self { burst, actions, period_ns })
    }

    /// The same in the terms of the algorithm.
    pub(crate) fn pace(self) -> Pace {
        let interval = self.period_ns.div_ceil(u64::from(self.actions) * Tick::NS);
        Pace { interval, capacity: interval * u64::from(self.burst) }
    }

    pub(crate) fn burst(self) -> u32 {
        self.burst
    }

    pub(crate) fn parts(self) -> (u32, u32, u64) {
        (self.burst, self.actions, self.period_ns)
    }
}

/// What one token costs and what there is, in ticks of [`Tick`]: a token
/// costs the time in which it is refilled. Both are below 2^53.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pace {
    pub(crate) interval: u64,
    pub(crate) capacity: u64,
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
        let period = |period: &str, actions: u32| {
            format!("a period of `{period}` for `{actions}` actions is not possible; choose 1µs for each to 31622400s")
        };
        let cases = [
            (0, 1, second, "a burst of `0` actions is not possible; choose 1 to 1000000".to_owned()),
            (1_000_001, 1, second, "a burst of `1000001` actions is not possible; choose 1 to 1000000".to_owned()),
            (1, 0, second, "a refill of `0` actions is not possible; choose 1 to 1000000".to_owned()),
            (1, 1_000_001, second, "a refill of `1000001` actions is not possible; choose 1 to 1000000".to_owned()),
            (1, 1, Duration::ZERO, period("0ns", 1)),
            (1, 1_000_000, second - Duration::from_nanos(1), period("999.999999ms", 1_000_000)),
            (1, 1, Rate::PERIOD_MAX + second, period("31622401s", 1)),
        ];
        for (burst, actions, period, message) in cases {
            assert_eq!(Rate::new(burst, actions, period).map_err(|error| error.to_string()), Err(message));
        }
        let slow = Error::Recovery { burst: 101, actions: 1, period: Rate::PERIOD_MAX };
        assert_eq!(Rate::new(101, 1, Rate::PERIOD_MAX), Err(slow));
        for (burst, actions, period) in [(1, 1, Rate::INTERVAL_MIN), (1_000_000, 1_000_000, Rate::PERIOD_MAX)] {
            assert!(Rate::new(burst, actions, period).is_ok());
        }
    }

    #[test]
    fn is_never_faster_than_it_says() {
        for (actions, period_ns, interval) in [(1, 1_000, 1), (1, 1_001, 2), (3, 3_000, 1), (3, 1_000_000_000, 333_334)]
        {
            let rate = Rate::new(7, actions, Duration::from_nanos(period_ns));
            assert_eq!(rate.map(Rate::pace), Ok(Pace { interval, capacity: 7 * interval }));
        }
    }
}
