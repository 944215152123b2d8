//! An index from texts to the patterns that can match them.

use std::hash::BuildHasher as _;

use crate::pattern::Pattern;

/// Maps patterns to values. A look-up costs one search for the exact patterns
/// and one for each distinct length of literal prefix, however many patterns
/// there are.
///
/// The hash is not keyed: what is indexed comes from the operator's
/// configuration, and texts from agents are only looked up.
#[derive(Debug)]
pub(crate) struct PatternIndex<T> {
    exact: Group<T>,
    prefixes: Vec<(usize, Group<T>)>,
}

/// Values in the order of the hashes of their texts, which are not kept: whoever
/// takes a value asks its pattern anyway, and a configured instance is as large
/// as what the host has to look through after each call.
type Group<T> = Vec<(u32, T)>;

impl<'p, T> FromIterator<(&'p Pattern, T)> for PatternIndex<T> {
    fn from_iter<I: IntoIterator<Item = (&'p Pattern, T)>>(entries: I) -> Self {
        let mut index = Self { exact: Vec::new(), prefixes: Vec::new() };
        for (pattern, value) in entries {
            let group = match pattern.is_exact() {
                true => &mut index.exact,
                false => index.prefixes_of(pattern.prefix().len()),
            };
            group.push((hash(pattern.prefix()), value));
        }
        let prefixes = index.prefixes.iter_mut().map(|(_, group)| group);
        for group in prefixes.chain([&mut index.exact]) {
            group.sort_by_key(|(hash, _)| *hash);
            group.shrink_to_fit();
        }
        index
    }
}

impl<T> PatternIndex<T> {
    fn prefixes_of(&mut self, bytes: usize) -> &mut Group<T> {
        let at = match self.prefixes.iter().position(|(other, _)| *other == bytes) {
            Some(at) => at,
            None => {
                self.prefixes.push((bytes, Vec::new()));
                self.prefixes.len() - 1
            }
        };
        &mut self.prefixes[at].1
    }

    /// The same values, one by one where up to `most` lie under one hash and
    /// together where more do.
    pub(crate) fn grouped<U>(self, most: usize, one: impl Fn(T) -> U, many: impl Fn(Vec<T>) -> U) -> PatternIndex<U> {
        let regroup = |group: Group<T>| {
            let mut regrouped = Vec::with_capacity(group.len());
            let mut entries = group.into_iter().peekable();
            while let Some((hash, first)) = entries.next() {
                let mut run = vec![first];
                while let Some((_, next)) = entries.next_if(|(other, _)| *other == hash) {
                    run.push(next);
                }
                match run.len() > most {
                    true => regrouped.push((hash, many(run))),
                    false => regrouped.extend(run.into_iter().map(|value| (hash, one(value)))),
                }
            }
            regrouped.shrink_to_fit();
            regrouped
        };
        PatternIndex {
            exact: regroup(self.exact),
            prefixes: self.prefixes.into_iter().map(|(bytes, group)| (bytes, regroup(group))).collect(),
        }
    }

    /// Values whose pattern can match `text`; a superset of those that do.
    pub(crate) fn candidates<'a>(&'a self, text: &'a str) -> impl Iterator<Item = &'a T> {
        let by_prefix = self.prefixes.iter().filter_map(move |(bytes, group)| {
            // `get` also refuses to cut a character in two; no prefix does.
            text.get(..*bytes).map(|prefix| under(group, prefix))
        });
        under(&self.exact, text).chain(by_prefix.flatten())
    }
}

fn under<'a, T>(group: &'a Group<T>, text: &str) -> impl Iterator<Item = &'a T> + use<'a, T> {
    let hash = hash(text);
    let start = group.partition_point(|(other, _)| *other < hash);
    group[start..].iter().take_while(move |(other, _)| *other == hash).map(|(_, value)| value)
}

fn hash(text: &str) -> u32 {
    // The guest's own hash has 32 bits.
    rustc_hash::FxBuildHasher.hash_one(text) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn finds_every_pattern_that_matches(
            globs in proptest::collection::vec("[abé/*?]{1,5}", 1..12),
            text in "[abé/]{0,6}",
            most in 1_usize..3,
        ) {
            let patterns: Vec<_> = globs.iter().filter_map(|glob| Pattern::parse(glob).ok()).collect();
            let index: PatternIndex<_> = patterns.iter().zip(0..).collect();
            let index = index.grouped(most, |at| vec![at], |run| run);
            let found: Vec<_> = index.candidates(&text).flatten().copied().collect();
            for (at, pattern) in patterns.iter().enumerate() {
                assert!(!pattern.matches(&text) || found.contains(&at), "{pattern:?} lost {text}");
            }
        }
    }
}
