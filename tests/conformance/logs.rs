//! Logs with everything in them that a log can have.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use futures_executor::block_on;
use tempfile::TempDir;
use vak_audit::{
    About, Acceptance, Answer, Body, Commitment, Configuration, Contents, Described, Draft, Dropped, EntryKind,
    FileStore, Given, Log, MemoryStore, Options, Origin, Outcome, Payloads, Shadow, Signer, SqliteStore, Status, Store,
    Tier, What, export_tiles, leaf_hash,
};
use vak_types::{
    Action, ActionRequest, AttributeValue, ComponentRef, Decision, Digest, Effect, FailureKind, Json, KeyId,
    Obligation, PastMark, Reason, Source, Timestamp, Verdict, Wanted,
};

/// What a log in a web server's folder can have, or all there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Contains {
    /// Nothing that is kept beside the entries.
    EntriesAlone,
    Everything,
}

/// Entries with these numbers change the key: in the first tile and after it.
const ROTATIONS: [u64; 2] = [9, 259];

/// Short, so that a few hundred entries fill several.
const SEGMENT_BYTES: u64 = 24 << 10;

pub(crate) fn origin() -> Origin {
    "example.org/audit".parse().unwrap()
}

/// The log's keys: 1 is the first.
pub(crate) fn signer(number: u8) -> Signer {
    Signer::new(origin(), &[number; 32])
}

/// The number of the key that signs a log of this size.
pub(crate) fn last_key(size: u64) -> u8 {
    ROTATIONS.iter().fold(1, |key, at| key + u8::from(*at < size))
}

/// A log of `size` entries in one file.
pub(crate) fn in_sqlite(size: u64, contains: Contains) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(sqlite(&folder.path().join("log")), 0..size, contains);
    folder
}

pub(crate) fn sqlite(log: &Path) -> Box<SqliteStore> {
    Box::new(SqliteStore::open(log).unwrap())
}

/// A log of `size` entries in segments.
pub(crate) fn in_segments(size: u64, contains: Contains) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(segments(&folder.path().join("log")), 0..size, contains);
    folder
}

pub(crate) fn segments(log: &Path) -> Box<FileStore> {
    Box::new(FileStore::with_segments(log, SEGMENT_BYTES).unwrap())
}

/// A log of `size` entries in memory.
pub(crate) fn in_memory(size: u64, contains: Contains) -> MemoryStore {
    let store = MemoryStore::new();
    write(Box::new(store.clone()), 0..size, contains);
    store
}

/// A log of `size` entries in memory, exported to tiles.
pub(crate) fn in_tiles(size: u64, contains: Contains) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    export_tiles(&in_memory(size, contains), &folder.path().join("log"), |_, _| ()).unwrap();
    folder
}

/// Writes entries of all kinds in several commits, and closes the log. What is
/// written depends on the numbers alone, but for the salts of payloads.
pub(crate) fn write(store: Box<dyn Store>, seqs: Range<u64>, contains: Contains) {
    let kinds = [EntryKind::Outcome, EntryKind::KeyRotation, EntryKind::Drop];
    let signed = match contains {
        Contains::Everything => kinds.into_iter().collect(),
        Contains::EntriesAlone => Default::default(),
    };
    let signer_now = signer(last_key(seqs.start));
    let log = Log::open(store, origin(), signer_now, &Options { signed, ..Options::default() }).unwrap();
    for seq in seqs {
        if ROTATIONS.contains(&seq) {
            block_on(log.rotate_key(signer(last_key(seq + 1)), time(seq))).unwrap();
            continue;
        }
        let tier = if seq % 41 == 40 { Tier::Durable } else { Tier::Accepted };
        block_on(log.append(draft(&log, seq, contains), tier)).unwrap();
    }
    log.close().unwrap();
}

fn time(seq: u64) -> Timestamp {
    Timestamp::from_nanos(1_700_000_000_000_000_000 + seq)
}

