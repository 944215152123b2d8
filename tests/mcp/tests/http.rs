//! Streamable HTTP, as clients get it.

use std::io::{BufRead as _, BufReader};

use rmcp::model::CallToolRequestParams;
use serde_json::json;
use vak_audit::Status;

use crate::listening::{
    Answer, Listening, TOKEN, borrowed, call, command, initialize, lifecycles, stateless, token_file,
};
use crate::log::{recorded, refused};
use crate::raw::told;
use crate::site::{PERMIT_ALL, file_server, misbehaving, patient};

fn ask(gateway: &Listening, message: serde_json::Value) -> Answer {
    let (headers, message) = stateless(message);
    gateway.post(&borrowed(&headers), &message)
}

#[test]
fn both_revisions_are_served() {
    let site = patient(PERMIT_ALL);
    let gateway = Listening::start(&site, &file_server(&site));
    // 2025-11-25: a session.
    let id = gateway.begin();
    let session = [("Mcp-Session-Id", id.as_str()), ("MCP-Protocol-Version", "2025-11-25")];
    let listed = gateway.post(&session, &json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/list" })).message();
    assert_eq!(listed["result"]["tools"][1]["name"], "read_file", "{listed}");
    let read = gateway.post(&session, &call(3, "read_file", &json!({ "path": "notes.txt" }))).message();
    assert_eq!(told(&read), (false, "Buy milk.".to_owned()));
    // It is the same one over the standalone stream, and it ends.
    let ended = gateway.ask("DELETE", &session, "");
    assert!((200..300).contains(&ended.status), "{ended:?}");
    let late = gateway.post(&session, &call(4, "read_file", &json!({ "path": "notes.txt" })));
    assert_eq!((late.status, late.body.as_str()), (404, "there is no such session"));
    // 2026-07-28: none.
    let read = ask(&gateway, call(5, "read_file", &json!({ "path": "notes.txt" })));
    assert_eq!(read.header("content-type"), Some("application/json"), "{read:?}");
    assert_eq!(read.header("mcp-session-id"), None);
    assert_eq!(told(&read.message()), (false, "Buy milk.".to_owned()));
    let found =
        ask(&gateway, json!({ "jsonrpc": "2.0", "id": 6, "method": "server/discover", "params": {} })).message();
    assert!(found["result"]["supportedVersions"].to_string().contains("2026-07-28"), "{found}");
    gateway.stop();
    let recorded = recorded(&site);
    assert_eq!(recorded.len(), 2);
    assert!(recorded.iter().all(|recorded| recorded.told().2 == Some(Status::Succeeded)));
}

#[tokio::test]
async fn the_library_s_client_is_served_in_both_revisions() {
    let site = patient(PERMIT_ALL);
    let gateway = Listening::start(&site, &file_server(&site));
    for lifecycle in lifecycles() {
        let mut client = gateway.client(lifecycle).await;
        assert_eq!(client.list_all_tools().await.unwrap().len(), 4);
        let arguments = json!({ "path": "notes.txt" }).as_object().unwrap().clone();
        let read = client.call_tool(CallToolRequestParams::new("read_file").with_arguments(arguments)).await.unwrap();
        assert_eq!(read.content[0].as_text().unwrap().text, "Buy milk.");
        client.close().await.unwrap();
    }
    gateway.stop();
    assert_eq!(recorded(&site).len(), 2);
}

#[test]
fn nobody_is_served_without_the_token() {
    let site = patient(PERMIT_ALL);
    let gateway = Listening::start(&site, &misbehaving(&site, "fine"));
    let bearer = format!("Bearer {TOKEN}");
    let short = format!("Bearer {}", &TOKEN[1..]);
    let refused: [&[(&str, &str)]; 7] = [
        &[("Authorization", "")],
        &[("Authorization", "Bearer ")],
        &[("Authorization", "Bearer 0123456789abcdef0123456789abcdeg")],
        &[("Authorization", &short)],
        &[("Authorization", TOKEN)],
        &[("Authorization", "Basic MDEyMw==")],
        &[("+Authorization", &bearer)],
    ];
    for headers in refused {
        for method in ["POST", "GET", "DELETE"] {
            let answer = gateway.ask(method, headers, &initialize().to_string());
            assert_eq!((answer.status, answer.header("www-authenticate")), (401, Some("bearer")), "{headers:?}");
        }
    }
    // A page in a browser on this machine, also one whose name was bound to this address.
    let page: [&[(&str, &str)]; 5] = [
        &[("Origin", "http://evil.example")],
        &[("Origin", "null")],
        &[("Origin", "http://localhost")],
        &[("Host", "evil.example")],
        &[("Host", "127.0.0.1.evil.example")],
    ];
    for headers in page {
        let answer = gateway.post(headers, &initialize());
        assert_eq!(answer.status, 403, "{headers:?}: {answer:?}");
    }
    assert_eq!(gateway.post(&[("Host", "")], &initialize()).status, 400);
    assert!(gateway.post(&[("Authorization", &bearer.replace("Bearer", "bearer"))], &initialize()).status == 200);
    gateway.stop();
    assert!(recorded(&site).is_empty());
}

#[test]
fn only_this_machine_and_only_a_secret_will_do() {
    let site = patient(PERMIT_ALL);
    token_file(&site, TOKEN);
    let upstream = misbehaving(&site, "fine");
    let check = |address: &str, part: &str| {
        let output = command(&site, address, &upstream).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(part), "{address}: {said}");
    };
    check("0.0.0.0:0", "`0.0.0.0:0` is not an address of this machine alone");
    check("[::]:0", "is not an address of this machine alone");
    for token in ["", "short", &"x y".repeat(20), &"x".repeat(513), &"\u{e9}".repeat(40)] {
        token_file(&site, token);
        check("127.0.0.1:0", "a token has 32 to 512 visible ASCII characters");
    }
    let path = token_file(&site, TOKEN);
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    check("127.0.0.1:0", "others may read it (mode 644)");
    std::fs::remove_file(path).unwrap();
    check("127.0.0.1:0", "the token in");
}

