//! What waited when the host before this one ended.

use std::sync::Arc;
use std::time::Duration;

use vak_audit::{Answer, Body, Entry, LogReader, ReadError, leaf_hash};
use vak_types::{Decision, Timestamp};

use super::table::{Asked, Table};
use crate::config::{Config, Payloads};
use crate::sessions::first_since;

/// Entries that are read of the log at the most: a fifth of a second. What
/// waited before them is gone.
const ENTRIES_MAX: u64 = 100_000;

/// An action has its entry so long after it was asked, at the most.
const JUDGED_WITHIN: Duration = Duration::from_secs(60);

/// What the log says, read as if it all happened again: by the time of each
/// entry and then by the clock. Where payloads are erasable nothing that waited
/// is left, because its words are not in the log; what was used is used.
pub(super) fn restored(config: &Config, now: Timestamp) -> Result<Table, ReadError> {
    let log = LogReader::open(&config.log())?;
    let size = log.size()?;
    let wait = config.approvals.wait();
    // Once for the answer, and once for its use.
    let since = now.before(wait).before(wait).before(JUDGED_WITHIN);
    let from = first_since(&log, size, since)?.max(size.saturating_sub(ENTRIES_MAX));
    let mut table = Table::new(Timestamp::default());
    let mut latest = Timestamp::default();
    let keeps = config.audit.payloads == Payloads::Inline;
    for entry in log.entries(from, size - from) {
        let entry = entry?;
        latest = latest.max(entry.time);
        table.look(latest);
        again(&mut table, &log, &entry, wait, keeps)?;
    }
    // A clock that was set back meanwhile makes nothing younger.
    table.look(latest.max(now));
    table.look(now);
    Ok(table)
}

fn again(table: &mut Table, log: &LogReader, entry: &Entry, wait: Duration, keeps: bool) -> Result<(), ReadError> {
    match &entry.body {
        Body::Decision(about, decision) => {
            let verdict = &decision.verdict;
            let used = verdict.approval.filter(|_| verdict.decision != Decision::Deny);
            let answered = used.map(|answer| table.used_before(answer)).unwrap_or_default();
            if !keeps || verdict.decision != Decision::Escalate || !table.has_room(&about.agent, 0) {
                return Ok(());
            }
            let (Some(action), Ok(bytes)) = (log.action(entry)?, entry.encode()) else { return Ok(()) };
            let (action, verdict) = (Arc::new(action), Arc::new(verdict.clone()));
            table.keep(Asked { seq: entry.seq, leaf: leaf_hash(&bytes), action, verdict, answered }, entry.time, wait);
        }
        Body::Approval(_, approval) => match approval.answer {
            Answer::Approved { until } => {
                table.approve(approval.decision, entry.seq, approval.by.clone(), until);
            }
            Answer::Rejected => {
                let note = log.note(approval)?.unwrap_or_default();
                table.reject(approval.decision, approval.by.clone(), note);
            }
        },
        _ => {}
    }
    Ok(())
}