fn draft(log: &Log, seq: u64, contains: Contains) -> Draft {
    let beside = match contains {
        Contains::Everything => Payloads::Erasable,
        Contains::EntriesAlone => Payloads::Inline,
    };
    let decided = |decision, payloads| Draft::decision(&action(seq, contains), &verdict(decision), payloads).unwrap();
    let ended = |status, result| {
        let outcome = Outcome { decision: seq - 1, status, result, detail: "as told".to_owned(), duration_ns: seq };
        Draft::outcome(&About::of(&action(seq - 1, contains)), time(seq), &outcome).unwrap()
    };
    match seq % 10 {
        0 => decided(Decision::Allow, Payloads::Inline),
        1 => ended(Status::Succeeded, Some(Contents::of(b"what came back"))),
        2 => decided(Decision::Backtrack, beside),
        3 => decided(Decision::Escalate, Payloads::Inline),
        4 if seq % 30 == 4 => dropped(seq, What::Calls { count: seq }),
        4 if seq % 30 == 14 => answer(log, seq, contains, beside),
        4 => dropped(seq, What::Shadows { count: seq }),
        5 if seq % 30 == 15 && !is_rejected(seq - 1) => again(seq, contains, beside),
        5 => decided(Decision::Deny, beside),
        6 => ended(Status::Unknown, None),
        7 if seq % 20 == 17 => Draft::acceptance(time(seq), acceptance(seq)).unwrap(),
        7 => Draft::configuration(time(seq), configuration()).unwrap(),
        8 => match commitments(log, seq - 3).first() {
            Some(Commitment { digest, .. }) if seq % 20 == 8 => dropped(seq, What::Payload { commitment: *digest }),
            _ => dropped(seq, What::Tail { bytes: seq }),
        },
        _ if seq % 20 == 9 => decided(Decision::Deny, beside),
        _ => shadow(seq, contains),
    }
}

fn acceptance(seq: u64) -> Acceptance {
    Acceptance {
        upstream: "files".parse().unwrap(),
        what: if seq % 40 == 17 { Described::Tool } else { Described::Prompt },
        name: format!("größer {seq}"),
        before: (seq % 60 == 17).then(|| Digest::of(b"before")),
        accepted: Digest::of(b"accepted"),
    }
}

fn is_rejected(answer: u64) -> bool {
    answer % 90 == 74
}

/// What a person said to the action that the entry before escalated.
fn answer(log: &Log, seq: u64, contains: Contains, payloads: Payloads) -> Draft {
    let escalated = block_on(log.subscribe(seq - 1).next()).unwrap().unwrap().entry;
    let answer = match is_rejected(seq) {
        true => Answer::Rejected,
        false => Answer::Approved { until: time(seq + 5) },
    };
    let leaf = leaf_hash(&escalated.encode().unwrap());
    let given = Given { decision: seq - 1, leaf: &leaf, answer, by: &"grace hopper".parse().unwrap() };
    Draft::approval(&action(seq - 1, contains), time(seq), &given, "as long as it's größer", payloads).unwrap()
}

/// The action two entries before is decided again, upon the answer between.
fn again(seq: u64, contains: Contains, payloads: Payloads) -> Draft {
    let action = Action { time: time(seq), ..action(seq - 2, contains) };
    let decision = if seq % 60 == 15 { Decision::Allow } else { Decision::Deny };
    let verdict = Verdict { approval: Some(seq - 1), ..verdict(decision) };
    Draft::decision(&action, &verdict, payloads).unwrap()
}

/// What a policy in shadow said of the action four entries before.
fn shadow(seq: u64, contains: Contains) -> Draft {
    let Verdict { mut reasons, obligations, .. } = verdict(Decision::Allow);
    let shadow = Shadow { decision: seq - 4, reason: reasons.swap_remove(0), obligations };
    Draft::shadow(&action(seq - 4, contains), time(seq), &shadow).unwrap()
}

fn dropped(seq: u64, what: What) -> Draft {
    Draft::dropped(time(seq), Dropped { what, reason: "the owner asked for it".to_owned() }).unwrap()
}

/// The payloads of an entry that was appended.
fn commitments(log: &Log, seq: u64) -> Vec<Commitment> {
    let entry = block_on(log.subscribe(seq).next()).unwrap().unwrap().entry;
    let Body::Decision(_, decision) = entry.body else { return Vec::new() };
    let parts = [decision.arguments.commitment(), decision.attributes.commitment(), decision.labels.commitment()];
    parts.into_iter().flatten().copied().collect()
}

