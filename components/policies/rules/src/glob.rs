//! Glob patterns.

/// Where a glob stops being literal.
const SPECIAL: &[char] = &['*', '?', '[', ']', '{', '}', '\\'];

/// A matcher tries the alternatives of all braces with each other, so a few
/// dozen bytes of pattern could otherwise cost seconds.
const ALTERNATIVES_MAX: usize = 64;

/// A glob: `*` and `?` stay within a segment between slashes, `**` as a whole
/// segment spans any number of them, `[a-z]` and `{a,b}` as usual, `\` makes
/// the next character literal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Glob {
    glob: Box<str>,
    /// Bytes of the glob before anything special.
    // Few bytes, as many globs lie in each configured instance.
    literal: u16,
    /// Bytes of the glob, or of the name in `**/name`, that are compared as
    /// they are, so that the matcher has less to walk through.
    compared: u16,
    /// `**/name`, which looks at the last segment alone.
    anywhere: bool,
}

impl Glob {
    /// Reads a glob.
    pub(crate) fn parse(glob: &str) -> Result<Self, String> {
        if glob.is_empty() {
            return Err("a pattern is empty; write `**` for anything".to_owned());
        }
        if glob.starts_with('!') {
            return Err(format!("the pattern `{glob}` starts with `!`; write a forbid rule instead"));
        }
        fast_glob::validate(glob).map_err(|error| format!("the pattern `{glob}`: {error}"))?;
        match alternatives(glob) {
            None => Err(format!("the pattern `{glob}` has a bracket without its partner")),
            Some(count) if count > ALTERNATIVES_MAX => Err(format!(
                "the pattern `{glob}` stands for {count} patterns; the most is {ALTERNATIVES_MAX}, so write several"
            )),
            Some(_) => Self::checked(glob).ok_or_else(|| format!("a pattern of {} bytes is too long", glob.len())),
        }
    }

    /// A valid glob. `None` where it is too long.
    fn checked(glob: &str) -> Option<Self> {
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
        let bytes = |bytes: usize| u16::try_from(bytes).ok();
        Some(Self {
            literal: bytes(literal(glob))?,
            compared: bytes(compared)?,
            anywhere: name.is_some(),
            glob: glob.into(),
        })
    }

    /// As it was written.
    pub(crate) fn text(&self) -> &str {
        &self.glob
    }

    /// The literal text every match starts with.
    pub(crate) fn prefix(&self) -> &str {
        &self.glob[..usize::from(self.literal)]
    }

    /// True when only [`prefix`](Self::prefix) itself matches.
    pub(crate) fn is_exact(&self) -> bool {
        usize::from(self.literal) == self.glob.len()
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
        let (literal, rest) = glob.split_at(usize::from(self.compared));
        text.strip_prefix(literal).is_some_and(|text| match rest {
            "" => text.is_empty(),
            "*" => text.bytes().all(|byte| byte != b'/'),
            "**" => true,
            rest => fast_glob::glob_match(rest, text),
        })
    }
}

/// How many globs without braces a valid glob stands for. `None` where a brace
/// is closed that was never opened.
fn alternatives(glob: &str) -> Option<usize> {
    let mut open = Vec::new();
    let mut all = 1_usize;
    let mut bytes = glob.bytes().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            b'[' => {
                bytes.next_if(|byte| matches!(byte, b'!' | b'^'));
                // The first member may be a `]`.
                let mut member = bytes.next();
                while let Some(byte) = member {
                    if byte == b'\\' {
                        bytes.next();
                    }
                    member = bytes.next().filter(|byte| *byte != b']');
                }
            }
            b'{' => open.push(1_usize),
            b',' => open.last_mut().into_iter().for_each(|count| *count += 1),
            b'}' => all = all.saturating_mul(open.pop()?),
            _ => {}
        }
    }
    Some(all)
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
            assert_eq!(Glob::parse(glob).unwrap().matches(text), expected, "{glob} on {text}");
        }
    }

    #[test]
    fn refuses_patterns_that_would_surprise() {
        let many = "{a,b}".repeat(7);
        for glob in ["", "!a", "a[", "{a", "a}", "a\\", "[]", "[]}", "a{b,c}}", &many] {
            assert!(Glob::parse(glob).is_err(), "{glob}");
        }
    }

    #[test]
    fn counts_what_braces_stand_for() {
        let cases = [
            ("a", Some(1)),
            ("a,b", Some(1)),
            ("{a,b}{c,d,e}", Some(6)),
            ("{a,{b,c}}", Some(4)),
            (r"\{a,b", Some(1)),
            ("[{,}]", Some(1)),
            ("[]{]{a,b}", Some(2)),
            ("[!]}]{a,b}", Some(2)),
            ("a}", None),
        ];
        for (glob, expected) in cases {
            assert_eq!(alternatives(glob), expected, "{glob}");
        }
    }

    proptest::proptest! {
        #[test]
        fn shortcuts_match_what_the_matcher_does(
            glob in "[ab/*]{1,6}|[ab/*!]{1,6}|\\*\\*/[ab*.!]{0,4}|[ab/*?!\\[\\]{},\\\\é]{1,8}",
            text in "[ab./!é]{0,8}",
        ) {
            if let Ok(pattern) = Glob::parse(&glob) {
                assert_eq!(pattern.matches(&text), fast_glob::glob_match(&glob, &text), "{glob} on {text}");
            }
        }

        /// The index relies on it.
        #[test]
        fn whatever_matches_starts_with_the_prefix(glob in "[ab/*?\\[\\]{},\\\\]{1,8}", text in "[ab/*]{0,8}") {
            if let Ok(pattern) = Glob::parse(&glob) && pattern.matches(&text) {
                assert!(text.starts_with(pattern.prefix()), "{glob} matched {text}");
            }
        }
    }
}
