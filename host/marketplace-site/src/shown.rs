//! An index as pages need it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use vak_marketplace::{Advisory, Catalogue, Entry, Index, IndexError, Line, Publishers, WithdrawnList};
use vak_types::Name;

use crate::entries::Entries;

/// Packages on the first page.
const NEWEST: usize = 8;

/// The verified index of one moment, and what follows from it.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) index: Arc<Index>,
    pub(crate) catalogue: Catalogue,
    pub(crate) publishers: Publishers,
    pub(crate) withdrawn: WithdrawnList,
    /// All packages, by name.
    pub(crate) packages: Vec<Line>,
    /// Whose they are: places in `packages`.
    pub(crate) owned: BTreeMap<Name, Vec<usize>>,
    /// Those with the newest versions, newest first, and since when.
    pub(crate) newest: Vec<(Timestamp, Line)>,
    /// Newest first, each with the package that it is about.
    pub(crate) advisories: Vec<(Name, Advisory)>,
    /// What was read of the packages.
    pub(crate) entries: Entries,
}

impl Shown {
    /// Reads a whole index, a part at a time.
    pub(crate) async fn of(index: Index) -> Result<Self, IndexError> {
        let (publishers, withdrawn, catalogue) =
            (index.publishers().await?, index.withdrawn().await?, index.catalogue().await?);
        let (mut packages, mut advisories, mut newest) = (Vec::new(), Vec::new(), Vec::new());
        let each = |entry: Entry| {
            let line = Line::of(&entry);
            let current = entry.current().map(|release| release.published);
            newest.extend(current.map(|since| (since, line.clone())));
            if newest.len() > 1_024 {
                keep_newest(&mut newest);
            }
            packages.push(line);
            advisories.extend(entry.advisories.into_iter().map(|advisory| (entry.name.clone(), advisory)));
        };
        index.visit(each).await?;
        keep_newest(&mut newest);
        packages.sort_unstable_by(|one: &Line, other| one.name.cmp(&other.name));
        advisories.sort_by_key(|(_, advisory): &(Name, Advisory)| std::cmp::Reverse(advisory.published));
        let mut owned = BTreeMap::<_, Vec<_>>::new();
        for (place, line) in packages.iter().enumerate() {
            owned.entry(line.publisher.clone()).or_default().push(place);
        }
        let index = Arc::new(index);
        let entries = Entries::of(Arc::clone(&index));
        Ok(Self { index, catalogue, publishers, withdrawn, packages, owned, newest, advisories, entries })
    }

    /// Where images are, as their names begin. A folder is nobody's business.
    pub(crate) fn registry(&self) -> Option<&str> {
        let address = self.index.header().registry.split_once("://");
        address.map(|(_, place)| place.trim_end_matches('/'))
    }
}

fn keep_newest(newest: &mut Vec<(Timestamp, Line)>) {
    newest.sort_by(|(one, a), (other, b)| other.cmp(one).then_with(|| a.name.cmp(&b.name)));
    newest.truncate(NEWEST);
}
