//! Which values made a rule apply, in a few words.

use crate::condition::{Comparison, Condition, label};
use crate::fact::{Fact, Facts, Name, Why};
use crate::number::Number;
use crate::tree::Tree;
use crate::window::{DAYS, Window};

/// Values that are named. More make no sentence.
const NAMED_MAX: usize = 3;

/// Characters of a value that are quoted: enough to know it again.
const QUOTED_MAX: usize = 48;

/// A sentence of a rule, and behind it in brackets what its conditions looked
/// at.
pub(crate) struct Explanation<'r> {
    text: String,
    named: usize,
    seen: [Option<Name<'r>>; NAMED_MAX],
    quote: bool,
    bare: bool,
}

impl<'r> Explanation<'r> {
    /// An explanation that begins with the rule's own `reason`. With `quote` it
    /// says what the values are, and without it only which ones mattered.
    pub(crate) fn new(reason: &str, quote: bool) -> Self {
        let mut text = String::with_capacity(reason.len() + 2 * QUOTED_MAX);
        text.push_str(reason);
        Self { text, named: 0, seen: [None; NAMED_MAX], quote, bare: reason.is_empty() }
    }

    /// Adds what is in conditions that all hold.
    pub(crate) fn add(&mut self, conditions: &'r [Condition], facts: &Facts<'_>) {
        for condition in conditions {
            self.add_one(condition, facts);
        }
    }

    fn add_one(&mut self, condition: &'r Condition, facts: &Facts<'_>) {
        match condition {
            Condition::All(conditions) => self.add(conditions, facts),
            Condition::Any(conditions) => {
                // Inside a `not` none of them holds, and all of them mattered.
                match conditions.iter().find(|condition| condition.holds(facts) == Ok(true)) {
                    Some(condition) => self.add_one(condition, facts),
                    None => self.add(conditions, facts),
                }
            }
            Condition::Not(condition) => self.add_one(condition, facts),
            Condition::Label(patterns) => {
                if let Some(label) = label(patterns, facts.action) {
                    self.name("label", "", |text| cut(text, label));
                }
            }
            Condition::Time(window) => {
                self.name("time", "", |text| local_time(text, window, facts.action.time_ns));
            }
            Condition::Earlier(earlier) => match (earlier.count(facts), earlier.label(facts)) {
                (Some(count), _) => self.name("earlier", earlier.name().name, |text| signed(text, count)),
                (None, Some(label)) => self.name("earlier label", "", |text| cut(text, &label)),
                (None, None) => {}
            },
            Condition::Compare(comparison) => self.compare(comparison, facts),
        }
    }

    fn compare(&mut self, comparison: &'r Comparison, facts: &Facts<'_>) {
        let name = comparison.name();
        if self.seen.contains(&Some(name)) {
            return;
        }
        if let Some(free) = self.seen.iter_mut().find(|seen| seen.is_none()) {
            *free = Some(name);
        }
        self.name(name.source.word(), name.name, |text| show(text, facts.get(name)));
    }

    fn name(&mut self, word: &str, name: &str, value: impl FnOnce(&mut String)) {
        self.named += 1;
        if self.named > NAMED_MAX {
            return;
        }
        self.text.push_str(match (self.named, self.bare) {
            (1, true) => "",
            (1, false) => " (",
            _ => ", ",
        });
        self.text.push_str(word);
        if !name.is_empty() {
            self.text.push_str(" `");
            self.text.push_str(name);
            self.text.push('`');
        }
        if self.quote {
            self.text.push_str(" is `");
            value(&mut self.text);
            self.text.push('`');
        }
    }

    pub(crate) fn finish(mut self) -> String {
        if self.named > NAMED_MAX {
            self.text.push_str(", …");
        }
        if self.named > 0 && !self.bare {
            self.text.push(')');
        }
        self.text
    }
}

