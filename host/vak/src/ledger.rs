//! The audit log as the pipeline's ledger.

use std::sync::Arc;

use futures_executor::block_on;
use vak_audit::{
    AppendError, Body, Configuration, Draft, Dropped, EncodeError, FileStore, Given, Log, LogReader, OpenError,
    Options, Origin, Payloads, ReadError, Receipt, Shadow, Signer, SqliteStore, Store, Tier, What,
};
use vak_pipeline::{Ledger, LedgerError};
use vak_types::{Action, ComponentRef, Decision, Digest, Obligation, Source, Timestamp, Verdict};

use crate::archiver::Archiver;
use crate::config::{self, Config, ConfigError, Release};

/// How far back the configuration is looked for that was recorded last. When
/// more was decided since, it is recorded once more.
const LOOK_BACK_ENTRIES: u64 = 1_024;

/// Why the log could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// It is in use, not to be read, or not sound.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It can't be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The configuration can't be recorded.
    #[error("recording the configuration: {0}")]
    Encode(#[from] EncodeError),
    /// The log stopped as it was opened.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// The program that uploads the log can't be started.
    #[error("`vak-audit-s3`, which archives the log, does not start ({0}); install it beside `vak`")]
    Archive(std::io::Error),
    /// The configuration can't be written out.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

/// Records verdicts in the audit log.
#[derive(Debug)]
pub(crate) struct AuditLedger {
    pub(crate) log: Log,
    pub(crate) tier: Tier,
    payloads: Payloads,
    /// After the log: it uploads what closing that writes.
    _archiver: Option<Archiver>,
}

impl AuditLedger {
    /// Opens the log that `config` names, and records what decides from now on.
    pub(crate) fn open(
        config: &Config,
        components: Vec<Arc<ComponentRef>>,
        origin: Origin,
        signer: Signer,
        now: Timestamp,
    ) -> Result<Self, LogError> {
        let key = signer.verifier().clone();
        let log = open(config, origin, signer)?;
        if log.cut_bytes() > 0 {
            let what = What::Tail { bytes: log.cut_bytes() };
            let reason = "the last host ended while it wrote them; none had been acknowledged".to_owned();
            block_on(log.append(Draft::dropped(now, Dropped { what, reason })?, Tier::Durable))?;
        }
        let configuration = configuration(config, components)?;
        if last_configuration(config, log.opened_at().size())?.as_ref() != Some(&configuration) {
            block_on(log.append(Draft::configuration(now, configuration)?, Tier::Durable))?;
        }
        let tier = match config.audit.release {
            Release::Accepted => Tier::Accepted,
            Release::Durable => Tier::Durable,
        };
        let payloads = match config.audit.payloads {
            config::Payloads::Inline => Payloads::Inline,
            config::Payloads::Erasable => Payloads::Erasable,
        };
        let archive = |archive| Archiver::start(archive, &config.log(), &key, log.stopper()).map_err(LogError::Archive);
        let archiver = config.audit.archive.as_ref().map(archive).transpose()?;
        Ok(Self { log, tier, payloads, _archiver: archiver })
    }
}

impl AuditLedger {
    /// The record of a person's answer.
    pub(crate) fn answer(
        &self,
        action: &Action,
        now: Timestamp,
        given: &Given<'_>,
        note: &str,
    ) -> Result<Draft, EncodeError> {
        Draft::approval(action, now, given, note, self.payloads)
    }

    /// A finding in the words that the log may have of it.
    pub(crate) fn worded(&self, mut shadow: Shadow) -> Shadow {
        if self.payloads == Payloads::Erasable {
            shadow.reason.message.clear();
            shadow.obligations = shadow.obligations.iter().map(Obligation::without_text).collect();
        }
        shadow
    }
}

/// What the log says of a configuration that decides from here on.
pub(crate) fn configuration(config: &Config, components: Vec<Arc<ComponentRef>>) -> Result<Configuration, ConfigError> {
    Ok(Configuration {
        digest: Digest::of(config.effective()?.as_bytes()),
        software: concat!("vak ", env!("CARGO_PKG_VERSION")).to_owned(),
        components,
    })
}

/// Opens the log that `config` names, for those who do something else with it
/// than decide.
///
/// # Errors
/// Another process has it open, or it is not sound.
pub fn open(config: &Config, origin: Origin, signer: Signer) -> Result<Log, OpenError> {
    let path = config.log();
    let store: Box<dyn Store> = match config.audit.store {
        config::Store::Sqlite => Box::new(SqliteStore::open(&path)?),
        config::Store::Segments => Box::new(FileStore::open(&path)?),
    };
    let options = Options { signed: config.audit.signed.iter().copied().collect(), ..Options::default() };
    Log::open(store, origin, signer, &options)
}

/// The newest configuration among the last entries of a log of `size`.
fn last_configuration(config: &Config, size: u64) -> Result<Option<Configuration>, LogError> {
    let reader = LogReader::open(&config.log())?;
    let mut last = None;
    let from = reader.first_from(size.saturating_sub(LOOK_BACK_ENTRIES))?;
    for entry in reader.entries(from, LOOK_BACK_ENTRIES) {
        if let Body::Configuration(configuration) = entry?.body {
            last = Some(configuration);
        }
    }
    Ok(last)
}

impl Ledger for AuditLedger {
    type Receipt = Receipt;

    async fn record(&self, action: &Action, verdict: &Verdict) -> Result<Receipt, LedgerError> {
        let wordless;
        let verdict = match self.payloads {
            Payloads::Inline => verdict,
            Payloads::Erasable => {
                wordless = without_words(verdict);
                &wordless
            }
        };
        // A verdict too long for an entry is a verdict that cannot be recorded.
        let draft = Draft::decision(action, verdict, self.payloads).map_err(failed)?;
        // A person answers the entry by its number, which is only then no other's;
        // and what an answer was used for must not be forgotten.
        let tier = match verdict.decision == Decision::Escalate || verdict.approval.is_some() {
            true => Tier::Durable,
            false => self.tier,
        };
        self.log.append(draft, tier).await.map_err(failed)
    }
}

/// The verdict without what components say in their own words, which may quote
/// the arguments: those are to be erasable, and an entry is not. Of obligations
/// it keeps which argument and which header they are about.
fn without_words(verdict: &Verdict) -> Verdict {
    let mut verdict = verdict.clone();
    verdict.obligations = verdict.obligations.iter().map(Obligation::without_text).collect();
    for reason in &mut verdict.reasons {
        if let Source::Component(_) = reason.source {
            reason.message.clear();
        }
    }
    verdict
}

fn failed(error: impl std::fmt::Display) -> LedgerError {
    LedgerError { message: error.to_string() }
}
