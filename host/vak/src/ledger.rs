//! The audit log as the pipeline's ledger.

use vak_audit::{Draft, Log, Receipt, Tier};
use vak_pipeline::{Ledger, LedgerError};
use vak_types::{Action, Verdict};

/// Records verdicts in the audit log.
#[derive(Debug)]
pub(crate) struct AuditLedger {
    pub(crate) log: Log,
    pub(crate) tier: Tier,
}

impl Ledger for AuditLedger {
    type Receipt = Receipt;

    async fn record(&self, action: &Action, verdict: &Verdict) -> Result<Receipt, LedgerError> {
        // A verdict too long for an entry is a verdict that cannot be recorded.
        let draft = Draft::decision(action, verdict).map_err(failed)?;
        self.log.append(draft, self.tier).await.map_err(failed)
    }
}

fn failed(error: impl std::fmt::Display) -> LedgerError {
    LedgerError { message: error.to_string() }
}
