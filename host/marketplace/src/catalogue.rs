//! What can be searched: a line about each package.

use std::cmp::Ordering;
use std::ops::Range;

use memchr::memmem;
use semver::Version;
use serde::{Deserialize, Serialize};
use vak_types::{Kind, Name};

use crate::entry::Entry;

/// Most words of a query; what comes after them is not looked for.
const WORDS_MAX: usize = 8;

/// A package in a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// What it is called.
    pub name: Name,
    /// Its newest version that may be used; none if all are withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// What it is.
    pub kind: Kind,
    /// Who publishes it.
    pub publisher: Name,
    /// What it does.
    pub description: String,
}

impl Line {
    /// That about `entry`.
    pub fn of(entry: &Entry) -> Self {
        let release = entry.current();
        let newest = release.or(entry.releases.last()).and_then(|release| release.manifest().ok());
        Self {
            name: entry.name.clone(),
            version: release.map(|release| release.version.clone()),
            kind: entry.kind,
            publisher: entry.publisher.clone(),
            description: newest.map(|manifest| manifest.description).unwrap_or_default(),
        }
    }
}

/// Lines in JSON, to search in. Nothing is parsed but what is found.
#[derive(Debug)]
pub struct Catalogue {
    lines: Vec<u8>,
    /// The same bytes in lower case, so what stands where is the same.
    folded: Vec<u8>,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The best of it, best first.
    pub lines: Vec<Line>,
    /// How many there are.
    pub count: usize,
}

/// How well a line fits, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    /// The name is what was asked for.
    Name,
    /// The name begins so.
    Beginning,
    /// The name has it.
    InName,
    /// Something else has it.
    Elsewhere,
}

impl Catalogue {
    /// Makes lines searchable: JSON of one [`Line`] each, each ended by `\n`.
    pub fn new(lines: Vec<u8>) -> Self {
        let folded = lines.to_ascii_lowercase();
        Self { lines, folded }
    }

    /// How many packages there are.
    pub fn len(&self) -> usize {
        memchr::memchr_iter(b'\n', &self.lines).count()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// All names.
    pub(crate) fn names(&self) -> impl Iterator<Item = Name> {
        #[derive(Deserialize)]
        struct Named {
            name: Name,
        }
        let lines = self.lines.split(|byte| *byte == b'\n');
        lines.filter_map(|line| serde_json::from_slice(line).ok()).map(|Named { name }| name)
    }

    /// The packages that have all words of `query` in their name, kind,
    /// publisher or description, case aside: at most `count_max` from `skip` on.
    /// Those whose name fits come first. An empty query finds all.
    pub fn search(&self, query: &str, skip: usize, count_max: usize) -> Found {
        let query = query.to_ascii_lowercase();
        let words: Vec<_> = query.split_whitespace().take(WORDS_MAX).map(Word::of).collect();
        let mut found = match words.iter().max_by_key(|word| word.text.len()) {
            Some(rarest) => self.with(rarest, &words),
            None => self.all(),
        };
        let count = found.len();
        // Nobody looks at more than a page, so no more than that is put in order.
        let end = skip.saturating_add(count_max);
        if end < count {
            found.select_nth_unstable_by(end, |one, other| self.order(one, other));
            found.truncate(end);
        }
        found.sort_unstable_by(|one, other| self.order(one, other));
        let lines = found.iter().skip(skip).filter_map(|hit| self.line(&hit.line)).collect();
        Found { lines, count }
    }

    /// What fits better, then short names, then the alphabet.
    fn order(&self, one: &Hit, other: &Hit) -> Ordering {
        let key = |hit: &Hit| (hit.fit, hit.name.len());
        key(one).cmp(&key(other)).then_with(|| self.folded[one.name.clone()].cmp(&self.folded[other.name.clone()]))
    }

    /// Lines that have `rarest`, and the other words too.
    fn with(&self, rarest: &Word, words: &[Word]) -> Vec<Hit> {
        let others: Vec<_> = words.iter().filter(|word| word.text != rarest.text).collect();
        let (mut found, mut from) = (Vec::new(), 0);
        while let Some(at) = self.folded.get(from..).and_then(|rest| rarest.finder.find(rest)) {
            let line = self.around(from + at);
            from = line.end + 1;
            let text = &self.folded[line.clone()];
            if others.iter().all(|word| word.finder.find(text).is_some()) {
                found.extend(self.hit(line, words));
            }
        }
        found
    }

    fn all(&self) -> Vec<Hit> {
        let mut from = 0;
        let ends = memchr::memchr_iter(b'\n', &self.folded);
        ends.filter_map(|end| self.hit(std::mem::replace(&mut from, end + 1)..end, &[])).collect()
    }

    /// The line in which `at` is, without its end.
    fn around(&self, at: usize) -> Range<usize> {
        let start = memchr::memrchr(b'\n', &self.folded[..at]).map_or(0, |end| end + 1);
        let end = memchr::memchr(b'\n', &self.folded[at..]).map_or(self.folded.len(), |end| at + end);
        start..end
    }

    /// How well a line with all words fits. What has them in JSON's own words
    /// alone, such as `kind`, does not.
    fn hit(&self, line: Range<usize>, words: &[Word]) -> Option<Hit> {
        let text = &self.folded[line.clone()];
        let name = text.strip_prefix(NAME.as_bytes())?;
        let name = &name[..memchr::memchr(b'"', name).unwrap_or_default()];
        let fit = match words {
            [word] if name == word.text.as_bytes() => Fit::Name,
            [word] if name.starts_with(word.text.as_bytes()) => Fit::Beginning,
            [] => Fit::Elsewhere,
            words if words.iter().all(|word| word.finder.find(name).is_some()) => Fit::InName,
            words => {
                let doubtful = words.iter().filter(|word| !word.is_telling);
                let said = |word: &Word| values(text).any(|value| word.finder.find(value).is_some());
                doubtful.into_iter().all(said).then_some(Fit::Elsewhere)?
            }
        };
        let start = line.start + NAME.len();
        Some(Hit { fit, name: start..start + name.len(), line })
    }

    fn line(&self, line: &Range<usize>) -> Option<Line> {
        serde_json::from_slice(&self.lines[line.clone()]).ok()
    }
}

/// A line that was found.
struct Hit {
    fit: Fit,
    /// Where its name stands.
    name: Range<usize>,
    line: Range<usize>,
}

/// A word of a query, in lower case.
struct Word<'a> {
    text: &'a str,
    finder: memmem::Finder<'a>,
    /// Whether it can stand in values alone.
    is_telling: bool,
}

