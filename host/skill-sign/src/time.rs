//! When a signature is made and when it ends.

use anyhow::{Context as _, bail};
use clap::Args;
use jiff::{SignedDuration, Timestamp};
use vak_trust::Validity;

/// Where reproducible builds say what time it is
/// (<https://reproducible-builds.org/specs/source-date-epoch/>).
const VARIABLE: &str = "SOURCE_DATE_EPOCH";

#[derive(Debug, Args)]
pub(crate) struct Times {
    /// When the signature ends: a time such as 2027-03-01T00:00:00Z, or that
    /// long after it was made: hours as 12h, days as 90d, weeks as 6w.
    #[arg(long, value_name = "TIME|SPAN")]
    expires: Option<Expires>,
    /// When the signature is made, as it says. Now by default, or what
    /// SOURCE_DATE_EPOCH says: the same input, key and time give the same bytes.
    #[arg(long, value_name = "TIME")]
    time: Option<Timestamp>,
}

/// Written as a time or as a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expires {
    At(Timestamp),
    After(SignedDuration),
}

impl std::str::FromStr for Expires {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        span(text).map(Self::After).or_else(|| text.parse().ok().map(Self::At)).ok_or_else(|| {
            "it is neither a time such as 2027-03-01T00:00:00Z nor a span such as 12h, 90d or 6w".to_owned()
        })
    }
}

fn span(text: &str) -> Option<SignedDuration> {
    let (number, hours) = match text.chars().last()? {
        'h' => (text.strip_suffix('h')?, 1),
        'd' => (text.strip_suffix('d')?, 24),
        'w' => (text.strip_suffix('w')?, 7 * 24),
        _ => return None,
    };
    // Seven digits of weeks are longer than signatures can count.
    let digits = (1..=7).contains(&number.len()) && number.bytes().all(|digit| digit.is_ascii_digit());
    let number = digits.then(|| number.parse::<i64>().ok()).flatten()?;
    Some(SignedDuration::from_hours(number * hours))
}

impl Times {
    pub(crate) fn validity(&self) -> anyhow::Result<Validity> {
        let signed_at = match self.time {
            Some(time) => time,
            None => source_date_epoch()?.unwrap_or_else(Timestamp::now),
        };
        let expires_at = match self.expires {
            None => None,
            Some(Expires::At(time)) => Some(time),
            Some(Expires::After(span)) => {
                Some(signed_at.checked_add(span).context("`--expires` is past the year 9998")?)
            }
        };
        Validity::new(signed_at, expires_at).with_context(|| match expires_at {
            Some(expires_at) => format!(
                "a signature of {signed_at} can't end at {expires_at}; it has to end later, and in the years to 9998"
            ),
            None => format!("a signature can't be made at {signed_at}; give a `--time` from 1970 to 9998"),
        })
    }
}

fn source_date_epoch() -> anyhow::Result<Option<Timestamp>> {
    let text = match std::env::var(VARIABLE) {
        Ok(text) => text,
        Err(std::env::VarError::NotPresent) => return Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => bail!("{VARIABLE} is not a number of seconds"),
    };
    let time = text.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    time.map(Some).with_context(|| format!("{VARIABLE} is `{text}`, which is not a number of seconds since 1970"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_times_or_spans() {
        let hours = |hours| Some(Expires::After(SignedDuration::from_hours(hours)));
        let cases = [
            ("12h", hours(12)),
            ("90d", hours(90 * 24)),
            ("6w", hours(6 * 7 * 24)),
            ("9999999w", hours(9_999_999 * 7 * 24)),
            ("2027-03-01T00:00:00Z", "2027-03-01T00:00:00Z".parse().ok().map(Expires::At)),
            ("2027-03-01T01:00:00+01:00", "2027-03-01T00:00:00Z".parse().ok().map(Expires::At)),
        ];
        for (text, expected) in cases {
            assert!(expected.is_some());
            assert_eq!(text.parse().ok(), expected, "{text}");
        }
        for bad in ["", "d", "90", "-1d", "+1d", "1.5d", "90 d", "90m", "10000000w", "tomorrow", "2027-03-01"] {
            assert!(bad.parse::<Expires>().is_err(), "{bad}");
        }
    }
}
