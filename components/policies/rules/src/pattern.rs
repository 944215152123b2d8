//! Glob patterns over operations, resources, agents and texts.

/// Where a glob stops being literal.
const SPECIAL: &[char] = &['*', '?', '[', ']', '{', '}', '\\'];

/// A glob: `*` and `?` stay within a segment between slashes, `**` as a whole
/// segment spans any number of them, `[a-z]` and `{a,b}` as usual, `\` makes
/// the next character literal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    glob: Box<str>,
    /// Bytes of the glob before anything special.
    literal: usize,
    /// Bytes of the glob, or of the name in `**/name`, that are compared as
    /// they are, so that the matcher has less to walk through.
    compared: usize,
    /// `**/name`, which looks at the last segment alone.
    anywhere: bool,
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
        Ok(Self::checked(glob))
    }

    /// The glob `**`.
    pub(crate) fn anything() -> Self {
        Self::checked("**")
    }

    fn checked(glob: &str) -> Self {
        let literal = |glob: &str| glob.find(SPECIAL).unwrap_or(glob.len());
        let name = glob.strip_prefix("**/").filter(|name| {
            let plain = !name.contains(|character| character == '/' || SPECIAL[1..].contains(&character));
            plain && !name.is_empty() && !name.contains("**")
        });
        let compared = match name {
            Some(name) => literal(name),
            // `**` means something else where no slash stands before it, and
            // so does `!` at the start.
            None if glob.contains("**") => match glob[..literal(glob)].rfind('/') {
                Some(slash) if !glob[slash + 1..].starts_with('!') => slash + 1,
                _ => 0,
            },
            None => literal(glob),
        };
        Self { literal: literal(glob), compared, anywhere: name.is_some(), glob: glob.into() }
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
        let (glob, text) = match self.anywhere {
            true => {
                let slash = text.bytes().rposition(|byte| byte == b'/');
                (&self.glob["**/".len()..], &text[slash.map_or(0, |slash| slash + 1)..])
            }
            false => (&*self.glob, text),
        };
        let (literal, rest) = glob.split_at(self.compared);
        text.strip_prefix(literal).is_some_and(|text| match rest {
            "" => text.is_empty(),
            "*" => text.bytes().all(|byte| byte != b'/'),
            "**" => true,
            rest => fast_glob::glob_match(rest, text),
        })
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
        #[test]
        fn shortcuts_match_what_the_matcher_does(
            glob in "[ab/*]{1,6}|[ab/*!]{1,6}|\\*\\*/[ab*.!]{0,4}|[ab/*?!\\[\\]{},\\\\é]{1,8}",
            text in "[ab./!é]{0,8}",
        ) {
            if let Ok(pattern) = Pattern::parse(&glob) {
                assert_eq!(pattern.matches(&text), fast_glob::glob_match(&glob, &text), "{glob} on {text}");
            }
        }

        /// The index relies on it.
        #[test]
        fn whatever_matches_starts_with_the_prefix(glob in "[ab/*?\\[\\]{},\\\\]{1,8}", text in "[ab/*]{0,8}") {
            if let Ok(pattern) = Pattern::parse(&glob) && pattern.matches(&text) {
                assert!(text.starts_with(pattern.prefix()), "{glob} matched {text}");
            }
        }
    }
}
