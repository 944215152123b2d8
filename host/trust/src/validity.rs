//! From when to when a signature counts.

use jiff::{SignedDuration, Timestamp, Unit};

/// How far a signer's clock may be ahead of ours.
const AHEAD_MAX: SignedDuration = SignedDuration::from_mins(5);

/// 9998-12-31T23:59:59Z.
const LAST_SECOND: i64 = 253_370_764_799;

/// When a signature was made, as its maker says, and when it ends. To the
/// second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    signed_at: Timestamp,
    expires_at: Option<Timestamp>,
}

/// Why a signature does not count at some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OutOfTime {
    /// It ended before.
    #[error("expired at {0}")]
    Expired(Timestamp),
    /// It says it was made later.
    #[error("says it was made at {0}, which is still to come; is this machine's clock right?")]
    NotYet(Timestamp),
}

impl Validity {
    /// From `signed_at` on, until `expires_at` if there is one; `None` if that
    /// is not later, or one of them is not in the years 1970 to 9998.
    pub fn new(signed_at: Timestamp, expires_at: Option<Timestamp>) -> Option<Self> {
        let validity = Self { signed_at: to_the_second(signed_at), expires_at: expires_at.map(to_the_second) };
        let in_order = validity.expires_at.is_none_or(|expires_at| expires_at > validity.signed_at);
        let times = [Some(validity.signed_at), validity.expires_at];
        (in_order && times.iter().flatten().all(Self::covers)).then_some(validity)
    }

    /// Whether a signature can have such a time: one that every library can
    /// read, and that is written with four digits for its year.
    pub(crate) fn covers(time: &Timestamp) -> bool {
        (0..=LAST_SECOND).contains(&time.as_second())
    }

    /// From `signed_at` on, without an end.
    pub fn since(signed_at: vak_types::Timestamp) -> Self {
        Self { signed_at: to_the_second(instant(signed_at)), expires_at: None }
    }

    /// When it was made.
    pub fn signed_at(&self) -> Timestamp {
        self.signed_at
    }

    /// When it ends.
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }

    /// Whether it counts at `now`.
    pub(crate) fn check(&self, now: vak_types::Timestamp) -> Result<(), OutOfTime> {
        let now = instant(now);
        if self.expires_at.is_some_and(|expires_at| now >= expires_at) {
            return Err(OutOfTime::Expired(self.expires_at.unwrap_or(now)));
        }
        // A clock at the end of time can't be added to.
        match now.checked_add(AHEAD_MAX).is_ok_and(|latest| self.signed_at > latest) {
            true => Err(OutOfTime::NotYet(self.signed_at)),
            false => Ok(()),
        }
    }
}

fn to_the_second(time: Timestamp) -> Timestamp {
    time.round(Unit::Second).unwrap_or(time)
}

/// 64 bits of nanoseconds end in the year 2554, long before jiff does.
fn instant(time: vak_types::Timestamp) -> Timestamp {
    Timestamp::from_nanosecond(time.as_nanos().into()).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_from_its_making_to_its_end() {
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        let validity = Validity::new(at(10_000), Some(at(20_000))).unwrap();
        let cases = [(9_699, false), (9_700, true), (10_000, true), (19_999, true), (20_000, false), (30_000, false)];
        for (now, counts) in cases {
            let now = vak_types::Timestamp::from_nanos(now * 1_000_000_000);
            assert_eq!(validity.check(now).is_ok(), counts, "{now:?}");
        }
        for (signed_at, expires_at) in
            [(10, Some(10)), (-1, None), (10, Some(LAST_SECOND + 1)), (LAST_SECOND + 1, None)]
        {
            assert!(Validity::new(at(signed_at), expires_at.map(at)).is_none(), "{signed_at} {expires_at:?}");
        }
        let last = vak_types::Timestamp::from_nanos(u64::MAX);
        assert_eq!(Validity::new(at(10), None).unwrap().check(last), Ok(()));
    }
}
