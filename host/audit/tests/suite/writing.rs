//! What is written is there.

use futures_executor::block_on;
use vak_audit::{
    Bundle, Checkpoint, Draft, EncodeError, EntryKind, KindSet, Log, MemoryStore, OpenError, Options,
    PAYLOAD_BYTES_MAX, Payloads, Receipt, Source, StorageError, Store, Tier, leaf_hash, verify_chain,
};
use vak_types::{AttributeValue, Decision, Digest, Json, Verdict};

use crate::common::{
    ARGUMENTS, Storage, action, append, arguments_of, check_source, draft_with, erasure, fill, key, origin, signer,
};

pub(crate) fn what_is_appended_is_read_back_and_verifies(place: &dyn Storage) {
    let mut trusted: Option<Checkpoint> = None;
    // Across the edges of tiles, of segments and of openings.
    for (entries, batch) in [(0, 1), (1, 1), (254, 7), (1, 1), (1, 1), (300, 50), (17, 1)] {
        let checkpoint = place.extend(entries, batch);
        let before = trusted.as_ref().map_or(0, Checkpoint::size);
        assert_eq!(checkpoint.size(), before + entries);
        let report = place.check(trusted.as_ref()).unwrap();
        assert_eq!((report.checkpoint.note(), report.read), (checkpoint.note(), checkpoint.size()));
        trusted = Some(checkpoint);
    }
    assert_eq!(place.entries().len(), 574);
    assert_eq!(verify_chain(&*place.source(), &origin(), |_, _| ()), Ok(574));
}

/// Entries, signatures of single entries, subtrees and checkpoints have the same
/// bytes as in memory.
pub(crate) fn the_same_log_is_the_same_everywhere(place: &dyn Storage) {
    let memory = MemoryStore::new();
    for store in [place.store(), Box::new(memory.clone())] {
        fill(open_signing(store), 600, 9);
    }
    assert_same(&*place.source(), &memory);
    assert_eq!(place.entries().len(), 600);
}

/// Decisions are signed, so that there are signatures of single entries.
fn open_signing(store: Box<dyn Store>) -> Log {
    let options = Options { signed: KindSet::from_iter([EntryKind::Decision]), ..Options::default() };
    Log::open(store, origin(), signer(), &options).unwrap()
}

/// Checks that two logs are sound and the same, byte for byte.
pub(crate) fn assert_same(left: &dyn Source, right: &dyn Source) {
    let size = check_source(left, &key(), None).unwrap().checkpoint.size();
    assert_eq!(left.head().unwrap(), right.head().unwrap());
    let (mut one, mut other) = (Bundle::default(), Bundle::default());
    for seq in 0..size {
        left.entries(seq, 1, &mut one).unwrap();
        right.entries(seq, 1, &mut other).unwrap();
        assert!(one.len() == 1 && one.signed().eq(other.signed()), "entry {seq}");
    }
    for level in 1..=7 {
        let (nodes, count) = (left.nodes(level, 0, u64::MAX).unwrap(), size >> (8 * u32::from(level)));
        assert_eq!((nodes.len() as u64, &nodes), (count, &right.nodes(level, 0, u64::MAX).unwrap()));
    }
    assert_eq!(left.payloads().unwrap(), right.payloads().unwrap());
}

pub(crate) fn a_receipt_names_the_leaf(place: &dyn Storage) {
    let log = place.open();
    let Receipt::Durable { seq, leaf, checkpoint, .. } = append(&log, "a-0") else { panic!("not durable") };
    assert_eq!(&log.close().unwrap().note()[..], &checkpoint[..]);
    assert_eq!((seq, leaf), (0, leaf_hash(&place.entries()[0])));
}

/// Of storage that somebody else can get at.
pub(crate) fn a_log_has_one_writer(place: &dyn Storage) {
    let first = place.open();
    let Err(OpenError::Storage(StorageError::Locked { .. })) = place.try_open() else { panic!("opened twice") };
    drop(first);
    place.open();
}

/// The longest arguments that an agent can send don't stop a log, and what is
/// longer never gets to it.
pub(crate) fn the_longest_payloads_have_a_place(place: &dyn Storage) {
    let deny = Verdict {
        decision: Decision::Deny,
        reasons: Vec::new(),
        obligations: Vec::new(),
        retry_after_ms: None,
        past: None,
        approval: None,
        unsigned: false,
    };
    let log = place.open();
    let mut action = action("a-0");
    action.arguments = Json::parse(&format!("\"{}\"", "x".repeat(Json::BYTES_MAX - 2))).unwrap();
    block_on(log.append(Draft::decision(&action, &deny, Payloads::Inline).unwrap(), Tier::Durable)).unwrap();
    action.attributes.insert("text".to_owned(), AttributeValue::Text("x".repeat(PAYLOAD_BYTES_MAX - 100)));
    block_on(log.append(Draft::decision(&action, &deny, Payloads::Inline).unwrap(), Tier::Durable)).unwrap();
    log.close().unwrap();
    assert_eq!(place.check(None).unwrap().payloads, 3);
    action.attributes.insert("more".to_owned(), AttributeValue::Text("x".repeat(100)));
    let error = Draft::decision(&action, &deny, Payloads::Inline).unwrap_err();
    assert!(matches!(error, EncodeError::PayloadTooLarge { .. }), "{error}");
}

pub(crate) fn an_erased_payload_is_gone(place: &dyn Storage) {
    let commitment = write_erasable(place);
    let kept = place.source().payloads().unwrap();
    let payload = place.source().payload(&commitment).unwrap().unwrap();
    assert_eq!((payload.commitment().digest, &payload.bytes[..]), (commitment, ARGUMENTS.as_bytes()));
    erase(place, commitment);
    let source = place.source();
    assert_eq!((source.payload(&commitment).unwrap(), source.payloads().unwrap()), (None, kept - 1));
    let report = place.check(None).unwrap();
    assert_eq!((report.erased, report.payloads), (1, kept - 1));
}

/// Writes a decision with payloads beside the log; gives the commitment to the
/// arguments.
pub(crate) fn write_erasable(place: &dyn Storage) -> Digest {
    let log = place.open();
    block_on(log.append(draft_with("a-0", "x", Payloads::Erasable), Tier::Durable)).unwrap();
    let commitment = arguments_of(&log, 0);
    log.close().unwrap();
    commitment.digest
}

/// Erases a payload, in an opening of its own.
pub(crate) fn erase(place: &dyn Storage, commitment: Digest) {
    let log = place.open();
    block_on(log.append(erasure(commitment), Tier::Durable)).unwrap();
    log.close().unwrap();
}
