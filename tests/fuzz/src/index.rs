//! What an index says, once its signatures are verified: who signs it may still
//! be careless, or lose a key.

use semver::VersionReq;
use vak_marketplace::{Catalogue, Entry, Header, Line, Location, WithdrawnList};

/// An entry that is taken offers nothing that was withdrawn, is written and read
/// as the same, and its line can be found.
///
/// # Panics
/// It is not so.
pub fn entry(bytes: &[u8]) {
    if let Ok(list) = serde_json::from_slice::<WithdrawnList>(bytes) {
        assert_eq!(list.to_withdrawals().components.len(), list.components.len());
    }
    if let Ok(header) = Header::read(bytes) {
        assert_eq!(Header::read(&serde_json::to_vec(&header).unwrap()).unwrap(), header);
    }
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(Location::Server(url)) = text.parse::<Location>()
    {
        assert!(url.scheme() == "https" || url.host_str().is_some());
        assert!(url.path().ends_with('/') && url.username().is_empty() && url.password().is_none());
    }
    let Ok(entry) = serde_json::from_slice::<Entry>(bytes) else { return };
    if entry.check().is_err() {
        return;
    }
    let written = serde_json::to_vec(&entry).unwrap();
    assert_eq!(serde_json::from_slice::<Entry>(&written).unwrap(), entry);
    assert!(entry.current().is_none_or(|release| release.withdrawn.is_none()));
    for release in &entry.releases {
        assert_eq!(release.manifest().unwrap().name, entry.name);
        let exactly: VersionReq = format!("={}", release.version).parse().unwrap();
        assert_eq!(entry.choose(&exactly).is_ok(), release.withdrawn.is_none());
    }
    let line = serde_json::to_vec(&Line::of(&entry)).unwrap();
    let found = Catalogue::new([line, b"\n".to_vec()].concat()).search(entry.name.as_str(), 0, 1);
    assert_eq!((found.count, &found.lines[0].name), (1, &entry.name));
}

/// Of any bytes, searched for any of them: no more is shown than is counted, and
/// pages do not overlap.
///
/// # Panics
/// It is not so.
pub fn catalogue(bytes: &[u8]) {
    let (query, lines) = bytes.split_at(bytes.iter().position(|byte| *byte == b'\n').unwrap_or(0));
    let catalogue = Catalogue::new(lines.to_vec());
    for query in [String::from_utf8_lossy(query).as_ref(), ""] {
        let all = catalogue.search(query, 0, usize::MAX);
        assert!(all.lines.len() <= all.count);
        let first = catalogue.search(query, 0, 2);
        assert_eq!(first.count, all.count);
        assert!(all.lines.starts_with(&first.lines[..first.lines.len().min(1)]));
        assert_eq!(catalogue.search(query, all.count, 10).lines, []);
    }
}
