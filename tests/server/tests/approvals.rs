//! A person answers what was escalated.

use serde_json::{Value, json};

use crate::client::Client;
use crate::served::{Served, action, recorded, refused, token, with};

/// A server with tokens for `ada`'s application and for `grace`, who answers for
/// her, and one token for everybody's.
struct Asked {
    served: Served,
    app: Client,
    grace: Client,
}

impl Asked {
    fn new() -> Self {
        let (grace, lines) = token("grace", "['approve']", "['ada']");
        let (served, app) = Served::ada("", &lines);
        let (app, grace) = (served.client(&app), served.client(&grace));
        Self { served, app, grace }
    }

    /// The place of a decision that waits.
    fn ask(&mut self) -> u64 {
        let answer = self.app.post("/v1/decide", &with(action("files/ask"), &json!({ "arguments": { "n": 1 } }))).ok();
        assert_eq!(answer["verdict"]["decision"], "escalate");
        answer["receipt"]["seq"].as_u64().unwrap()
    }

    fn standing(&mut self, seq: u64) -> Value {
        self.app.get(&format!("/v1/approvals/{seq}")).ok()
    }

    fn answer(&mut self, seq: u64, answer: &str) -> crate::client::Answer {
        self.grace.post(&format!("/v1/approvals/{seq}/answer"), &json!({ "answer": answer, "note": "as we said" }))
    }

    fn again(&mut self, seq: u64) -> crate::client::Answer {
        self.app.post(&format!("/v1/approvals/{seq}/decide"), &json!({}))
    }
}

#[test]
fn what_is_approved_happens_once() {
    let mut asked = Asked::new();
    let seq = asked.ask();
    assert_eq!(asked.standing(seq)["standing"], "waiting");
    asked.again(seq).is_problem(409, "approval");

    let waiting = asked.grace.get("/v1/approvals").ok();
    let first = &waiting["waiting"][0];
    assert_eq!((&first["seq"], &first["action"]["arguments"]), (&json!(seq), &json!({ "n": 1 })));
    assert!(first["until_ns"].as_u64() > first["since_ns"].as_u64());
    let answered = asked.answer(seq, "approve").ok();
    assert!(answered["receipt"]["seq"].as_u64().unwrap() > seq);
    assert_eq!(asked.grace.get("/v1/approvals").ok()["waiting"], json!([]));
    let standing = asked.standing(seq);
    assert_eq!((&standing["standing"], &standing["by"]), (&json!("approved"), &json!("grace")));

    let decided = asked.again(seq).ok();
    assert_eq!(decided["verdict"]["decision"], "allow");
    assert_eq!(decided["arguments"], json!({ "n": 1 }));
    asked.app.post("/v1/outcome", &json!({ "action": decided["action"], "status": "succeeded" })).ok();
    assert_eq!(asked.standing(seq)["standing"], "used");
    asked.again(seq).is_problem(409, "approval");
    asked.answer(seq, "approve").is_problem(409, "approval");

    let Asked { served, .. } = asked;
    let recorded = recorded(&served.stop().site);
    let allowed: Vec<_> = recorded.iter().map(|it| it.decision.verdict.is_allow()).collect();
    assert_eq!(allowed, [false, true]);
    assert_eq!(recorded[0].action, recorded[1].action);
}

#[test]
fn what_is_rejected_does_not_happen() {
    let mut asked = Asked::new();
    let seq = asked.ask();
    asked.answer(seq, "reject").ok();
    let standing = asked.standing(seq);
    assert_eq!((&standing["standing"], &standing["note"]), (&json!("rejected"), &json!("as we said")));
    asked.again(seq).is_problem(409, "approval");
    asked.answer(seq, "approve").is_problem(409, "approval");
    let Asked { served, .. } = asked;
    assert_eq!(recorded(&served.stop().site).len(), 1);
}

#[test]
fn who_asks_does_not_answer_and_others_learn_nothing() {
    let (other, other_lines) = token("other", "['decide', 'execute']", "['ada']");
    let (eve, eve_lines) = token("eve", "['approve']", "['bob']");
    let (ada, ada_lines) = token("ada", "['approve']", "['ada']");
    let (served, app) = Served::ada("", &(other_lines + &eve_lines + &ada_lines));
    let (app, grace) = (served.client(&app), served.client(&eve));
    let mut asked = Asked { app, grace, served };
    let seq = asked.ask();
    let (path, yes) = (format!("/v1/approvals/{seq}/answer"), json!({ "answer": "approve" }));
    asked.app.get("/v1/approvals").is_problem(403, "scope");
    asked.app.post(&path, &yes).is_problem(403, "scope");
    // She is for another agent.
    assert_eq!(asked.grace.get("/v1/approvals").ok()["waiting"], json!([]));
    asked.grace.post(&path, &yes).is_problem(404, "no-such-approval");
    asked.grace.post(&format!("/v1/approvals/{seq}/decide"), &json!({})).is_problem(403, "scope");
    // A token with the agent's own name.
    asked.served.client(&ada).post(&path, &yes).is_problem(403, "person");
    // Another application that acts as the same agent.
    let mut other = asked.served.client(&other);
    other.get(&format!("/v1/approvals/{seq}")).is_problem(404, "no-such-approval");
    for what in ["decide", "execute"] {
        other.post(&format!("/v1/approvals/{seq}/{what}"), &json!({})).is_problem(404, "no-such-approval");
    }
    assert_eq!(asked.standing(seq)["standing"], "waiting");
    // That it was tried is in the log.
    let Asked { served, .. } = asked;
    let told = refused(&served.stop().site);
    assert_eq!(told.iter().map(|(count, _)| count).sum::<u64>(), 8, "{told:?}");
    let reasons = told.iter().map(|(_, reason)| reason.as_str()).collect::<String>();
    assert!(reasons.contains("about a person's answer that is not so"), "{reasons}");
}

#[test]
fn only_what_was_escalated_is_answered() {
    let mut asked = Asked::new();
    let denied = asked.app.post("/v1/decide", &action("files/delete")).ok();
    let seq = denied["receipt"]["seq"].as_u64().unwrap();
    for seq in [seq, 999_999, u64::MAX] {
        asked.answer(seq, "approve").is_problem(404, "no-such-approval");
    }
    for seq in ["-1", "1.0", "x", "18446744073709551616", "%00"] {
        asked.app.get(&format!("/v1/approvals/{seq}")).is_problem(400, "malformed");
    }
    let seq = asked.ask();
    for body in [json!({}), json!({ "answer": "yes" }), json!({ "answer": "approve", "by": "root" })] {
        asked.grace.post(&format!("/v1/approvals/{seq}/answer"), &body).is_problem(400, "malformed");
    }
    assert_eq!(asked.standing(seq)["standing"], "waiting");
}

#[test]
fn a_skill_runs_once_it_is_approved() {
    let mut asked = Asked::new();
    let call = json!({
        "agent": "ada", "skill": "calculator", "input": { "expression": "6 * 7" }, "labels": ["ask"],
    });
    let waits = asked.app.post("/v1/execute", &call).ok();
    assert_eq!(waits["verdict"]["decision"], "escalate");
    let seq = waits["receipt"]["seq"].as_u64().unwrap();
    let path = format!("/v1/approvals/{seq}/execute");
    asked.app.post(&path, &json!({})).is_problem(409, "approval");
    asked.answer(seq, "approve").ok();
    assert_eq!(asked.app.post(&path, &json!({})).ok()["outcome"]["output"], json!({ "value": 42.0 }));
    asked.app.post(&path, &json!({})).is_problem(409, "approval");
}
