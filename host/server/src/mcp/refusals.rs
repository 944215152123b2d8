//! Calls that were refused before they were an action.
//!
//! They can't be judged and have no entry of their own, but that they were tried
//! is worth knowing. They are counted, and told in one entry for all of some
//! seconds: a client that sends nothing else can't fill the log. Counted are
//! calls of tools, and lines that can't be told to be something else; not what
//! other methods refuse, nor what is asked before the session has begun.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use vak::Host;

/// How long refusals are gathered for one entry: some thousand entries a day, if
/// somebody tries all day.
const GATHER: Duration = Duration::from_secs(10);

/// Why a call was refused.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cause {
    /// The line is no message that is acted on.
    Unreadable,
    TooLong,
    /// Another request has its id.
    RepeatedId,
    TooManyAtOnce,
    /// Nothing is called so.
    Name,
    Arguments,
    /// A person approved it, and the upstream is not there.
    Unreached,
}

impl Cause {
    const ALL: [(Self, &'static str); 7] = [
        (Self::Unreadable, "not readable"),
        (Self::TooLong, "too long"),
        (Self::RepeatedId, "with the id of another"),
        (Self::TooManyAtOnce, "too many at once"),
        (Self::Name, "of no tool"),
        (Self::Arguments, "with arguments that can't be used"),
        (Self::Unreached, "approved, and for an upstream that is not there"),
    ];
}

/// Refusals that no entry tells of yet.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    counts: [AtomicU64; Cause::ALL.len()],
}

impl Refusals {
    pub(crate) fn count(&self, cause: Cause) {
        if let Some(count) = self.counts.get(cause as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Records what is counted, now and then, for as long as it is polled.
    pub(crate) async fn record_now_and_then(&self, host: &Host, whom: &str) {
        loop {
            tokio::time::sleep(GATHER).await;
            self.record(host, whom).await;
        }
    }

    /// Records what is counted, in one entry, if there is anything. Says `whom` the
    /// calls are of.
    pub(crate) async fn record(&self, host: &Host, whom: &str) {
        let counts = Cause::ALL.map(|(cause, what)| {
            let count = self.counts.get(cause as usize).map_or(0, |count| count.swap(0, Ordering::Relaxed));
            (count, what)
        });
        let total = counts.iter().map(|(count, _)| count).sum();
        if total == 0 {
            return;
        }
        let told = counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
        let told = told.collect::<Vec<_>>().join(", ");
        let reason = format!("calls {whom} were refused: {told}");
        if let Err(error) = host.record_refused(total, reason).await {
            tracing::error!(%error, total, "refused calls could not be recorded");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_is_counted_under_its_own_words() {
        for (place, (cause, _)) in Cause::ALL.into_iter().enumerate() {
            assert_eq!(cause as usize, place);
        }
    }
}
