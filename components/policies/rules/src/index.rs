//! An index from texts to the patterns that can match them.

use crate::pattern::Pattern;

/// Maps patterns to values. A look-up walks over the text once and makes one
/// search for the exact patterns and one for each distinct length of literal
/// prefix, however many patterns there are.
///
/// The hash is not keyed: what is indexed comes from the operator's
/// configuration, and texts from agents are only looked up.
#[derive(Debug)]
pub(crate) struct PatternIndex<T> {
    exact: Group<T>,
    /// By length in bytes, the shortest first.
    prefixes: Vec<(usize, Group<T>)>,
}

/// Values in the order of the hashes of their texts, which are not kept: whoever
/// takes a value asks its pattern anyway, and a configured instance is as large
/// as what the host has to look through after each call.
type Group<T> = Vec<(u32, T)>;

/// A text that every match of a pattern starts with, or is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Literal<'p> {
    pub(crate) text: &'p str,
    pub(crate) exact: bool,
}

impl<'p> Literal<'p> {
    /// What every text starts with.
    pub(crate) const ANYTHING: Self = Self { text: "", exact: false };

    pub(crate) fn of(pattern: &'p Pattern) -> Self {
        Self { text: pattern.prefix(), exact: pattern.is_exact() }
    }

    /// What all matches of several patterns start with.
    pub(crate) fn of_all(patterns: &'p [Pattern]) -> Self {
        let prefixes = patterns.iter().map(Pattern::prefix);
        Self { text: prefixes.reduce(common).unwrap_or(""), exact: false }
    }
}

/// What both texts start with.
pub(crate) fn common<'p>(one: &'p str, other: &'p str) -> &'p str {
    let bytes = one.bytes().zip(other.bytes()).take_while(|(one, other)| one == other).count();
    (0..=bytes).rev().find_map(|end| one.get(..end)).unwrap_or("")
}

impl<'p, T> FromIterator<(Literal<'p>, T)> for PatternIndex<T> {
    fn from_iter<I: IntoIterator<Item = (Literal<'p>, T)>>(entries: I) -> Self {
        let mut index = Self { exact: Vec::new(), prefixes: Vec::new() };
        for (literal, value) in entries {
            let group = match literal.exact {
                true => &mut index.exact,
                false => index.prefixes_of(literal.text.len()),
            };
            group.push((hash(literal.text), value));
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
        let at = match self.prefixes.binary_search_by_key(&bytes, |(other, _)| *other) {
            Ok(at) => at,
            Err(at) => {
                self.prefixes.insert(at, (bytes, Vec::new()));
                at
            }
        };
        &mut self.prefixes[at].1
    }

    /// What `regroup` makes of the values under each hash.
    pub(crate) fn grouped<U>(self, mut regroup: impl FnMut(Vec<T>) -> Vec<U>) -> PatternIndex<U> {
        let mut regroup = |group: Group<T>| {
            let mut regrouped = Vec::with_capacity(group.len());
            let mut entries = group.into_iter().peekable();
            while let Some((hash, first)) = entries.next() {
                let mut run = vec![first];
                while let Some((_, next)) = entries.next_if(|(other, _)| *other == hash) {
                    run.push(next);
                }
                regrouped.extend(regroup(run).into_iter().map(|value| (hash, value)));
            }
            regrouped.shrink_to_fit();
            regrouped
        };
        let exact = regroup(self.exact);
        let prefixes = self.prefixes.into_iter().map(|(bytes, group)| (bytes, regroup(group))).collect();
        PatternIndex { exact, prefixes }
    }

    /// Values whose pattern can match `text`; a superset of those that do.
    pub(crate) fn candidates<'a>(&'a self, text: &str, mut take: impl FnMut(&'a T)) {
        let (mut hash, mut hashed) = (Hash::NEW, 0);
        for (bytes, group) in &self.prefixes {
            let Some(more) = text.as_bytes().get(hashed..*bytes) else { break };
            hash = hash.with(more);
            hashed = *bytes;
            under(group, hash, &mut take);
        }
        if !self.exact.is_empty() {
            under(&self.exact, hash.with(&text.as_bytes()[hashed..]), &mut take);
        }
    }
}

fn under<'a, T>(group: &'a Group<T>, hash: Hash, take: &mut impl FnMut(&'a T)) {
    let start = match group.len() {
        // The usual group of a short prefix.
        1 => 0,
        _ => group.partition_point(|(other, _)| *other < hash.0),
    };
    group[start..].iter().take_while(|(other, _)| *other == hash.0).for_each(|(_, value)| take(value));
}

/// FNV-1a, which goes on where it stopped: the hash of each prefix of a text is
/// a stage of the hash of the text.
#[derive(Clone, Copy)]
struct Hash(u32);

impl Hash {
    const NEW: Self = Self(0x811c_9dc5);

    fn with(self, bytes: &[u8]) -> Self {
        Self(bytes.iter().fold(self.0, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)))
    }
}

fn hash(text: &str) -> u32 {
    Hash::NEW.with(text.as_bytes()).0
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn finds_every_pattern_that_matches(
            globs in proptest::collection::vec("(re:)?[abé/*?]{1,5}", 1..12),
            text in "[abé/]{0,6}",
        ) {
            let patterns: Vec<_> = globs.iter().filter_map(|glob| Pattern::parse(glob).ok()).collect();
            let index: PatternIndex<_> = patterns.iter().map(Literal::of).zip(0..).collect();
            let index = index.grouped(|run| vec![run]);
            let mut found = Vec::new();
            index.candidates(&text, |places| found.extend_from_slice(places));
            for (at, pattern) in patterns.iter().enumerate() {
                assert!(!pattern.matches(&text) || found.contains(&at), "{pattern:?} lost {text}");
            }
            let all: PatternIndex<_> = [(Literal::of_all(&patterns), ())].into_iter().collect();
            let mut count = 0;
            all.candidates(&text, |()| count += 1);
            assert!(count == 1 || !patterns.iter().any(|pattern| pattern.matches(&text)), "{patterns:?} lost {text}");
        }
    }
}
