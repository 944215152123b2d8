//! Regular expressions, by an engine whose time is linear in the text.

use regex_lite::{Regex, RegexBuilder};

/// Bytes of a compiled expression. A text is matched in time proportional to
/// them, so they bound what an expression such as `(a{50}){50}` can cost.
const COMPILED_BYTES_MAX: usize = 32 * 1024;

/// Nested groups and repetitions: more than anybody reads, and the parser is
/// recursive.
const NESTING_MAX: u32 = 32;

const BEFORE: &str = r"\A(?:";
const AFTER: &str = r")\z";

/// A regular expression that the whole of a text has to match. `.` also takes a
/// line break: a break must not lead a text past a forbid.
#[derive(Debug)]
pub(crate) struct Expression(Regex);

impl Expression {
    /// Reads an expression.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let wrong = |error: regex_lite::Error| format!("the regular expression `{text}`: {error}");
        // By itself first, so that no bracket of it closes ours.
        build(text).map_err(wrong)?;
        build(&format!("{BEFORE}{text}{AFTER}")).map(Self).map_err(wrong)
    }

    /// Whether the whole of `text` matches.
    pub(crate) fn matches(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    /// As it was written.
    pub(crate) fn text(&self) -> &str {
        let text = self.0.as_str();
        text.strip_prefix(BEFORE).and_then(|text| text.strip_suffix(AFTER)).unwrap_or("")
    }

    /// A literal text every match starts with; not always the longest.
    pub(crate) fn prefix(&self) -> &str {
        prefix(self.text())
    }
}

fn build(text: &str) -> Result<Regex, regex_lite::Error> {
    RegexBuilder::new(text).size_limit(COMPILED_BYTES_MAX).nest_limit(NESTING_MAX).dot_matches_new_line(true).build()
}

fn prefix(expression: &str) -> &str {
    let expression = expression.strip_prefix('^').unwrap_or(expression);
    if has_choice(expression) {
        return "";
    }
    let plain = |character: char| !character.is_ascii() || character.is_ascii_alphanumeric();
    let special = |character: char| !plain(character) && !"/_-:@%=,;<>~ ".contains(character);
    let end = expression.find(special).unwrap_or(expression.len());
    let literal = &expression[..end];
    // What is repeated may be there no time at all.
    match expression[end..].starts_with(['*', '?', '{']) {
        true => literal.char_indices().next_back().map_or("", |(last, _)| &literal[..last]),
        false => literal,
    }
}

/// Whether there may be a `|` outside of every group.
fn has_choice(expression: &str) -> bool {
    let plain = !expression.contains(['[', '\\']);
    let mut depth = 0_i32;
    expression.chars().any(|character| {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        character == '|' && (depth == 0 || !plain)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_the_whole_text() {
        let cases = [
            ("a+", "aaa", true),
            ("a+", "aab", false),
            ("^a$", "a", true),
            ("a|b", "ab", false),
            (".*x.*", "a\nx\n", true),
            ("a", "a\n", false),
            (r"\d{2}", "12", true),
            ("(?i)READ_.*", "read_x", true),
            (".", "é", true),
            ("", "", true),
        ];
        for (expression, text, expected) in cases {
            assert_eq!(Expression::parse(expression).unwrap().matches(text), expected, "{expression} on {text:?}");
        }
    }

    #[test]
    fn refuses_what_is_wrong_or_too_large() {
        let deep = "(".repeat(50) + &")".repeat(50);
        for expression in ["(", "a)|(b", "[b-a]", "*", r"\p{L}", "(a{100}){100}", "(?x)a #", &deep] {
            assert!(Expression::parse(expression).is_err(), "{expression}");
        }
    }

    #[test]
    fn knows_its_prefix() {
        let cases = [
            ("files/read_.*", "files/read_"),
            ("^files/(read|write)_file", "files/"),
            ("ab*", "a"),
            ("ab?", "a"),
            ("ab{0}", "a"),
            ("ab+", "ab"),
            ("a|b", ""),
            ("(a)|b", ""),
            (r"a\|b", ""),
            ("é*", ""),
            ("(?i)ab", ""),
            ("a b", "a b"),
        ];
        for (expression, expected) in cases {
            assert_eq!(Expression::parse(expression).unwrap().prefix(), expected, "{expression}");
        }
    }

    /// A backtracking engine would not be done before the end of time.
    #[test]
    fn time_is_linear() {
        let text = "a".repeat(100_000) + "!";
        for expression in ["(a+)+", "(a|aa)+", "(.*a){20}", "(a?){30}a{30}"] {
            let expression = Expression::parse(expression).unwrap();
            assert!(!expression.matches(&text), "{expression:?}");
        }
    }

    proptest::proptest! {
        /// The index relies on it.
        #[test]
        fn whatever_matches_starts_with_the_prefix(expression in "[ab/.*+?|(){}\\[\\]\\\\1,^$]{1,8}", text in "[ab/]{0,6}") {
            if let Ok(expression) = Expression::parse(&expression) && expression.matches(&text) {
                assert!(text.starts_with(expression.prefix()), "{expression:?} matched {text}");
            }
        }
    }
}
