//! Phone numbers, payment cards and US social security numbers: digits in
//! groups.

use std::ops::Range;

/// Longest number with its signs: a card's 19 digits in groups.
const BYTES_MAX: usize = 40;

/// How far before a number a word such as `phone` says what it is.
const NEAR_BYTES: usize = 24;

/// Digits with single signs between them, and the groups they stand in.
struct Number<'a> {
    text: &'a str,
    digits: Vec<u8>,
    groups: Vec<usize>,
    signs: Vec<u8>,
    plus: bool,
}

/// Looks at `text`, which stands under the key `name`.
pub(crate) fn find(name: &str, text: &str, found: &mut impl FnMut(&'static str, Range<usize>)) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let starts = bytes[at].is_ascii_digit() || (matches!(bytes[at], b'+' | b'(') && next_is_digit(bytes, at));
        let joined = at > 0 && (is_word(bytes[at - 1]) || (bytes[at - 1] == b'.' && at > 1 && is_word(bytes[at - 2])));
        if !starts || joined {
            at += 1;
            continue;
        }
        let end = at + length(&bytes[at..]);
        let number = Number::of(&text[at..end]);
        // `1.5`, `10-abc`, `20%`: part of something else.
        let joined = bytes.get(end).is_some_and(|byte| is_word(*byte))
            || (matches!(bytes.get(end), Some(b'-' | b'.' | b'/' | b':'))
                && bytes.get(end + 1).is_some_and(|byte| is_word(*byte)))
            || (at > 0
                && matches!(bytes[at - 1], b'-' | b'/' | b'=' | b'#')
                && at > 1
                && is_word(bytes[at - 2])
                && number.groups.len() == 1
                && bytes[at - 1] != b'=');
        if !joined {
            let near = &text[floor(text, at.saturating_sub(NEAR_BYTES))..at];
            if let Some(id) = number.kind(name, near) {
                found(id, at..end);
            }
        }
        at = end.max(at + 1);
    }
}

fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn next_is_digit(bytes: &[u8], at: usize) -> bool {
    bytes.get(at + 1).is_some_and(|next| next.is_ascii_digit() || (*next == b'(' && bytes[at] == b'+'))
}

/// How many bytes belong to the number: digits, and between them one sign, or
/// a bracket with a space.
fn length(bytes: &[u8]) -> usize {
    let mut end = 0;
    let mut signs = 0;
    for (at, byte) in bytes.iter().enumerate().take(BYTES_MAX) {
        match byte {
            b'0'..=b'9' => {
                end = at + 1;
                signs = 0;
            }
            b'+' if at == 0 => {}
            b' ' | b'-' | b'.' | b'(' | b')' if signs < 2 => signs += 1,
            _ => break,
        }
    }
    end
}

impl<'a> Number<'a> {
    fn of(text: &'a str) -> Self {
        let mut number =
            Self { text, digits: Vec::new(), groups: vec![0], signs: Vec::new(), plus: text.starts_with('+') };
        for byte in text.bytes() {
            match byte {
                b'0'..=b'9' => {
                    number.digits.push(byte - b'0');
                    if let Some(group) = number.groups.last_mut() {
                        *group += 1;
                    }
                }
                sign => {
                    number.signs.push(sign);
                    if number.groups.last() != Some(&0) {
                        number.groups.push(0);
                    }
                }
            }
        }
        number
    }

    fn kind(&self, name: &str, near: &str) -> Option<&'static str> {
        let says = |words: &[&str]| words.iter().any(|word| contains(near, word) || contains(name, word));
        if self.is_card() {
            return Some("personal-data/card");
        }
        if self.is_us_ssn(says(&["ssn", "social security"])) {
            return Some("personal-data/us-ssn");
        }
        let phone = says(&["phone", "tel", "mobil", "cell", "fax", "handy", "fon", "call", "whatsapp", "sms"]);
        self.is_phone(phone).then_some("personal-data/phone")
    }

    /// The ranges of the networks (ISO/IEC 7812) and the check digit (Luhn).
    fn is_card(&self) -> bool {
        let digits = &self.digits;
        let prefix =
            |count: usize| digits.iter().take(count).fold(0_u32, |number, digit| number * 10 + u32::from(*digit));
        let network = match digits.len() {
            14 => matches!(prefix(2), 36 | 38 | 39) || (300..=305).contains(&prefix(3)),
            15 => matches!(prefix(2), 34 | 37),
            13 | 19 => prefix(1) == 4,
            16 => {
                prefix(1) == 4
                    || (51..=55).contains(&prefix(2))
                    || (2221..=2720).contains(&prefix(4))
                    || (3528..=3589).contains(&prefix(4))
                    || prefix(4) == 6011
                    || matches!(prefix(2), 62 | 65)
                    || (644..=649).contains(&prefix(3))
            }
            _ => false,
        };
        let grouped = self.signs.iter().all(|sign| *sign == b' ') || self.signs.iter().all(|sign| *sign == b'-');
        let even = self.groups.len() == 1 || (3..=5).contains(&self.groups.len());
        // Repeated digits pass Luhn and are nobody's card.
        let varied = digits.iter().any(|digit| Some(digit) != digits.first());
        network && grouped && even && varied && !self.plus && luhn(digits)
    }

    /// Never given out: areas 000, 666 and from 900, group 00, serial 0000.
    fn is_us_ssn(&self, said: bool) -> bool {
        let shaped = self.groups == [3, 2, 4] && self.signs == [b'-', b'-'];
        let spaced = self.groups == [3, 2, 4] || self.groups == [9];
        let number = |range: Range<usize>| {
            self.digits[range].iter().fold(0_u32, |number, digit| number * 10 + u32::from(*digit))
        };
        if !(shaped || said && spaced) || self.digits.len() != 9 {
            return false;
        }
        let area = number(0..3);
        area != 0 && area != 666 && area < 900 && number(3..5) != 0 && number(5..9) != 0
    }

    fn is_phone(&self, said: bool) -> bool {
        let digits = &self.digits;
        if self.plus {
            // E.164: at most 15 digits, no country begins with 0.
            return (8..=15).contains(&digits.len()) && digits.first() != Some(&0) && !self.is_sum();
        }
        // North America: area and exchange begin with 2 to 9.
        let american = |at: usize| digits.len() == at + 10 && digits[at] >= 2 && digits[at + 3] >= 2;
        let signs = |allowed: &[u8]| self.signs.iter().all(|sign| allowed.contains(sign));
        let same = self.signs.windows(2).all(|pair| pair[0] == pair[1]);
        let bracketed = self.text.starts_with('(') && self.text.as_bytes().get(4) == Some(&b')');
        let national = match &self.groups[..] {
            [3, 3, 4] => american(0) && (bracketed || (same && signs(b"-."))),
            [1, 3, 3, 4] => digits[0] == 1 && american(1) && same && signs(b"-."),
            // France: ten digits in pairs.
            [2, 2, 2, 2, 2] => digits[0] == 0 && (1..=9).contains(&digits[1]) && same && signs(b" ."),
            _ => false,
        };
        // Others look like any number; a word has to say what they are.
        let trunk = digits.first() == Some(&0) && (9..=12).contains(&digits.len());
        national || (said && !self.is_sum() && (trunk || american(0)))
    }

    /// `+3.14159265`: one decimal point.
    fn is_sum(&self) -> bool {
        self.signs.iter().filter(|sign| **sign == b'.').count() == 1 && self.groups.len() == 2
    }
}

fn contains(text: &str, word: &str) -> bool {
    text.as_bytes().windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes()))
}

fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits.iter().rev().enumerate().fold(0, |sum, (at, digit)| {
        let digit = u32::from(*digit);
        sum + match at % 2 {
            1 if digit > 4 => digit * 2 - 9,
            1 => digit * 2,
            _ => digit,
        }
    });
    sum.is_multiple_of(10)
}
