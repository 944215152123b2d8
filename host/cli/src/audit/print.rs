//! How entries are shown.

use std::io::Write as _;

use serde_json::json;
use vak_audit::{Acceptance, Answer, Body, Entry, Part, Status, What};
use vak_types::printable;

/// Longest line that is printed, in bytes: the longest reason and its names.
const LINE_BYTES_MAX: usize = 4_096;

/// Prints an entry on a line.
pub(crate) fn entry(entry: &Entry, json: bool) -> std::io::Result<()> {
    let line = match json {
        true => entry_json(entry).to_string(),
        // A log that was tampered with can hold what steers a terminal.
        false => printable(&line(entry), LINE_BYTES_MAX),
    };
    writeln!(std::io::stdout(), "{line}")
}

fn line(entry: &Entry) -> String {
    let agent = entry.body.about().map_or("", |about| about.agent.as_str());
    let head = format!("{:>6}  {}  {agent:<12}", entry.seq, entry.time);
    match &entry.body {
        Body::Decision(_, decision) => {
            let reason = decision.verdict.deciding().map(ToString::to_string).unwrap_or_default();
            let word = decision.verdict.decision.to_string();
            format!("{head}  {word:<9}  {}  {reason}", decision.operation)
        }
        Body::Outcome(_, outcome) => {
            let millis = outcome.duration_ns / 1_000_000;
            let status = status(outcome.status);
            format!("{head}  {status:<9}  of {}  in {millis} ms  {}", outcome.decision, outcome.detail)
        }
        Body::KeyRotation(rotation) => format!("{head}  key       {} to {}", rotation.old, rotation.new),
        Body::Configuration(configuration) => format!(
            "{head}  config    {} with {} components, {}",
            configuration.digest,
            configuration.components.len(),
            configuration.software
        ),
        Body::Shadow(_, shadow) => {
            let would = shadow.reason.effect.decision().map_or_else(|| "nothing".to_owned(), |word| word.to_string());
            format!("{head}  shadow    of {}  would say {would}: {}", shadow.decision, shadow.reason)
        }
        Body::Approval(_, approval) => {
            let note = approval.note.value().map(String::as_str).unwrap_or_default();
            let word = approval.answer.to_string();
            format!("{head}  {word:<9}  of {}  by {}  {note}", approval.decision, approval.by)
        }
        Body::Acceptance(acceptance) => {
            let Acceptance { upstream, what, name, before, accepted } = acceptance;
            let before = before.map_or_else(|| "seen first".to_owned(), |before| format!("after {before}"));
            format!("{head}  accepted  the {what} {upstream}/{name} as {accepted}, {before}")
        }
        Body::Drop(dropped) => {
            let what = match &dropped.what {
                What::Payload { commitment } => format!("the payload {commitment}"),
                What::Calls { count } => format!("{count} calls that were no actions"),
                What::Tail { bytes } => format!("{bytes} bytes of an unfinished write"),
                What::Shadows { count } => format!("{count} findings in shadow"),
            };
            format!("{head}  dropped   {what}: {}", dropped.reason)
        }
    }
}

pub(super) fn entry_json(entry: &Entry) -> serde_json::Value {
    let body = match &entry.body {
        Body::Decision(_, decision) => json!({
            "operation": decision.operation,
            "resource": decision.resource,
            "arguments": part(&decision.arguments),
            "attributes": part(&decision.attributes),
            "labels": part(&decision.labels),
            "verdict": decision.verdict,
        }),
        Body::Outcome(_, outcome) => json!({
            "decision": outcome.decision,
            "status": status(outcome.status),
            "result": outcome.result.map(|result| json!({ "sha256": result.sha256, "bytes": result.bytes })),
            "detail": outcome.detail,
            "duration_ns": outcome.duration_ns,
        }),
        Body::KeyRotation(rotation) => json!({ "old": rotation.old.to_string(), "new": rotation.new.to_string() }),
        Body::Configuration(configuration) => json!({
            "digest": configuration.digest,
            "software": configuration.software,
            "components": configuration.components,
        }),
        Body::Shadow(_, shadow) => json!({
            "decision": shadow.decision,
            "reason": shadow.reason,
            "obligations": shadow.obligations,
        }),
        Body::Approval(_, approval) => json!({
            "decision": approval.decision,
            "leaf": approval.leaf,
            "answer": approval.answer.to_string(),
            "until_ns": match approval.answer {
                Answer::Approved { until } => Some(until.as_nanos()),
                Answer::Rejected => None,
            },
            "by": approval.by,
            "note": part(&approval.note),
        }),
        Body::Acceptance(acceptance) => json!({
            "upstream": acceptance.upstream,
            "what": acceptance.what.to_string(),
            "name": acceptance.name,
            "before": acceptance.before,
            "accepted": acceptance.accepted,
        }),
        Body::Drop(dropped) => {
            let what = match &dropped.what {
                What::Payload { commitment } => json!({ "payload": commitment }),
                What::Calls { count } => json!({ "calls": count }),
                What::Tail { bytes } => json!({ "tail_bytes": bytes }),
                What::Shadows { count } => json!({ "shadows": count }),
            };
            json!({ "what": what, "reason": dropped.reason })
        }
    };
    let about = entry.body.about();
    json!({
        "seq": entry.seq,
        "time": entry.time.to_string(),
        "time_ns": entry.time.as_nanos(),
        "kind": entry.body.kind().to_string(),
        "signed": entry.signed,
        "agent": about.map(|about| &about.agent),
        "session": about.map(|about| &about.session),
        "action": about.map(|about| &about.action),
        "body": body,
    })
}

/// A part as it stands in its entry.
fn part<T: serde::Serialize>(part: &Part<T>) -> serde_json::Value {
    match part.commitment() {
        Some(commitment) => json!({ "commitment": commitment.digest, "bytes": commitment.bytes }),
        None => json!(part.value()),
    }
}

pub(super) fn status(status: Status) -> &'static str {
    match status {
        Status::Succeeded => "succeeded",
        Status::Failed => "failed",
        Status::Unknown => "unknown",
    }
}
