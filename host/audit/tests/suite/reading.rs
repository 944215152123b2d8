//! Readers get all of what they ask for, and nothing else.

use vak_audit::{Bundle, Expected, verify_all};
use vak_types::Digest;

use crate::common::{Storage, key};

pub(crate) fn a_reader_gets_what_it_asks_for(place: &dyn Storage) {
    place.extend(600, 100);
    let (entries, source) = (place.entries(), place.source());
    let mut bundle = Bundle::default();
    // To and fro, over the edges of segments, and past the end.
    for (from, count) in
        [(0, 1), (255, 300), (3, 2), (599, 1), (0, 600), (598, u64::MAX), (600, 1), (u64::MAX, 1), (7, 0), (8, 1)]
    {
        source.entries(from, count, &mut bundle).unwrap();
        let wanted = entries.iter().skip(usize::try_from(from).unwrap()).take(usize::try_from(count).unwrap());
        assert!(bundle.first() == from && bundle.iter().eq(wanted), "{count} from {from}");
    }
    let nodes = source.nodes(1, 0, 2).unwrap();
    assert!(nodes.len() == 2 && nodes[0] != nodes[1]);
    for (from, count, wanted) in [(0, 1, &nodes[..1]), (1, 1, &nodes[1..]), (0, u64::MAX, &nodes), (2, 1, &[])] {
        assert_eq!(source.nodes(1, from, count).unwrap(), wanted, "{count} from {from}");
    }
    assert_eq!(source.nodes(2, 0, 1).unwrap(), []);
    assert_eq!(source.payload(&Digest::of(b"never written")).unwrap(), None);
}

pub(crate) fn a_part_of_a_log_verifies_and_only_that_is_read(place: &dyn Storage) {
    let old = place.extend(500, 100);
    let checkpoint = place.extend(2_100, 300);
    let key = key();
    for range in [0..1, 300..700, 700..701, 2_500..2_600, 2_599..9_000, 0..2_600] {
        let expected = Expected { trusted: Some(&**old.note()), range: Some(range.clone()), ..Expected::of(&key) };
        let report = verify_all(&*place.source(), &expected, |_, _| ()).unwrap();
        assert_eq!(report.checkpoint, checkpoint);
        // The range, widened to groups of 256, and the last group.
        let wanted = range.end.min(2_600) - range.start;
        assert!((wanted..=wanted + 3 * 256).contains(&report.read), "{range:?}: {}", report.read);
    }
}