#[test]
fn headers_and_body_have_to_agree() {
    let site = patient(PERMIT_ALL);
    let gateway = Listening::start(&site, &misbehaving(&site, "fine"));
    let (headers, message) = stateless(call(7, "one", &json!({})));
    let wrong: [&[(&str, &str)]; 7] = [
        &[("Mcp-Name", "two")],
        &[("Mcp-Name", "")],
        &[("Mcp-Method", "tools/list")],
        &[("Mcp-Method", "")],
        &[("MCP-Protocol-Version", "2025-11-25")],
        &[("MCP-Protocol-Version", "")],
        &[("MCP-Protocol-Version", "1999-01-01")],
    ];
    for change in wrong {
        let mut headers = borrowed(&headers);
        headers.retain(|(name, _)| *name != change[0].0);
        headers.extend(change.iter().filter(|(_, value)| !value.is_empty()));
        let answer = gateway.post(&headers, &message);
        assert_eq!(answer.status, 400, "{change:?}: {answer:?}");
    }
    let id = gateway.begin();
    let twice = gateway.post(&[("Mcp-Session-Id", &id), ("+Mcp-Session-Id", "other")], &call(8, "one", &json!({})));
    assert_eq!((twice.status, twice.body.as_str()), (400, "`Mcp-Session-Id` stands twice"));
    // A session is begun once.
    assert_eq!(gateway.post(&[("Mcp-Session-Id", &id)], &initialize()).status, 400);
    assert_eq!(gateway.post(&borrowed(&headers), &message).status, 200);
    gateway.stop();
    assert_eq!(recorded(&site).len(), 1);
}

