//! What is appended.

use vak_audit::{Draft, Log, Options, Origin, Payloads, Signer, Store};
use vak_types::{
    Action, ActionRequest, ComponentRef, Decision, Digest, Effect, Json, KeyId, Reason, Source, Timestamp, Verdict,
};

/// The length of an entry as it is stored.
pub(super) const ENTRY_BYTES: usize = 512;

pub(super) fn origin() -> Origin {
    "example.org/bench".parse().unwrap()
}

pub(super) fn signer() -> Signer {
    Signer::new(origin(), &[7; 32])
}

pub(super) fn open(store: Box<dyn Store>) -> Log {
    Log::open(store, origin(), signer(), &Options::default()).unwrap()
}

/// A policy's permit, as an entry of 512 bytes. Of every thousand agents one is
/// a rare one, every hundredth answer is a deny, and a millisecond lies between
/// two.
#[derive(Clone)]
pub(super) struct Sample {
    action: Action,
    verdict: Verdict,
}

impl Sample {
    pub(super) fn new() -> Self {
        let request = ActionRequest {
            session: "9f1c2f0e-6a51-4a0e-8f0e-0d5b6f9a7c11".parse().unwrap(),
            agent: "agent-000".parse().unwrap(),
            operation: "files/read_file".parse().unwrap(),
            resource: "mcp:files/read_file".parse().unwrap(),
            arguments: Json::parse(r#"{"path":"/srv/invoices/2026/11/4711.pdf"}"#).unwrap(),
            attributes: Default::default(),
            labels: vec!["untrusted-input".parse().unwrap()],
        };
        let component = ComponentRef {
            name: "files".parse().unwrap(),
            digest: Digest::of(b"component"),
            config: Some(Digest::of(b"config")),
            signer: Some(KeyId::of(&[1; 32])),
        };
        let reason = Reason {
            source: Source::Component(component.into()),
            effect: Effect::Permit,
            rule: Some("invoices".to_owned()),
            failure: None,
            message: String::new(),
        };
        let verdict = Verdict {
            decision: Decision::Allow,
            reasons: vec![reason],
            obligations: Vec::new(),
            retry_after_ms: None,
            past: None,
            approval: None,
            unsigned: false,
        };
        let mut sample = Self { action: request.at("a-00000000".parse().unwrap(), Timestamp::from_nanos(0)), verdict };
        let missing = ENTRY_BYTES - sample.entry_bytes();
        sample.verdict.reasons[0].message = "x".repeat(missing);
        assert_eq!(sample.entry_bytes(), ENTRY_BYTES);
        sample
    }

    /// As the log stores it: measured on a log of one entry.
    fn entry_bytes(&self) -> usize {
        let store = vak_audit::MemoryStore::new();
        let log = open(Box::new(store.clone()));
        futures_executor::block_on(log.append(self.draft(), vak_audit::Tier::Durable)).unwrap();
        log.close().unwrap();
        let mut bundle = vak_audit::Bundle::default();
        vak_audit::Source::entries(&store, 0, 1, &mut bundle).unwrap();
        bundle.get(0).unwrap().len()
    }

    pub(super) fn draft(&self) -> Draft {
        Draft::decision(&self.action, &self.verdict, Payloads::Inline).unwrap()
    }

    /// The same with another agent, time and verdict.
    pub(super) fn number(&mut self, index: u64) -> Draft {
        let agent =
            if index % 1_000_000 == 77 { "rare-0000".to_owned() } else { format!("agent-{:03}", index % 1_000) };
        self.action.agent = agent.parse().unwrap();
        self.action.time = Timestamp::from_nanos(1_700_000_000_000_000_000 + index * 1_000_000);
        self.verdict.decision = if index.is_multiple_of(100) { Decision::Deny } else { Decision::Allow };
        self.draft()
    }
}
