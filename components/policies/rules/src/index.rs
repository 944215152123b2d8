//! An index from texts to the patterns that can match them.

use rustc_hash::FxHashMap;

use crate::pattern::Pattern;

/// Maps patterns to values. A look-up costs one hash for the exact patterns
/// and one for each distinct length of literal prefix, however many patterns
/// there are.
///
/// The hash is not keyed: what is hashed into the table comes from the
/// operator's configuration, and texts from agents are only looked up.
#[derive(Debug)]
pub(crate) struct PatternIndex<T> {
    exact: FxHashMap<Box<str>, T>,
    prefixes: Vec<Prefixes<T>>,
}

#[derive(Debug)]
struct Prefixes<T> {
    bytes: usize,
    by_prefix: FxHashMap<Box<str>, T>,
}

impl<T> Default for PatternIndex<T> {
    fn default() -> Self {
        Self { exact: FxHashMap::default(), prefixes: Vec::new() }
    }
}

impl<T: Default> PatternIndex<T> {
    /// The value under which everything that `pattern` can match is found.
    pub(crate) fn entry(&mut self, pattern: &Pattern) -> &mut T {
        let map = match pattern.is_exact() {
            true => &mut self.exact,
            false => self.prefixes_of(pattern.prefix().len()),
        };
        map.entry(pattern.prefix().into()).or_default()
    }

    fn prefixes_of(&mut self, bytes: usize) -> &mut FxHashMap<Box<str>, T> {
        let at = match self.prefixes.iter().position(|prefixes| prefixes.bytes == bytes) {
            Some(at) => at,
            None => {
                self.prefixes.push(Prefixes { bytes, by_prefix: FxHashMap::default() });
                self.prefixes.len() - 1
            }
        };
        &mut self.prefixes[at].by_prefix
    }
}

impl<T> PatternIndex<T> {
    /// Values whose pattern can match `text`; a superset of those that do.
    pub(crate) fn candidates<'a>(&'a self, text: &'a str) -> impl Iterator<Item = &'a T> {
        let by_prefix = self.prefixes.iter().filter_map(move |prefixes| {
            // `get` also refuses to cut a character in two; no prefix does.
            text.get(..prefixes.bytes).and_then(|prefix| prefixes.by_prefix.get(prefix))
        });
        self.exact.get(text).into_iter().chain(by_prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn finds_every_pattern_that_matches(
            globs in proptest::collection::vec("[abé/*?]{1,5}", 1..12),
            text in "[abé/]{0,6}",
        ) {
            let patterns: Vec<_> = globs.iter().filter_map(|glob| Pattern::parse(glob).ok()).collect();
            let mut index = PatternIndex::<Vec<usize>>::default();
            for (at, pattern) in patterns.iter().enumerate() {
                index.entry(pattern).push(at);
            }
            let found: Vec<_> = index.candidates(&text).flatten().copied().collect();
            for (at, pattern) in patterns.iter().enumerate() {
                assert!(!pattern.matches(&text) || found.contains(&at), "{pattern:?} lost {text}");
            }
        }
    }
}