#[test]
fn what_could_be_read_in_two_ways_is_not_judged() {
    let site = patient(PERMIT_ALL);
    let gateway = Listening::start(&site, &misbehaving(&site, "fine"));
    let (headers, message) = stateless(call(7, "one", &json!({ "path": "/ok" })));
    let (headers, message) = (borrowed(&headers), message.to_string());
    let deep = "[".repeat(10_000) + &"]".repeat(10_000);
    let cases = [
        (format!("[{message}]"), 400, "refused"),
        (format!("[{message},{message}]"), 400, "refused"),
        ("[]".to_owned(), 400, "refused"),
        (String::new(), 400, "the body is empty"),
        ("{".to_owned(), 400, "cannot be read"),
        (deep, 400, "cannot be read"),
        (
            message.replace(r#""path":"/ok""#, r#""path":"/ok","path":"/etc/shadow""#),
            400,
            "the key `path` stands twice",
        ),
        (message.replace(r#""id":7"#, r#""id":7,"id":8"#), 400, "duplicate field `id`"),
        (message.replace("/ok", &"x".repeat(1 << 20)), 400, "the most is 1048576"),
        (message.replace("/ok", &"x".repeat(3 << 20)), 413, "the most is 2097152 bytes"),
    ];
    for (body, status, part) in cases {
        let answer = gateway.ask("POST", &headers, &body);
        let shown = &body[..body.len().min(80)];
        assert!(answer.status == status && answer.body.contains(part), "{shown}: {answer:?}");
    }
    let plain = gateway.ask("POST", &[headers.as_slice(), &[("Content-Type", "text/plain")]].concat(), &message);
    assert_eq!(plain.status, 415);
    assert_eq!(gateway.ask("PUT", &headers, &message).status, 405);
    assert_eq!(gateway.ask("POST", &headers, &message).status, 200);
    gateway.stop();
    assert_eq!(recorded(&site).len(), 1);
    assert_eq!(refused(&site).iter().map(|(count, _)| count).sum::<u64>(), 9);
}

#[test]
fn who_listens_hears_what_has_changed_and_nothing_else() {
    let rules = "[[rule]]\nid = 'all'\neffect = 'permit'\noperations = ['up/*', 'up/prompts/*']\n";
    let site = patient(rules);
    let gateway = Listening::start(&site, &misbehaving(&site, "rug-pull"));
    let wants = json!({ "toolsListChanged": true, "promptsListChanged": true, "resourcesListChanged": true });
    let wants = json!({ "notifications": wants });
    let listen = json!({ "jsonrpc": "2.0", "id": 7, "method": "subscriptions/listen", "params": wants });
    let (headers, listen) = stateless(listen);
    let request = gateway.request("POST", &borrowed(&headers), &listen.to_string());
    let mut stream = BufReader::new(gateway.send(&request));
    let mut until = |part: &str| loop {
        let mut line = String::new();
        assert!(stream.read_line(&mut line).unwrap() > 0, "it ended before `{part}`");
        if line.contains(part) {
            return line;
        }
    };
    // No policy permits resources, so there are none that could change.
    let accepted = until("subscriptions/acknowledged");
    assert!(accepted.contains("promptsListChanged") && !accepted.contains("resourcesListChanged"), "{accepted}");
    // This pulls the rug, and says so.
    ask(&gateway, call(8, "two", &json!({})));
    until("notifications/tools/list_changed");
    let other = json!({ "jsonrpc": "2.0", "id": 9, "method": "prompts/get", "params": { "name": "other" } });
    ask(&gateway, other);
    until("notifications/prompts/list_changed");
    // More streams than may be leave places for calls.
    let many: Vec<_> = (0..80).map(|_| gateway.send(&request)).collect();
    assert_eq!(told(&ask(&gateway, call(10, "two", &json!({}))).message()), (false, "done".to_owned()));
    drop(many);
    gateway.stop();
}

#[test]
fn a_session_hears_that_the_list_has_changed() {
    let site = patient(PERMIT_ALL);
    let gateway = Listening::start(&site, &misbehaving(&site, "list-changed"));
    let id = gateway.begin();
    let session = [("Mcp-Session-Id", id.as_str())];
    let mut stream = BufReader::new(gateway.send(&gateway.request("GET", &session, "")));
    gateway.post(&session, &json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/list" })).message();
    let mut line = String::new();
    while !line.contains("notifications/tools/list_changed") {
        line.clear();
        assert!(stream.read_line(&mut line).unwrap() > 0, "the stream ended");
    }
    gateway.stop();
}
