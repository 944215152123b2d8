//! Skills.

use serde_json::{Value, json};
use vak_audit::Status;

use crate::served::{Served, recorded, with};

fn calculate(expression: &str) -> Value {
    json!({ "agent": "ada", "skill": "calculator", "input": { "expression": expression } })
}

#[test]
fn a_skill_runs_if_that_is_allowed_and_its_end_is_recorded() {
    let forbid = "[[policies]]\nname = 'no-shell'\nmode = 'off'\ncomponent = 'none.wasm'\n";
    let (served, token) = Served::ada("", forbid);
    let mut client = served.client(&token);
    let answer = client.post("/v1/execute", &calculate("6 * 7")).ok();
    assert_eq!(answer["verdict"]["decision"], "allow");
    assert_eq!(answer["outcome"]["status"], "succeeded");
    assert_eq!(answer["outcome"]["output"], json!({ "value": 42.0 }));
    assert!(answer["outcome"]["receipt"]["seq"].as_u64() > answer["receipt"]["seq"].as_u64());
    let failed = client.post("/v1/execute", &calculate("6 *")).ok();
    assert_eq!(failed["outcome"]["status"], "failed");
    assert!(failed["outcome"]["detail"].is_string() && failed["outcome"]["output"].is_null(), "{failed}");
    client.post("/v1/execute", &json!({ "agent": "ada", "skill": "none" })).is_problem(404, "no-such-skill");
    drop(client);
    let recorded = recorded(&served.stop().site);
    let told: Vec<_> =
        recorded.iter().map(|it| (it.decision.operation.as_str(), it.outcome.as_ref().unwrap().status)).collect();
    assert_eq!(told, [("skill/calculator", Status::Succeeded), ("skill/calculator", Status::Failed)]);
}

#[test]
fn a_skill_that_is_denied_does_not_run() {
    let (served, token) =
        Served::ada("", "[[limits]]\nname = 'few'\nkind = 'quota'\nper = 'agent'\nactions = 1\nwindow_s = 3600\n");
    let mut client = served.client(&token);
    client.post("/v1/execute", &calculate("1")).ok();
    let denied = client.post("/v1/execute", &calculate("1")).ok();
    assert_eq!(denied["verdict"]["decision"], "deny");
    assert!(denied["outcome"].is_null() && denied["receipt"]["seq"].is_u64(), "{denied}");
}

#[test]
fn it_runs_once_for_one_id() {
    let (served, token) = Served::ada("", "");
    let mut client = served.client(&token);
    let asked = with(calculate("6 * 7"), &json!({ "id": "1" }));
    let first = client.post("/v1/execute", &asked).ok();
    assert_eq!(client.post("/v1/execute", &asked).ok(), first);
    client.post("/v1/execute", &with(asked, &json!({ "input": { "expression": "1" } }))).is_problem(409, "id-in-use");
    // Its outcome is the host's to tell.
    let outcome = json!({ "action": first["action"], "status": "failed" });
    client.post("/v1/outcome", &outcome).is_problem(404, "no-such-decision");
    drop(client);
    assert_eq!(recorded(&served.stop().site).len(), 1);
}
