//! Glob patterns over operations, resources, agents and texts.

/// Where a glob stops being literal.
const SPECIAL: &[char] = &['*', '?', '[', ']', '{', '}', '\\'];

/// A glob: `*` and `?` stay within a segment between slashes, `**` as a whole
/// segment spans any number of them, `[a-z]` and `{a,b}` as usual, `\` makes
/// the next character literal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    glob: Box<str>,
    literal: usize,
}

impl Pattern {
    /// Reads a glob.
    pub(crate) fn parse(glob: &str) -> Result<Self, String> {
        if glob.is_empty() {
            return Err("a pattern is empty; write `**` for anything".to_owned());
        }
        if glob.starts_with('!') {
            return Err(format!("the pattern `{glob}` starts with `!`; write a forbid rule instead"));
        }
        let mut depth = 0_i32;
        let mut class = false;
        let mut characters = glob.chars();
        while let Some(character) = characters.next() {
            match character {
                '\\' if characters.next().is_none() => {
                    return Err(format!("the pattern `{glob}` ends in a lone `\\`"));
                }
                '[' => class = true,
                ']' => class = false,
                '{' if !class => depth += 1,
                '}' if !class => depth -= 1,
                _ => {}
            }
            if depth < 0 {
                break;
            }
        }
        if class || depth != 0 {
            return Err(format!("the pattern `{glob}` has a bracket without its partner"));
        }
        let literal = glob.find(SPECIAL).unwrap_or(glob.len());
        Ok(Self { glob: glob.into(), literal })
    }

    /// The glob `**`.
    pub(crate) fn anything() -> Self {
        Self { glob: "**".into(), literal: 0 }
    }

    /// The literal text every match starts with.
    pub(crate) fn prefix(&self) -> &str {
        &self.glob[..self.literal]
    }

    /// True when only [`prefix`](Self::prefix) itself matches.
    pub(crate) fn is_exact(&self) -> bool {
        self.literal == self.glob.len()
    }

    /// Whether the whole of `text` matches.
    pub(crate) fn matches(&self, text: &str) -> bool {
        match (self.is_exact(), &*self.glob) {
            (true, exact) => exact == text,
            (false, "**") => true,
            (false, glob) => fast_glob::glob_match(glob, text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_like_a_glob() {
        let cases = [
            ("files/read_file", "files/read_file", true),
            ("files/read_file", "files/read_files", false),
            ("files/read_*", "files/read_file", true),
            ("files/*", "files/a/b", false),
            ("files/**", "files/a/b", true),
            ("**", "", true),
            ("**", "a/b", true),
            ("*", "a/b", false),
            ("**/.env", "a/b/.env", true),
            ("**/.env", ".env", true),
            ("**/.env", "a/x.env", false),
            ("{read,list}_*", "list_directory", true),
            ("[a-c]?", "b1", true),
            (r"a\*", "a*", true),
            (r"a\*", "ab", false),
        ];
        for (glob, text, expected) in cases {
            assert_eq!(Pattern::parse(glob).unwrap().matches(text), expected, "{glob} on {text}");
        }
    }

    #[test]
    fn refuses_patterns_that_would_surprise() {
        for glob in ["", "!a", "a[", "{a", "a}", "a\\"] {
            assert!(Pattern::parse(glob).is_err(), "{glob}");
        }
    }

    proptest::proptest! {
        /// The index relies on it.
        #[test]
        fn whatever_matches_starts_with_the_prefix(glob in "[ab/*?\\[\\]{},\\\\]{1,8}", text in "[ab/*]{0,8}") {
            if let Ok(pattern) = Pattern::parse(&glob) && pattern.matches(&text) {
                assert!(text.starts_with(pattern.prefix()), "{glob} matched {text}");
            }
        }
    }
}
