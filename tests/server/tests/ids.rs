//! Requests that come again.

use std::thread::scope;

use serde_json::json;

use crate::served::{BUDGET, Served, action, pay, recorded, token, with};

fn named(action: serde_json::Value, id: &str) -> serde_json::Value {
    with(action, &json!({ "id": id }))
}

#[test]
fn a_retry_is_the_same_and_consumes_nothing() {
    let (served, token) = Served::ada("", BUDGET);
    let mut client = served.client(&token);
    let first = client.post("/v1/decide", &named(pay(60), "order-1")).ok();
    assert!(first["action"].as_str().unwrap().starts_with("order-1@"), "{first}");
    // Over another connection, and written another way.
    let again =
        served.client(&token).post("/v1/decide", &named(with(pay(60), &json!({ "labels": [] })), "order-1")).ok();
    assert_eq!(first, again);
    // A deny stands, too.
    let denied = client.post("/v1/decide", &named(pay(60), "order-2")).ok();
    client.post("/v1/outcome", &json!({ "action": first["action"], "status": "failed" })).ok();
    assert_eq!(client.post("/v1/decide", &named(pay(60), "order-2")).ok(), denied);
    // What was ended is not open again.
    assert_eq!(client.post("/v1/decide", &named(pay(60), "order-1")).ok(), first);
    client
        .post("/v1/outcome", &json!({ "action": first["action"], "status": "failed" }))
        .is_problem(404, "no-such-decision");
    assert_eq!(served.metric(&token, "vak_http_repeated_total"), 3.0);
    assert_eq!(client.post("/v1/decide", &named(pay(100), "order-3")).decision(), "allow");
    drop(client);
    assert_eq!(recorded(&served.stop().site).len(), 3);
}

#[test]
fn an_id_is_for_one_action() {
    let (served, token) = Served::ada("", "");
    let mut client = served.client(&token);
    let asked = named(with(action("files/read"), &json!({ "arguments": { "path": "/a" } })), "1");
    client.post("/v1/decide", &asked).ok();
    for other in [
        json!({ "operation": "files/write" }),
        json!({ "resource": "s" }),
        json!({ "arguments": { "path": "/b" } }),
        json!({ "attributes": { "cost": 1 } }),
        json!({ "labels": ["untrusted"] }),
        json!({ "able": { "headers": true } }),
    ] {
        client.post("/v1/decide", &with(asked.clone(), &other)).is_problem(409, "id-in-use");
    }
    let skill = json!({ "agent": "ada", "skill": "calculator", "input": { "expression": "1" }, "id": "1" });
    client.post("/v1/execute", &skill).is_problem(409, "id-in-use");
    client.post("/v1/decide", &asked).ok();
    for wrong in ["", "a b", "a/b", "a@b", "ä", &"x".repeat(65)] {
        client.post("/v1/decide", &named(action("files/read"), wrong)).is_problem(400, "malformed");
    }
}

#[test]
fn ids_of_others_are_others() {
    let (other, lines) = token("other", "['decide']", "['ada', 'eve']");
    let (served, ada) = Served::ada("", &lines);
    let asked = named(action("files/read"), "1");
    let ids = [
        served.client(&ada).post("/v1/decide", &asked).ok()["action"].clone(),
        served.client(&other).post("/v1/decide", &named(action("files/write"), "1")).ok()["action"].clone(),
        served.client(&other).post("/v1/decide", &with(asked, &json!({ "agent": "eve" }))).ok()["action"].clone(),
    ];
    assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2], "{ids:?}");
    let actions: Vec<_> = recorded(&served.stop().site).into_iter().map(|it| it.action).collect();
    assert_eq!(serde_json::json!(actions), serde_json::json!(ids));
}

#[test]
fn who_asks_at_the_same_time_waits_for_the_one_who_is_decided() {
    let (served, token) = Served::ada("", BUDGET);
    for round in 0..10 {
        let asked = named(pay(10), &format!("round-{round}"));
        let mut clients: Vec<_> = (0..8).map(|_| served.client(&token)).collect();
        let answers: Vec<_> = scope(|threads| {
            let asking = clients.iter_mut().map(|client| threads.spawn(|| client.post("/v1/decide", &asked).ok()));
            asking.collect::<Vec<_>>().into_iter().map(|asking| asking.join().unwrap()).collect()
        });
        assert_eq!(answers[0]["verdict"]["decision"], "allow");
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    }
    // In one batch, too.
    let twice = json!({ "actions": [named(pay(0), "twice"), named(pay(0), "twice")] });
    let results = served.client(&token).post("/v1/batch", &twice).ok()["results"].clone();
    assert_eq!(results[0], results[1]);
    assert_eq!(recorded(&served.stop().site).len(), 11);
}

/// Neither twice nor told: what it was is in the log.
#[test]
fn after_a_restart_nothing_is_decided_again() {
    let (served, token) = Served::ada("", BUDGET);
    let asked = named(pay(60), "order");
    served.client(&token).post("/v1/decide", &asked).ok();
    let served = Served::start(served.stop().site);
    let mut client = served.client(&token);
    client.post("/v1/decide", &asked).is_problem(409, "result-gone");
    client.post("/v1/decide", &named(pay(1), "order")).is_problem(409, "result-gone");
    client.post("/v1/decide", &named(pay(1), "other")).ok();
    drop(client);
    assert_eq!(recorded(&served.stop().site).len(), 2);
}

#[test]
fn so_many_are_remembered_of_each_and_for_so_long() {
    let (other, lines) = token("other", "['decide']", "['ada']");
    let (served, ada) = Served::ada("limits = { ids_max = 2 }", &lines);
    let mut client = served.client(&ada);
    let mut decide =
        |id: &str| client.post("/v1/decide", &named(action("files/read"), id)).ok()["receipt"]["seq"].clone();
    let mut others = served.client(&other);
    let first = others.post("/v1/decide", &named(action("files/read"), "1")).ok();
    let (one, two, three) = (decide("1"), decide("2"), decide("3"));
    assert_eq!((decide("2"), decide("3")), (two, three));
    // Forgotten, and decided anew: so it is said.
    assert_ne!(decide("1"), one);
    // Whoever asks a lot makes nobody else's forgotten.
    assert_eq!(others.post("/v1/decide", &named(action("files/read"), "1")).ok(), first);
}
