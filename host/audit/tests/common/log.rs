//! A log to try things on, in any kind of storage. Tests of other crates whose
//! storage keeps logs include this file, and the suite, by their paths.

use futures_executor::block_on;
use vak_audit::{
    About, Body, Bundle, Checkpoint, Commitment, Draft, Dropped, Entry, Expected, Log, OpenError, Options, Origin,
    Outcome, Payloads, Receipt, Report, Signer, Source, Status, Store, Tier, VerifierKey, VerifyError, What,
    verify_all,
};
use vak_types::{Action, ActionRequest, Decision, Digest, Effect, Json, Reason, Timestamp, Verdict};

pub(crate) const ORIGIN: &str = "example.org/audit";
pub(crate) const SEED: [u8; 32] = [7; 32];

/// Those of [`action`].
pub(crate) const ARGUMENTS: &str = r#"{"path":"/tmp/a"}"#;

pub(crate) fn origin() -> Origin {
    ORIGIN.parse().unwrap()
}

pub(crate) fn signer() -> Signer {
    Signer::new(origin(), &SEED)
}

pub(crate) fn key() -> VerifierKey {
    signer().verifier().clone()
}

pub(crate) fn check_source(
    source: &dyn Source,
    key: &VerifierKey,
    trusted: Option<&Checkpoint>,
) -> Result<Report, VerifyError> {
    let trusted = trusted.map(|checkpoint| &**checkpoint.note());
    let origin = origin();
    verify_all(source, &Expected { origin: &origin, key, trusted, witnesses: None, range: None }, |_, _| ())
}

pub(crate) fn action(id: &str) -> Action {
    let request = ActionRequest {
        session: "s1".parse().unwrap(),
        agent: "ada".parse().unwrap(),
        operation: "files/read_file".parse().unwrap(),
        resource: "mcp:files/read_file".parse().unwrap(),
        arguments: Json::parse(ARGUMENTS).unwrap(),
        attributes: Default::default(),
        labels: Vec::new(),
    };
    request.at(id.parse().unwrap(), Timestamp::from_nanos(1_700_000_000_000_000_000))
}

/// A decision on an action with this id, about 200 bytes with a `message` of 20.
pub(crate) fn draft(id: &str, message: &str) -> Draft {
    draft_with(id, message, Payloads::Inline)
}

pub(crate) fn draft_with(id: &str, message: &str, payloads: Payloads) -> Draft {
    denied(&action(id), message, payloads)
}

pub(crate) fn denied(action: &Action, message: &str, payloads: Payloads) -> Draft {
    let verdict = Verdict {
        decision: Decision::Deny,
        reasons: vec![Reason::host(Effect::Forbid, message)],
        obligations: Vec::new(),
        retry_after_ms: None,
        past: None,
        approval: None,
        unsigned: false,
    };
    Draft::decision(action, &verdict, payloads).unwrap()
}

pub(crate) fn outcome(id: &str, decision: u64) -> Draft {
    let outcome =
        Outcome { decision, status: Status::Succeeded, result: None, detail: "done".to_owned(), duration_ns: 5 };
    Draft::outcome(&About::of(&action(id)), Timestamp::from_nanos(1_700_000_001_000_000_000), &outcome).unwrap()
}

/// That a payload is to be erased.
pub(crate) fn erasure(commitment: Digest) -> Draft {
    let dropped = Dropped { what: What::Payload { commitment }, reason: "asked to".to_owned() };
    Draft::dropped(Timestamp::from_nanos(1_700_000_002_000_000_000), dropped).unwrap()
}

pub(crate) fn append(log: &Log, id: &str) -> Receipt {
    block_on(log.append(draft(id, "no policy permits it"), Tier::Durable)).unwrap()
}

/// Appends so many entries, `batch` to a commit, and closes the log.
pub(crate) fn fill(log: Log, entries: u64, batch: u64) -> Checkpoint {
    for index in 0..entries {
        let tier = if (index + 1) % batch == 0 { Tier::Durable } else { Tier::Accepted };
        block_on(log.append(draft(&format!("a-{index}"), "no policy permits it"), tier)).unwrap();
    }
    log.close().unwrap()
}

/// The commitment to a decision's arguments, in a log that is open.
pub(crate) fn arguments_of(log: &Log, seq: u64) -> Commitment {
    let followed = block_on(log.subscribe(seq).next()).unwrap().unwrap();
    let Body::Decision(_, decision) = followed.entry.body else { panic!("entry {seq} is no decision") };
    *decision.arguments.commitment().unwrap()
}

/// The id of the action that an entry is about.
pub(crate) fn id(entry: &Entry) -> String {
    entry.body.about().map_or_else(|| entry.body.kind().to_string(), |about| about.action.to_string())
}

pub(crate) fn is_decision(entry: &Entry) -> bool {
    matches!(entry.body, Body::Decision(..))
}

/// A place for one log, in some kind of storage.
pub(crate) trait Storage {
    /// The storage for the log's writer: new, or with what was written before.
    fn try_store(&self) -> Result<Box<dyn Store>, OpenError>;

    /// A reader of the log as its last writer left it.
    fn source(&self) -> Box<dyn Source>;

    fn store(&self) -> Box<dyn Store> {
        self.try_store().unwrap()
    }

    fn try_open(&self) -> Result<Log, OpenError> {
        Log::open(self.try_store()?, origin(), signer(), &Options::default())
    }

    fn open(&self) -> Log {
        self.try_open().unwrap()
    }

    fn check(&self, trusted: Option<&Checkpoint>) -> Result<Report, VerifyError> {
        check_source(&*self.source(), &key(), trusted)
    }

    fn extend(&self, entries: u64, batch: u64) -> Checkpoint {
        fill(self.open(), entries, batch)
    }

    /// All bytes of all entries.
    fn entries(&self) -> Vec<Vec<u8>> {
        let (source, mut bundle, mut entries) = (self.source(), Bundle::default(), Vec::new());
        loop {
            let from = entries.len() as u64;
            source.entries(from, u64::MAX, &mut bundle).unwrap();
            // Or this would go on for ever.
            assert_eq!(bundle.first(), from);
            if bundle.is_empty() {
                return entries;
            }
            entries.extend(bundle.iter().map(<[u8]>::to_vec));
        }
    }
}
