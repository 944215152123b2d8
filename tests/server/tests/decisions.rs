//! What is decided, and how it ends.

use serde_json::json;
use vak_audit::Status;

use crate::served::{BUDGET, Served, action, pay, recorded, token, until, with};

#[test]
fn a_verdict_is_answered_recorded_and_ended_once() {
    let (served, token) = Served::ada("", "");
    let mut client = served.client(&token);
    let allowed =
        client.post("/v1/decide", &with(action("files/read"), &json!({ "arguments": { "path": "/a" } }))).ok();
    assert_eq!(allowed["verdict"]["decision"], "allow");
    assert_eq!(allowed["receipt"]["tier"], "durable");
    assert!(allowed["receipt"]["checkpoint"].as_str().unwrap().starts_with("example.org/test\n"));

    // A deny is an answer.
    let denied = client.post("/v1/decide", &action("files/delete")).ok();
    assert_eq!(denied["verdict"]["decision"], "deny");
    assert_eq!(denied["verdict"]["reasons"][0]["rule"], "no-delete");
    assert!(denied["receipt"]["seq"].is_u64());
    assert_eq!(client.post("/v1/decide", &action("files/ask")).decision(), "escalate");
    assert_eq!(client.post("/v1/decide", &action("shell/run")).decision(), "deny");

    let outcome = json!({ "action": allowed["action"], "status": "succeeded", "result": { "b": 1, "a": [2] } });
    let ended = client.post("/v1/outcome", &outcome).ok();
    assert!(ended["receipt"]["seq"].as_u64() > allowed["receipt"]["seq"].as_u64());
    client.post("/v1/outcome", &outcome).is_problem(404, "no-such-decision");
    // What was not allowed has no outcome.
    let outcome = json!({ "action": denied["action"], "status": "failed" });
    client.post("/v1/outcome", &outcome).is_problem(404, "no-such-decision");
    drop(client);

    let ended = served.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let recorded = recorded(&ended.site);
    let decisions: Vec<_> = recorded.iter().map(|it| it.decision.verdict.decision.to_string()).collect();
    assert_eq!(decisions, ["allow", "deny", "escalate", "deny"]);
    let outcome = recorded[0].outcome.as_ref().unwrap();
    assert_eq!(outcome.status, Status::Succeeded);
    assert_eq!(outcome.result, Some(vak_audit::Contents::of(br#"{"a":[2],"b":1}"#)));
    assert!(recorded[1..].iter().all(|it| it.outcome.is_none()));
}

#[test]
fn obligations_are_for_who_promises_to_meet_them() {
    let (served, token) = Served::ada("", "");
    let mut client = served.client(&token);
    let asked = with(action("files/redact"), &json!({ "arguments": { "path": "/secret" } }));
    assert_eq!(client.post("/v1/decide", &asked).decision(), "deny");
    let answer = client.post("/v1/decide", &with(asked, &json!({ "able": { "arguments": true } }))).ok();
    assert_eq!(answer["verdict"]["decision"], "allow");
    assert_eq!(answer["arguments"], json!({ "path": "gone" }));
}

#[test]
fn each_of_a_batch_is_decided_by_itself() {
    let (served, token) = Served::ada("", BUDGET);
    let mut client = served.client(&token);
    let actions = json!([
        action("files/read"),
        action("files/delete"),
        with(action("files/read"), &json!({ "agent": "eve" })),
        pay(60),
        pay(60)
    ]);
    let results = client.post("/v1/batch", &json!({ "actions": actions })).ok()["results"].clone();
    let told: Vec<_> = results
        .as_array()
        .unwrap()
        .iter()
        .map(|result| result["verdict"]["decision"].as_str().or(result["problem"]["type"].as_str()).unwrap())
        .collect();
    assert_eq!(told, ["allow", "deny", "urn:vak:problem:agent", "allow", "deny"]);
    // They were asked in their order.
    let seq = |at: usize| results[at]["receipt"]["seq"].as_u64().unwrap();
    assert!(seq(0) < seq(1) && seq(1) < seq(3) && seq(3) < seq(4));
    for actions in [vec![], vec![action("files/read"); 65]] {
        client.post("/v1/batch", &json!({ "actions": actions })).is_problem(400, "malformed");
    }
}

#[test]
fn what_it_costs_is_spent_or_comes_back() {
    let (served, token) = Served::ada("", BUDGET);
    let mut client = served.client(&token);
    let first = client.post("/v1/decide", &pay(60)).ok();
    assert_eq!(client.post("/v1/decide", &pay(60)).decision(), "deny");
    client.post("/v1/outcome", &json!({ "action": first["action"], "status": "failed", "detail": "closed" })).ok();
    let second = client.post("/v1/decide", &pay(60)).ok();
    assert_eq!(second["verdict"]["decision"], "allow");
    let outcome = json!({ "action": second["action"], "status": "succeeded", "spent": { "cost": 30 } });
    client.post("/v1/outcome", &outcome).ok();
    assert_eq!(client.post("/v1/decide", &pay(70)).decision(), "allow");
    assert_eq!(client.post("/v1/decide", &pay(1)).decision(), "deny");
}

#[test]
fn nobody_reports_for_another() {
    let (other, lines) = token("other", "['decide']", "['ada', 'eve']");
    let (served, ada) = Served::ada("", &lines);
    let allowed = served.client(&ada).post("/v1/decide", &action("files/read")).ok();
    let outcome = json!({ "action": allowed["action"], "status": "failed" });
    served.client(&other).post("/v1/outcome", &outcome).is_problem(404, "no-such-decision");
    served.client(&ada).post("/v1/outcome", &outcome).ok();
}

#[test]
fn who_reports_nothing_has_spent_it() {
    let (served, token) = Served::ada("limits = { outcome_s = 1 }", BUDGET);
    let mut client = served.client(&token);
    let allowed = client.post("/v1/decide", &pay(60)).ok();
    served.until_metric(&token, "vak_outcomes_total{end=\"unreported\"}", 1.0);
    client
        .post("/v1/outcome", &json!({ "action": allowed["action"], "status": "failed" }))
        .is_problem(404, "no-such-decision");
    assert_eq!(client.post("/v1/decide", &pay(60)).decision(), "deny");
    let site = &served.site;
    let ended = || recorded(site)[0].outcome.clone();
    until(|| ended().is_some(), "an outcome");
    let outcome = ended().unwrap();
    assert_eq!((outcome.status, outcome.detail.as_str()), (Status::Unknown, "no outcome was reported in time"));
}

#[test]
fn so_many_wait_and_no_more() {
    let (served, token) = Served::ada("limits = { waiting_per_agent_max = 2 }", "");
    let mut client = served.client(&token);
    let mut decide = || client.post("/v1/decide", &action("files/read")).ok()["action"].clone();
    let actions = [decide(), decide(), decide()];
    served.until_metric(&token, "vak_outcomes_waiting", 2.0);
    let statuses = actions
        .map(|action| client.post("/v1/outcome", &json!({ "action": action, "status": "succeeded" })).status.as_u16());
    assert_eq!(statuses, [404, 200, 200]);
    drop(client);
    let recorded = recorded(&served.stop().site);
    assert_eq!(recorded[0].outcome.as_ref().unwrap().status, Status::Unknown);
    assert!(recorded.iter().all(|it| it.outcome.is_some()));
}
