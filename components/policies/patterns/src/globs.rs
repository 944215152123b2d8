//! Lists of globs over operations and over JSON pointers.

/// Globs of which one has to match. `*` stays between slashes, `**` does not.
#[derive(Debug, Clone)]
pub(crate) struct Globs(Vec<String>);

impl Globs {
    pub(crate) fn parse(field: &str, globs: Vec<String>) -> Result<Self, String> {
        // An empty list reads as "none" to some and as "any" to others.
        if globs.is_empty() {
            return Err(format!("`{field}` is empty; leave it out for the default, or set `enabled = false`"));
        }
        for glob in &globs {
            if glob.is_empty() || glob.starts_with('!') || fast_glob::validate(glob).is_err() {
                return Err(format!(
                    "`{glob}` in `{field}` is no pattern; write for example `files/*`, or `**` for all"
                ));
            }
        }
        Ok(Self(globs))
    }

    /// Globs over JSON pointers.
    pub(crate) fn pointers(field: &str, globs: Vec<String>) -> Result<Self, String> {
        match globs.iter().find(|glob| !glob.starts_with('/')) {
            Some(glob) => Err(format!("`{glob}` in `{field}` is no JSON pointer; write `/{glob}`")),
            None => Self::parse(field, globs),
        }
    }

    pub(crate) fn of(globs: &[&str]) -> Self {
        Self(globs.iter().map(|glob| (*glob).to_owned()).collect())
    }

    pub(crate) fn matches(&self, text: &str) -> bool {
        self.0.iter().any(|glob| glob == "**" || fast_glob::glob_match(glob, text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_at_any_depth() {
        let globs = Globs::of(&["/**/command", "/steps/*/run"]);
        for (pointer, expected) in [
            ("/command", true),
            ("/a/0/command", true),
            ("/commander", false),
            ("/steps/3/run", true),
            ("/steps/3/a/run", false),
        ] {
            assert_eq!(globs.matches(pointer), expected, "{pointer}");
        }
    }

    #[test]
    fn refuses_what_would_surprise() {
        for globs in [vec![], vec![""], vec!["!a"], vec!["a["]] {
            let globs = globs.into_iter().map(str::to_owned).collect();
            assert!(Globs::parse("operations", globs).is_err());
        }
        assert!(Globs::pointers("commands", vec!["command".into()]).is_err());
    }
}