fn action(seq: u64, contains: Contains) -> Action {
    // One in fifty is too long for its entry.
    let filler = if seq % 50 == 19 && contains == Contains::Everything { 20_000 } else { 20 };
    let roles = vec!["dev".to_owned(), "größe".to_owned()];
    let attributes = [
        ("mfa", AttributeValue::Boolean(true)),
        ("balance", AttributeValue::Integer(-5)),
        ("team", AttributeValue::Text("\u{202e}hidden, which an attribute may be".to_owned())),
        ("role", AttributeValue::Texts(roles)),
    ];
    let request = ActionRequest {
        session: format!("s{}", seq / 10).parse().unwrap(),
        agent: "ada".parse().unwrap(),
        operation: "files/read_file".parse().unwrap(),
        resource: "mcp:files/read_file?path=/tmp/größe".parse().unwrap(),
        arguments: Json::parse(&format!("{{\"path\":\"{}\"}}", "x".repeat(filler))).unwrap(),
        attributes: BTreeMap::from(attributes.map(|(key, value)| (key.to_owned(), value))),
        labels: vec!["untrusted-input".parse().unwrap(), "web".parse().unwrap()],
    };
    request.at(format!("a-{seq}").parse().unwrap(), time(seq))
}

fn verdict(decision: Decision) -> Verdict {
    let reason = |source, effect, failure| Reason {
        source,
        effect,
        rule: Some("tmp".to_owned()),
        failure,
        message: "files under /tmp\nmay be read".to_owned(),
    };
    let component = |config, signer| Source::Component(Arc::new(component(config, signer)));
    let reasons = vec![
        reason(component(true, true), Effect::Permit, None),
        reason(component(false, true), Effect::Abstain, None),
        reason(component(false, false), Effect::Forbid, Some(FailureKind::Unjudged)),
        reason(Source::Limit("calls".parse().unwrap()), Effect::Backtrack, Some(FailureKind::TimeOut)),
        Reason::host(Effect::Escalate, ""),
    ];
    let retry_after_ms = (decision == Decision::Backtrack).then_some(1_500);
    let obligations = match decision {
        Decision::Allow => [
            Wanted::Redact { argument: "/token".to_owned(), replacement: "•••".to_owned() },
            Wanted::Cap { argument: "/n/0".to_owned(), at_most: -5 },
            Wanted::Header { name: "x-agent".to_owned(), value: "ada & co".to_owned() },
        ]
        .map(|wanted| Obligation::new(wanted).unwrap())
        .into(),
        _ => Vec::new(),
    };
    let past = PastMark { steps: 3, since: Timestamp::from_nanos(1_600_000_000_000_000_000) };
    let past = (decision == Decision::Allow).then_some(past);
    let unsigned = decision == Decision::Escalate;
    Verdict { decision, reasons, obligations, retry_after_ms, past, approval: None, unsigned }
}

fn component(config: bool, signer: bool) -> ComponentRef {
    ComponentRef {
        name: "files".parse().unwrap(),
        digest: Digest::of(b"component"),
        config: config.then(|| Digest::of(b"configuration")),
        signer: signer.then(|| KeyId::from_digest(Digest::of(b"signer"))),
    }
}

fn configuration() -> Configuration {
    let components = vec![Arc::new(component(true, true)), Arc::new(component(false, false))];
    Configuration { digest: Digest::of(b"configuration"), software: "vak 0.1.0".to_owned(), components }
}

/// Copies a log to somewhere it can be altered.
pub(crate) fn copy(from: &Path, to: &Path) {
    if from.is_file() {
        let wal = from.with_file_name(format!("{}-wal", from.file_name().unwrap().display()));
        assert!(!wal.exists(), "a closed log is one file");
        std::fs::copy(from, to).unwrap();
        return;
    }
    std::fs::create_dir(to).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        copy(&file.path(), &to.join(file.file_name()));
    }
}
