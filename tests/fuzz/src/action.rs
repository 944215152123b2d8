//! What agents ask for.

use vak_audit::{Draft, Payloads};
use vak_types::{Action, ActionRequest, Decision, Effect, Reason, Timestamp, Verdict};

/// A request as JSON. What is taken has names that can be written in a log and
/// read again, and is the same action when its own JSON is read.
///
/// # Panics
/// It is not so.
pub fn action(bytes: &[u8]) {
    let Ok(request) = serde_json::from_slice::<ActionRequest>(bytes) else { return };
    let now = Timestamp::from_nanos(1_700_000_000_000_000_000);
    let action = request.at("a-1".parse().unwrap(), now);
    let mut again = serde_json::to_value(&action).unwrap();
    again.as_object_mut().unwrap().retain(|field, _| field != "id" && field != "time");
    let again: ActionRequest = serde_json::from_value(again).unwrap();
    assert_eq!(again.at(action.id.clone(), now), action);
    recorded(&action);
}

/// A refusal that quotes none of it can be recorded, whatever it is.
fn recorded(action: &Action) {
    let verdict = Verdict {
        decision: Decision::Deny,
        reasons: vec![Reason::host(Effect::Forbid, "no")],
        obligations: Vec::new(),
        retry_after_ms: None,
        past: None,
        approval: None,
        unsigned: false,
    };
    for payloads in [Payloads::Inline, Payloads::Erasable] {
        if let Err(error) = Draft::decision(action, &verdict, payloads) {
            panic!("{error}");
        }
    }
}
