//! Patterns that match whatever another one does.

use super::budget::Budget;
use crate::pattern::Pattern;

/// Whether a list of names matches whatever another does, as far as is known. An
/// empty list means anything.
pub(super) fn all_covered(wide: &[Pattern], narrow: &[Pattern], budget: &mut Budget) -> bool {
    if takes_anything(wide) {
        return true;
    }
    let covered = |pattern| wide.iter().any(|wide| covers(wide, pattern));
    !narrow.is_empty() && budget.takes(wide.len() * narrow.len()) && narrow.iter().all(covered)
}

/// Whether a list of names matches every text.
pub(super) fn takes_anything(patterns: &[Pattern]) -> bool {
    patterns.is_empty() || patterns.iter().any(is_anything)
}

/// Whether every text that `narrow` matches is matched by `wide`. A no means that
/// this is not known.
pub(super) fn covers(wide: &Pattern, narrow: &Pattern) -> bool {
    if is_anything(wide) || narrow.is_exact() && wide.matches(narrow.prefix()) {
        return true;
    }
    match (wide, narrow) {
        (Pattern::Regex(wide), Pattern::Regex(narrow)) => wide.text() == narrow.text(),
        (Pattern::Regex(_), Pattern::Glob(_)) => false,
        (Pattern::Glob(wide), _) => {
            let literal = wide.prefix();
            match (&wide.text()[literal.len()..], narrow) {
                ("**", _) if literal.ends_with('/') => narrow.prefix().starts_with(literal),
                ("*", Pattern::Glob(narrow)) => narrow.text().strip_prefix(literal).is_some_and(is_one_segment),
                (_, Pattern::Glob(narrow)) => wide == narrow,
                (_, Pattern::Regex(_)) => false,
            }
        }
    }
}

fn is_anything(pattern: &Pattern) -> bool {
    match pattern {
        Pattern::Glob(glob) => matches!(glob.text(), "**" | "**/*"),
        Pattern::Regex(expression) => expression.text() == ".*",
    }
}

/// Whether this end of a glob matches nothing with a slash.
fn is_one_segment(end: &str) -> bool {
    !end.contains('/') && !end.contains("**")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(wide: &str, narrow: &str) -> bool {
        let [wide, narrow] = [wide, narrow].map(|text| Pattern::parse(text).unwrap());
        covers(&wide, &narrow)
    }

    #[test]
    fn knows_the_usual_cases() {
        let cases = [
            ("a", "a", true),
            ("a", "ab", false),
            ("**", "re:a.*", true),
            ("**", "*", true),
            ("**/*", "a/**", true),
            ("re:.*", "a/*", true),
            ("*", "**", false),
            ("*", "a*", true),
            ("*", "a/b", false),
            ("files/*", "files/read_*", true),
            ("files/*", "files/{read,write}_?", true),
            ("files/*", "files/*/a", false),
            ("files/*", "files/**", false),
            ("files/**", "files/*/a", true),
            ("files/**", "re:files/(a|b)", true),
            ("files/**", "file*", false),
            ("files/read_*", "files/*", false),
            ("{a,b}", "b", true),
            ("{a,b}", "{a,b}", true),
            ("re:a+", "aa", true),
            ("re:a+", "re:a+", true),
            ("re:a+", "re:aa+", false),
            ("a**", "ab*", false),
        ];
        for (wide, narrow, expected) in cases {
            assert_eq!(check(wide, narrow), expected, "{wide} over {narrow}");
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(20_000))]

        #[test]
        fn what_is_covered_matches_nothing_else(
            wide in "[ab]{0,2}/?\\*{1,2}|\\*\\*/\\*|re:\\.\\*|[ab/*?]{1,4}",
            narrow in "(re:)?[ab]{0,2}/?[ab/*?\\[\\]{},!\\\\]{1,8}",
            texts in proptest::collection::vec("[ab/!\\\\,]{0,6}", 12),
        ) {
            if let (Ok(wide), Ok(narrow)) = (Pattern::parse(&wide), Pattern::parse(&narrow)) && covers(&wide, &narrow) {
                for text in texts {
                    assert!(wide.matches(&text) || !narrow.matches(&text), "{wide:?} over {narrow:?} for {text}");
                }
            }
        }
    }
}
