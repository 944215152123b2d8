//! Times as Cedar's `datetime` writes them.

const MS_PER_DAY: u64 = 86_400_000;

/// Milliseconds since the Unix epoch as `2026-11-26T00:35:03.123Z`.
pub(crate) fn text(ms: u64) -> String {
    let (year, month, day) = date(ms / MS_PER_DAY);
    let ms = ms % MS_PER_DAY;
    let (hour, minute, second) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1_000 % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", ms % 1_000)
}

/// Year, month and day of a day since the epoch, in the Gregorian calendar:
/// `civil_from_days` of Howard Hinnant's "chrono-Compatible Low-Level Date
/// Algorithms", for days that are not before the epoch.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_a_calendar_on_every_day() {
        for day in 0..220_000_u64 {
            let ms = day * MS_PER_DAY + day * 37 % MS_PER_DAY;
            let expected = jiff::Timestamp::from_millisecond(ms.try_into().unwrap()).unwrap();
            assert_eq!(text(ms), format!("{expected:.3}"));
        }
    }
}
