//! What sessions did before, also before this host was started.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use vak_audit::{Body, Entry, LogReader, ReadError};
use vak_plugin::Policy;
use vak_session::REMEMBERED;
use vak_types::{Action, Past, PastMark, Step, Timestamp};

/// Entries that are read of the log at the most. Beyond them nothing is
/// remembered, and policies are told so.
const ENTRIES_MAX: u64 = 1_000_000;

/// An action has its entry so long after it was asked, at the most: entries are
/// in the order in which they were judged.
const JUDGED_WITHIN: Duration = Duration::from_secs(60);

/// What sessions did, while some policy asks for it.
pub(crate) struct Sessions(vak_session::Sessions);

impl Sessions {
    /// None if no policy asks. Otherwise what the log says of the last day.
    pub(crate) fn of<'a>(
        policies: impl IntoIterator<Item = &'a Policy>,
        log: &Path,
        now: Timestamp,
    ) -> Result<Option<Arc<Self>>, ReadError> {
        match policies.into_iter().any(Policy::asks_for_session) {
            true => Self::remembered(&LogReader::open(log)?, now).map(Arc::new).map(Some),
            false => Ok(None),
        }
    }

    fn remembered(log: &LogReader, now: Timestamp) -> Result<Self, ReadError> {
        let size = log.size()?;
        let from = first_since(log, size, now.before(REMEMBERED).before(JUDGED_WITHIN))?;
        let from = from.max(size.saturating_sub(ENTRIES_MAX));
        // Before the first entry of a log nothing was done.
        let since = match from {
            0 => Timestamp::default(),
            from => log.entry(from)?.time.after(JUDGED_WITHIN),
        };
        let sessions = vak_session::Sessions::new(since);
        for entry in log.entries(from, size - from) {
            let Entry { time, body, .. } = entry?;
            let Body::Decision(about, decision) = body else { continue };
            if !decision.verdict.is_judged() {
                continue;
            }
            let Some(labels) = log.labels(&decision)? else {
                sessions.forget(&about.agent, &about.session, time);
                continue;
            };
            let allowed = decision.verdict.is_allow();
            let (action, operation, resource) = (about.action, decision.operation, decision.resource);
            let step = Step { action, operation, resource, labels, allowed, time };
            sessions.add(&about.agent, &about.session, step);
        }
        Ok(Self(sessions))
    }

    /// What the session of `action` had done before it, if that is still known.
    pub(crate) fn before(&self, action: &Action) -> Option<Past> {
        self.0.before(action)
    }
}

impl vak_pipeline::Sessions for Sessions {
    fn turn(&self, action: &Action, judge: &mut dyn FnMut(&Arc<Past>) -> bool) -> PastMark {
        self.0.turn(action, judge)
    }
}

/// The first entry that is not from before `time`.
pub(crate) fn first_since(log: &LogReader, size: u64, time: Timestamp) -> Result<u64, ReadError> {
    let (mut low, mut high) = (0, size);
    while low < high {
        let middle = low + (high - low) / 2;
        match log.entry(middle)?.time < time {
            true => low = middle + 1,
            false => high = middle,
        }
    }
    Ok(low)
}