impl<'a> Word<'a> {
    fn of(text: &'a str) -> Self {
        let finder = memmem::Finder::new(text);
        // Its ends could be values' too.
        let is_telling =
            !KEYS.iter().any(|key| finder.find(key.as_bytes()).is_some()) && !text.contains(['"', '{', '}', ',', ':']);
        Self { text, finder, is_telling }
    }
}

const NAME: &str = r#"{"name":""#;

/// What stands before each value, in the order of a line. No value has it: its
/// quotes would have a backslash before them.
const KEYS: [&str; 5] = [NAME, r#"","version":""#, r#"","kind":""#, r#"","publisher":""#, r#"","description":""#];

/// The values in a line.
fn values(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let places = KEYS.iter().filter_map(|key| memmem::find(line, key.as_bytes()).map(|at| (at, at + key.len())));
    let mut places = places.peekable();
    std::iter::from_fn(move || {
        let (_, start) = places.next()?;
        let end = places.peek().map_or(line.len().saturating_sub(2), |(at, _)| *at);
        Some(line.get(start..end).unwrap_or_default())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalogue(lines: &[(&str, &str)]) -> Catalogue {
        let line = |(name, description): &(&str, &str)| Line {
            name: name.parse().unwrap(),
            version: Some(Version::new(1, 0, 0)),
            kind: Kind::Skill,
            publisher: "acme".parse().unwrap(),
            description: (*description).to_owned(),
        };
        let lines = lines.iter().flat_map(|it| serde_json::to_vec(&line(it)).unwrap().into_iter().chain([b'\n']));
        Catalogue::new(lines.collect())
    }

    fn found(catalogue: &Catalogue, query: &str) -> Vec<String> {
        catalogue.search(query, 0, 10).lines.into_iter().map(|line| line.name.to_string()).collect()
    }

    #[test]
    fn finds_by_all_words_and_puts_names_first() {
        let catalogue = catalogue(&[
            ("web-hash", "Digests of pages."),
            ("hashes", "Many of them."),
            ("sums", "HASH functions: SHA-2, BLAKE3."),
            ("Hash", "One \"quoted\" thing\nand a line."),
            ("other", "A description of a kind."),
        ]);
        assert_eq!(catalogue.len(), 5);
        assert_eq!(found(&catalogue, "hash"), ["Hash", "hashes", "web-hash", "sums"]);
        assert_eq!(found(&catalogue, "blake3 hash"), ["sums"]);
        assert_eq!(found(&catalogue, "  "), ["Hash", "sums", "other", "hashes", "web-hash"]);
        assert_eq!(found(&catalogue, "hash acme skill").len(), 4);
        assert_eq!(found(&catalogue, "nothing"), [""; 0]);
        // Words of JSON's own are found where somebody wrote them alone.
        assert_eq!(found(&catalogue, "kind"), ["other"]);
        assert_eq!(found(&catalogue, "description"), ["other"]);
        assert_eq!(found(&catalogue, "name"), [""; 0]);
        assert_eq!(found(&catalogue, "\",\""), [""; 0]);
    }

    #[test]
    fn pages_are_parts_of_one_order() {
        let names: Vec<_> = (0..25).map(|number| format!("skill-{number}")).collect();
        let catalogue = catalogue(&names.iter().map(|name| (name.as_str(), "d")).collect::<Vec<_>>());
        let all = catalogue.search("skill", 0, 100).lines;
        let paged: Vec<_> = (0..3).flat_map(|page| catalogue.search("skill", page * 10, 10).lines).collect();
        assert_eq!((all.len(), catalogue.search("skill", 20, 10).count), (25, 25));
        assert_eq!(all, paged);
    }
}
