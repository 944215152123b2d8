//! Numbers, compared exactly.

use std::cmp::Ordering;

/// A number as JSON readers give it: whole where it is written whole and has 64
/// bits, else the nearest double, which is finite.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Number {
    Integer(i64),
    /// Beyond what fits into [`Integer`](Self::Integer).
    Unsigned(u64),
    Float(f64),
}

impl Number {
    pub(crate) fn from_unsigned(number: u64) -> Self {
        i64::try_from(number).map_or(Self::Unsigned(number), Self::Integer)
    }

    fn whole(self) -> Result<i128, f64> {
        match self {
            Self::Integer(number) => Ok(number.into()),
            Self::Unsigned(number) => Ok(number.into()),
            Self::Float(number) => Err(number),
        }
    }

    /// How they compare as numbers. A comparison as doubles would take 2^53 + 1
    /// for 2^53, and with it an amount for one that is still allowed.
    pub(crate) fn compare(self, other: Self) -> Ordering {
        match (self.whole(), other.whole()) {
            (Ok(one), Ok(other)) => one.cmp(&other),
            (Ok(one), Err(other)) => whole_with_float(one, other),
            (Err(one), Ok(other)) => whole_with_float(other, one).reverse(),
            // Neither is a NaN.
            (Err(one), Err(other)) => one.partial_cmp(&other).unwrap_or(Ordering::Equal),
        }
    }
}

fn whole_with_float(whole: i128, float: f64) -> Ordering {
    // The conversion takes what is out of range to the nearest end, which no
    // number of 64 bits reaches.
    let truncated = float.trunc();
    whole.cmp(&(truncated as i128)).then_with(|| truncated.partial_cmp(&float).unwrap_or(Ordering::Equal))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compares_without_rounding() {
        use Number::{Float, Integer, Unsigned};
        let cases = [
            (Integer(1), Float(1.0), Ordering::Equal),
            (Integer(0), Float(-0.0), Ordering::Equal),
            (Integer(1), Float(1.5), Ordering::Less),
            (Integer(-1), Float(-1.5), Ordering::Greater),
            (Integer(9_007_199_254_740_993), Float(9_007_199_254_740_992.0), Ordering::Greater),
            (Integer(9_007_199_254_740_993), Integer(9_007_199_254_740_992), Ordering::Greater),
            (Integer(i64::MAX), Float(9_223_372_036_854_775_808.0), Ordering::Less),
            (Integer(i64::MIN), Float(-9_223_372_036_854_775_808.0), Ordering::Equal),
            (Unsigned(1 << 63), Float(9_223_372_036_854_775_808.0), Ordering::Equal),
            (Unsigned(u64::MAX), Float(18_446_744_073_709_551_616.0), Ordering::Less),
            (Unsigned(u64::MAX), Integer(-1), Ordering::Greater),
            (Integer(i64::MAX), Float(1e300), Ordering::Less),
            (Integer(i64::MIN), Float(-1e300), Ordering::Greater),
            (Float(0.1), Float(0.1), Ordering::Equal),
        ];
        for (one, other, expected) in cases {
            assert_eq!(one.compare(other), expected, "{one:?} {other:?}");
            assert_eq!(other.compare(one), expected.reverse(), "{other:?} {one:?}");
        }
    }
}
