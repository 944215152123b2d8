//! Requests for actions that were refused before they were actions.
//!
//! They can't be judged and have no entry of their own, but that they were tried
//! is worth knowing. They are counted, and told in one entry for all of some
//! seconds, so that nobody can fill the log with them.

use std::sync::atomic::{AtomicU64, Ordering};

use vak::Host;

use super::problem::{Kind, Problem};

/// Why a request was refused, as far as the log tells it.
const CAUSES: [(&str, &[Kind]); 7] = [
    ("without a token that is known", &[Kind::Unauthorized]),
    ("by a token that is not for that", &[Kind::Scope, Kind::Agent, Kind::Session, Kind::Person]),
    (
        "not readable",
        &[
            Kind::Malformed,
            Kind::LengthRequired,
            Kind::TooLarge,
            Kind::MediaType,
            Kind::BodyTimedOut,
            Kind::NoSuchSkill,
            Kind::NoSuchAdapter,
            Kind::Message,
        ],
    ),
    ("about a person's answer that is not so", &[Kind::Approval, Kind::NoSuchApproval]),
    ("with an id that was used", &[Kind::IdInUse, Kind::ResultGone]),
    ("too many or too late", &[Kind::Busy, Kind::Draining]),
    ("approved, and for an upstream that is not there", &[Kind::Upstream]),
];

/// Refusals that no entry tells of yet.
#[derive(Debug, Default)]
pub(crate) struct Refusals([AtomicU64; CAUSES.len()]);

impl Refusals {
    pub(crate) fn count(&self, problem: &Problem) {
        let cause = CAUSES.iter().position(|(_, kinds)| kinds.contains(&problem.kind));
        if let Some(count) = cause.and_then(|cause| self.0.get(cause)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Records what is counted, in one entry, if there is anything.
    pub(crate) async fn record(&self, host: &Host) {
        let counts = self.0.iter().map(|count| count.swap(0, Ordering::Relaxed)).zip(CAUSES);
        let told: Vec<_> = counts.filter(|(count, _)| *count > 0).collect();
        let total = told.iter().map(|(count, _)| count).sum();
        if total == 0 {
            return;
        }
        let told: Vec<_> = told.iter().map(|(count, (what, _))| format!("{count} {what}")).collect();
        let reason = format!("requests to the HTTP server were refused: {}", told.join(", "));
        if let Err(error) = host.record_refused(total, reason).await {
            tracing::error!(%error, total, "refused requests could not be recorded");
        }
    }
}
