//! A log with every kind of entry in it.

use futures_executor::block_on;
use vak_audit::{
    Checkpoint, Commitment, Configuration, Draft, Entry, EntryKind, KindSet, Log, LogReader, OpenError, Options,
    Payloads, Receipt, Signer, Tier, export_tiles, open_source, verify_chain,
};
use vak_types::{Digest, Timestamp};

use crate::common::{Storage, append, arguments_of, check_source, draft_with, erasure, key, origin, outcome, signer};

/// Entries in it.
pub(crate) const ENTRIES: u64 = 307;

const TIME: Timestamp = Timestamp::from_nanos(1_700_000_002_000_000_000);

/// Whose checkpoints are the newest.
pub(crate) fn next_signer() -> Signer {
    Signer::new("example.org/audit-2".parse().unwrap(), &[8; 32])
}

/// What is known of the log that [`write()`] wrote.
pub(crate) struct Written {
    /// The payload that was erased: the arguments of entry 9.
    pub(crate) erased: Commitment,
    /// The checkpoint of the first entry.
    pub(crate) kept: Checkpoint,
}

/// Entries 1 to 11 are decisions with payloads beside the log; after 300 of
/// them there are outcomes, a rotation, a configuration and what was dropped.
pub(crate) fn write(place: &dyn Storage) -> Written {
    let signed =
        [EntryKind::KeyRotation, EntryKind::Outcome, EntryKind::Configuration].into_iter().collect::<KindSet>();
    let log = Log::open(place.store(), origin(), signer(), &Options { signed, ..Options::default() }).unwrap();
    let Receipt::Durable { checkpoint, .. } = append(&log, "a-0") else { panic!("not durable") };
    for index in 1..=300 {
        let payloads = if index <= 11 { Payloads::Erasable } else { Payloads::Inline };
        block_on(log.append(draft_with(&format!("a-{index}"), "x", payloads), Tier::Accepted)).unwrap();
    }
    block_on(log.append(outcome("a-7", 7), Tier::Durable)).unwrap();
    block_on(log.rotate_key(next_signer(), TIME)).unwrap();
    block_on(log.append(outcome("a-8", 8), Tier::Durable)).unwrap();
    let configuration =
        Configuration { digest: Digest::of(b"vak.toml"), software: "vak".to_owned(), components: Vec::new() };
    block_on(log.append(Draft::configuration(TIME, configuration).unwrap(), Tier::Durable)).unwrap();
    let erased = arguments_of(&log, 9);
    block_on(log.append(erasure(erased.digest), Tier::Durable)).unwrap();
    append(&log, "a-last");
    log.close().unwrap();
    Written { erased, kept: Checkpoint::open(&checkpoint, &origin(), &key()).unwrap() }
}

pub(crate) fn a_log_with_everything_in_it_verifies_by_either_key(place: &dyn Storage) {
    let Written { erased, kept } = write(place);
    let next = next_signer();
    for key in [&key(), next.verifier()] {
        let report = check_source(&*place.source(), key, None).unwrap();
        assert_eq!((report.decisions, report.outcomes, report.signed), (302, 2, 4));
        assert_eq!((report.payloads, report.erased), (10, 1));
        assert_eq!((&report.key, report.checkpoint.size()), (next.verifier(), ENTRIES));
    }
    check_source(&*place.source(), &key(), Some(&kept)).unwrap();
    assert_eq!(place.source().payload(&erased.digest).unwrap(), None);
    let stranger = Signer::new(origin(), &[9; 32]);
    assert!(check_source(&*place.source(), stranger.verifier(), None).is_err());
    // The key that was rotated away does not open it for writing any more.
    assert!(matches!(place.try_open(), Err(OpenError::Unsound { .. })));
    Log::open(place.store(), origin(), next, &Options::default()).unwrap().close().unwrap();
}

/// Tiles have the entries and neither payloads nor signatures.
pub(crate) fn its_tiles_have_and_prove_the_same_entries(place: &dyn Storage) {
    write(place);
    let folder = tempfile::tempdir().unwrap();
    let tiles = folder.path().join("tiles");
    export_tiles(&*place.source(), &tiles, |_, _| ()).unwrap();
    assert_eq!(verify_chain(&*open_source(&tiles).unwrap(), &origin(), |_, _| ()), Ok(ENTRIES));
    let (reader, entries, next) = (LogReader::open(&tiles).unwrap(), place.entries(), next_signer());
    for seq in [0, 255, 256, ENTRIES - 1] {
        let proof = reader.prove(seq, &origin(), next.verifier()).unwrap();
        let (entry, _) = proof.verify(&origin(), next.verifier(), None).unwrap();
        assert_eq!(entry, Entry::decode(&entries[usize::try_from(seq).unwrap()]).unwrap());
    }
}