/// A value in a few words.
pub(crate) fn show(text: &mut String, fact: Result<Fact<'_>, Why>) {
    match fact {
        Ok(Fact::Json(Tree::Text(value))) => cut(text, value),
        Ok(Fact::Text(value)) => cut(text, value),
        Ok(Fact::Integer(number)) => signed(text, number),
        Ok(Fact::Json(Tree::Number(Number::Integer(number)))) => signed(text, *number),
        Ok(Fact::Json(Tree::Number(Number::Unsigned(number)))) => integer(text, *number),
        Ok(Fact::Json(Tree::Number(Number::Float(number)))) => float(text, *number),
        Ok(Fact::Boolean(true) | Fact::Json(Tree::Bool(true))) => text.push_str("true"),
        Ok(Fact::Boolean(false) | Fact::Json(Tree::Bool(false))) => text.push_str("false"),
        Ok(Fact::Json(Tree::Null)) => text.push_str("null"),
        Ok(Fact::Texts(_) | Fact::Json(Tree::Array(_))) => text.push_str("[…]"),
        Ok(Fact::Json(Tree::Object(_))) => text.push_str("{…}"),
        Err(_) => text.push_str("missing"),
    }
}

/// The beginning of a text.
pub(crate) fn cut(text: &mut String, value: &str) {
    // A text of few bytes has few characters.
    let beyond = (value.len() > QUOTED_MAX).then(|| value.char_indices().nth(QUOTED_MAX)).flatten();
    match beyond {
        Some((end, _)) => {
            text.push_str(&value[..end]);
            text.push('…');
        }
        None => text.push_str(value),
    }
}

/// The day of the week and the time of the day.
pub(crate) fn local_time(text: &mut String, window: &Window, time_ns: u64) {
    let (day, minute) = window.local(time_ns);
    text.push_str(DAYS.get(day).copied().unwrap_or(""));
    for (before, number) in [(' ', minute / 60), (':', minute % 60)] {
        text.push(before);
        if number < 10 {
            text.push('0');
        }
        integer(text, number.unsigned_abs());
    }
}

fn signed(text: &mut String, number: i64) {
    if number < 0 {
        text.push('-');
    }
    integer(text, number.unsigned_abs());
}

/// With six digits behind the point, or what is near enough to know the number
/// again.
fn float(text: &mut String, number: f64) {
    const DIGITS: u32 = 6;
    let scaled = (number.abs() * 1e6).round();
    if number < 0.0 {
        text.push('-');
    }
    if scaled >= u64::MAX as f64 {
        return text.push('…');
    }
    let scale = 10_u64.pow(DIGITS);
    let (whole, mut fraction) = (scaled as u64 / scale, scaled as u64 % scale);
    integer(text, whole);
    if fraction > 0 {
        text.push('.');
    }
    let mut place = scale / 10;
    while fraction > 0 {
        integer(text, fraction / place);
        fraction %= place;
        place /= 10;
    }
}

pub(crate) fn integer(text: &mut String, number: u64) {
    // The formatting of the standard library would be most of this file's code.
    if number >= 10 {
        integer(text, number / 10);
    }
    text.push(char::from(b'0' + (number % 10) as u8));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_numbers() {
        let cases = [
            (0.5, "0.5"),
            (-12.25, "-12.25"),
            (0.1, "0.1"),
            (1.05, "1.05"),
            (3.0, "3"),
            (1.0 / 3.0, "0.333333"),
            (1e-9, "0"),
            (1e300, "…"),
            (0.9999999, "1"),
        ];
        for (number, expected) in cases {
            let mut text = String::new();
            float(&mut text, number);
            assert_eq!(text, expected);
        }
        let mut text = String::new();
        [i64::MIN, 0, 107].into_iter().for_each(|number| signed(&mut text, number));
        assert_eq!(text, "-92233720368547758080107");
    }

    #[test]
    fn cuts_between_characters() {
        let mut text = String::new();
        cut(&mut text, &"é".repeat(QUOTED_MAX + 1));
        assert_eq!(text, "é".repeat(QUOTED_MAX) + "…");
    }
}
