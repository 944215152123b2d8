//! Times of the week.

/// A part of the day on some days of the week, at a fixed offset from UTC. The
/// time of an action is the only clock: the same action gives the same answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    /// Minutes since midnight, the first one inside.
    from: i16,
    /// Minutes since midnight, the first one outside. Before `from`, the window
    /// goes over midnight.
    until: i16,
    /// A bit for each day from Monday.
    days: u8,
    /// Minutes that local time is before UTC.
    offset: i16,
}

/// Days of the week as they are written.
pub(crate) const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

const DAY_MINUTES: i64 = 24 * 60;

/// The first day of the epoch was a Thursday.
const EPOCH_DAY: i64 = 3;

impl Window {
    /// Every minute of the week at UTC.
    pub(crate) const ALWAYS: Self = Self { from: 0, until: DAY_MINUTES as i16, days: 0x7f, offset: 0 };

    /// Restricts it to a part of the day.
    pub(crate) fn between(self, from: &str, until: &str) -> Result<Self, String> {
        let (from, until) = (minutes(from)?, minutes(until)?);
        match i64::from(from) == DAY_MINUTES || from == until {
            true => Err("`from` and `until` leave no time between them".to_owned()),
            false => Ok(Self { from, until, ..self }),
        }
    }

    /// Restricts it to days of the week.
    pub(crate) fn on(self, days: u8) -> Self {
        Self { days, ..self }
    }

    /// Counts times of the day from `Z`, `+HH:MM` or `-HH:MM`.
    pub(crate) fn at(self, offset: &str) -> Result<Self, String> {
        let wrong = || format!("`{offset}` is no offset from UTC; write `Z`, `+02:00` or `-05:30`");
        let offset = match (offset, offset.split_at_checked(1)) {
            ("Z", _) => 0,
            (_, Some(("+", time))) => minutes(time).map_err(|_| wrong())?,
            (_, Some(("-", time))) => -minutes(time).map_err(|_| wrong())?,
            _ => return Err(wrong()),
        };
        match i64::from(offset.abs()) < DAY_MINUTES {
            true => Ok(Self { offset, ..self }),
            false => Err(wrong()),
        }
    }

    /// The day of the week and the minute of the day that it is there.
    pub(crate) fn local(&self, time_ns: u64) -> (usize, i64) {
        // A u64 of nanoseconds is far from the end of i64 in minutes.
        self.local_minute((time_ns / 60_000_000_000) as i64)
    }

    /// The same of minutes since the epoch.
    fn local_minute(&self, minutes: i64) -> (usize, i64) {
        let minutes = minutes + i64::from(self.offset);
        let day = (minutes.div_euclid(DAY_MINUTES) + EPOCH_DAY).rem_euclid(7);
        (day as usize, minutes.rem_euclid(DAY_MINUTES))
    }

    /// Whether the time lies in it. The day is the one of the time itself, also
    /// where the window goes over midnight.
    pub(crate) fn contains(&self, time_ns: u64) -> bool {
        self.contains_local(self.local(time_ns))
    }

    fn contains_local(&self, (day, minute): (usize, i64)) -> bool {
        let (from, until) = (i64::from(self.from), i64::from(self.until));
        let in_day = match from < until {
            true => from <= minute && minute < until,
            false => from <= minute || minute < until,
        };
        in_day && self.days >> day & 1 == 1
    }
}

/// Whether no time is in all of these windows, or where the flag is set, out of
/// them.
pub(crate) fn exclude_each_other(windows: &[(Window, bool)]) -> bool {
    let in_all =
        |minutes: i64| windows.iter().all(|(window, out)| window.contains_local(window.local_minute(minutes)) != *out);
    // Nothing changes but at these, and all is the same a week later.
    let mut changes = windows.iter().flat_map(|(window, _)| {
        let minutes = [0, window.from, window.until].map(|minute| i64::from(minute - window.offset));
        (0..7).flat_map(move |day| minutes.map(|minute| day * DAY_MINUTES + minute))
    });
    !changes.any(in_all)
}

/// Reads `HH:MM`; `24:00` is the end of the day.
fn minutes(text: &str) -> Result<i16, String> {
    let wrong = || format!("`{text}` is no time of day; write it like `09:30`");
    let (hours, minutes) = text.split_once(':').ok_or_else(wrong)?;
    let number = |text: &str| match text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => text.parse::<i16>().map_err(|_| wrong()),
        false => Err(wrong()),
    };
    match (number(hours)?, number(minutes)?) {
        (24, 0) => Ok(24 * 60),
        (hours @ 0..=23, minutes @ 0..=59) => Ok(hours * 60 + minutes),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2023-11-14 22:13:20 UTC, a Tuesday.
    const TUESDAY_NIGHT: u64 = 1_700_000_000_000_000_000;

    #[test]
    fn knows_times_and_days() {
        let day = |name: &str| 1 << DAYS.iter().position(|day| *day == name).unwrap();
        let between = |from, until| Window::ALWAYS.between(from, until).unwrap();
        let cases = [
            (Window::ALWAYS, true),
            (between("22:13", "22:14"), true),
            (between("22:14", "24:00"), false),
            (between("00:00", "22:13"), false),
            (between("20:00", "06:00"), true),
            (between("23:00", "06:00"), false),
            (between("00:00", "01:00").at("+02:00").unwrap(), true),
            (between("16:43", "16:44").at("-05:30").unwrap(), true),
            (Window::ALWAYS.on(day("tue")), true),
            (Window::ALWAYS.on(day("wed")), false),
            (Window::ALWAYS.on(day("wed")).at("+02:00").unwrap(), true),
        ];
        for (window, expected) in cases {
            assert_eq!(window.contains(TUESDAY_NIGHT), expected, "{window:?}");
        }
        // The ends of the clock.
        assert_eq!(Window::ALWAYS.at("-23:59").unwrap().local(0), (2, 1));
        assert_eq!(Window::ALWAYS.local(0), (3, 0));
        assert!(Window::ALWAYS.contains(u64::MAX));
    }

    #[test]
    fn refuses_what_is_no_time() {
        for (from, until) in [
            ("9:00", "10:00"),
            ("24:01", "10:00"),
            ("09:60", "10:00"),
            ("a", "b"),
            ("09:00", "09:00"),
            ("24:00", "01:00"),
        ] {
            assert!(Window::ALWAYS.between(from, until).is_err(), "{from} {until}");
        }
        for offset in ["", "+2", "02:00", "+24:00", "z", "é02:00"] {
            assert!(Window::ALWAYS.at(offset).is_err(), "{offset}");
        }
    }
}
