//! Who may do what.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use rustix::process::Signal;
use serde_json::json;
use vak_test_support::{Site, binary};

use crate::client::Client;
use crate::served::{Served, action, ada, recorded, refused as recorded_refusals, site, token, until, with};

/// Every place that wants a token, with what would be fine otherwise.
fn guarded() -> Vec<(&'static str, &'static str, serde_json::Value)> {
    vec![
        ("POST", "/v1/decide", action("files/read")),
        ("POST", "/v1/batch", json!({ "actions": [action("files/read")] })),
        ("POST", "/v1/outcome", json!({ "action": "1", "status": "failed" })),
        ("POST", "/v1/execute", json!({ "agent": "ada", "skill": "calculator" })),
        ("POST", "/v1/sessions", json!({ "agent": "ada" })),
        ("GET", "/v1/approvals", json!(null)),
        ("GET", "/v1/approvals/1", json!(null)),
        ("POST", "/v1/approvals/1/answer", json!({ "answer": "approve" })),
        ("POST", "/v1/approvals/1/decide", json!({})),
        ("POST", "/v1/approvals/1/execute", json!({})),
        ("GET", "/metrics", json!(null)),
    ]
}

#[test]
fn nobody_is_somebody_without_a_token_that_is_known() {
    let (served, token) = Served::ada("", "");
    let upper = token.to_uppercase();
    let long = "x".repeat(300);
    for wrong in
        [None, Some("vak_0"), Some(upper.as_str()), Some(&token[..token.len() - 1]), Some(long.as_str()), Some("")]
    {
        let mut client = Client::to(served.address(), wrong);
        for (method, path, body) in guarded() {
            let answer = client.send(method, path, "application/json", body.to_string());
            answer.is_problem(401, "unauthorized");
            assert_eq!(answer.headers["www-authenticate"], "Bearer");
        }
    }
    // How the server is, is no secret.
    let mut client = Client::to(served.address(), None);
    for path in ["/health", "/ready", "/live", "/openapi.json"] {
        client.get(path).ok();
    }
    assert_eq!(served.metric(&token, "vak_decisions_total{decision=\"allow\"}"), 0.0);
    assert!(recorded(&served.stop().site).is_empty());
}

/// In one entry for many.
#[test]
fn what_was_refused_is_told_in_the_log() {
    let (served, token) = Served::ada("", "");
    let mut client = served.client(&token);
    let eve = with(action("files/read"), &json!({ "agent": "eve" }));
    for _ in 0..3 {
        Client::to(served.address(), None).post("/v1/decide", &action("files/read")).is_problem(401, "unauthorized");
    }
    client.post("/v1/decide", &eve).is_problem(403, "agent");
    client.post("/v1/batch", &json!({ "actions": [eve, action("files/read")] })).ok();
    client.post("/v1/execute", &json!({})).is_problem(400, "malformed");
    // That is no action.
    client.post("/v1/sessions", &json!({})).is_problem(400, "malformed");
    client.post("/v1/outcome", &json!({})).is_problem(400, "malformed");
    drop(client);
    let told = recorded_refusals(&served.stop().site);
    assert_eq!(told.iter().map(|(count, _)| count).sum::<u64>(), 6, "{told:?}");
    assert!(
        told.len() <= 2 && told.iter().all(|(_, why)| why.starts_with("requests to the HTTP server were refused: "))
    );
}

#[test]
fn a_token_is_shown_once_and_in_one_way() {
    let (served, token) = Served::ada("", "");
    let body = action("files/read").to_string();
    for authorization in [
        format!("authorization: Basic {token}\r\n"),
        format!("authorization: {token}\r\n"),
        format!("authorization: Bearer {token}\r\nauthorization: Bearer {token}\r\n"),
        format!("cookie: token={token}\r\n"),
    ] {
        let mut stream = crate::client::raw(served.address());
        let length = body.len();
        let head = "POST /v1/decide HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-type: application/json\r\n";
        crate::client::say(&mut stream, format!("{head}{authorization}content-length: {length}\r\n\r\n{body}"));
        assert!(crate::client::rest(&mut stream).starts_with("HTTP/1.1 401 "), "{authorization}");
    }
}

#[test]
fn a_scope_is_good_for_what_it_says() {
    let tokens =
        ["decide", "execute", "metrics", "approve"].map(|scope| token(scope, &format!("['{scope}']"), "['ada']"));
    let lines: String = tokens.iter().map(|(_, lines)| lines.as_str()).collect();
    let served = Served::start(site("", &lines));
    for ((token, _), may) in tokens.iter().zip([
        ["/v1/decide", "/v1/batch", "/v1/outcome", "/v1/sessions", "/v1/approvals/1", "/v1/approvals/1/decide"]
            .as_slice(),
        &["/v1/execute", "/v1/sessions", "/v1/approvals/1/execute"],
        &["/metrics", "/v1/sessions"],
        &["/v1/approvals", "/v1/sessions", "/v1/approvals/1/answer"],
    ]) {
        for (method, path, body) in guarded() {
            let answer = served.client(token).send(method, path, "application/json", body.to_string());
            match may.contains(&path) {
                true => assert!(matches!(answer.status.as_u16(), 200 | 404), "{path}: {}", answer.text()),
                false => drop(answer.is_problem(403, "scope")),
            }
        }
    }
}

#[test]
fn a_token_names_its_agents_and_no_others() {
    let (team, lines) = token("team", "['decide', 'execute']", "['team-*']");
    let served = Served::start(site("", &lines));
    let mut client = served.client(&team);
    let acting = |agent: &str| with(action("files/read"), &json!({ "agent": agent }));
    assert_eq!(client.post("/v1/decide", &acting("team-a")).decision(), "allow");
    for other in ["ada", "team", "TEAM-a", " team-a"] {
        client.post("/v1/decide", &acting(other)).is_problem(403, "agent");
        client.post("/v1/sessions", &json!({ "agent": other })).is_problem(403, "agent");
        client.post("/v1/execute", &json!({ "agent": other, "skill": "calculator" })).is_problem(403, "agent");
    }
    // Those that read like others are no names at all.
    client.post("/v1/decide", &acting("team-\u{430}b")).is_problem(400, "malformed");
}

#[test]
fn a_session_is_for_who_opened_it() {
    let (other, lines) = token("other", "['decide']", "['ada', 'eve']");
    let (served, ada) = Served::ada("", &lines);
    let mut client = served.client(&ada);
    let session = client.post("/v1/sessions", &json!({ "agent": "ada" })).ok()["session"].clone();
    let again = client.post("/v1/sessions", &json!({ "agent": "ada" })).ok()["session"].clone();
    assert_ne!(session, again);
    let in_session = |agent: &str, session: &serde_json::Value| {
        with(action("files/read"), &json!({ "agent": agent, "session": session }))
    };
    client.post("/v1/decide", &in_session("ada", &session)).ok();
    client.post("/v1/decide", &action("files/read")).ok();
    let mut others = served.client(&other);
    others.post("/v1/decide", &in_session("ada", &session)).is_problem(403, "session");
    others.post("/v1/decide", &in_session("eve", &session)).is_problem(403, "session");
    others.post("/v1/decide", &action("files/read")).ok();
    let text = session.as_str().unwrap();
    let last = if text.ends_with('0') { "1" } else { "0" };
    for made_up in [
        json!("mine"),
        json!("token/other"),
        json!("token/app"),
        json!("http-0-0"),
        json!(text[..text.len() - 1].to_owned() + last),
        json!(format!("{text}0")),
    ] {
        client.post("/v1/decide", &in_session("ada", &made_up)).is_problem(403, "session");
    }
    drop((client, others));
    // It outlives the server.
    let served = Served::start(served.stop().site);
    served.client(&ada).post("/v1/decide", &in_session("ada", &session)).ok();
    let sessions: Vec<_> = recorded(&served.stop().site).into_iter().map(|it| it.session).collect();
    assert_eq!(sessions, [text, "token/app", "token/other", text]);
}

#[test]
fn tokens_come_and_go_while_it_runs() {
    let (served, ada) = Served::ada("", "");
    let (other, lines) = token("other", "['decide']", "['ada']");
    let mut client = served.client(&ada);
    client.post("/v1/decide", &action("files/read")).ok();
    let text = std::fs::read_to_string(served.site.config()).unwrap();
    let (_, old) = crate::served::ada();
    std::fs::write(served.site.config(), text.replace(&old, &lines)).unwrap();
    served.signal(Signal::HUP);
    until(|| served.client(&other).post("/v1/decide", &action("files/read")).status == 200, "the new token");
    // On a connection that was open before, too.
    client.post("/v1/decide", &action("files/read")).is_problem(401, "unauthorized");
    // Where it listens can't change, and the rest of such a configuration is not taken.
    std::fs::write(served.site.config(), text.replace("127.0.0.1:0", "127.0.0.1:1")).unwrap();
    served.signal(Signal::HUP);
    drop(client);
    served.until_said("`server` cannot change while the host runs");
    served.client(&other).post("/v1/decide", &action("files/read")).ok();
}

#[test]
fn the_socket_is_for_its_user_as_whom_it_says() {
    let socket = "socket = { path = 'vak.sock', scopes = ['decide'], agents = ['side'] }";
    let (token, lines) = ada();
    let served = Served::start(site(socket, &lines));
    let path = served.socket();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let acting = |agent: &str| with(action("files/read"), &json!({ "agent": agent }));
    let mut client = Client::to_socket(&path, None);
    assert_eq!(client.post("/v1/decide", &acting("side")).decision(), "allow");
    client.post("/v1/decide", &acting("ada")).is_problem(403, "agent");
    client.get("/metrics").is_problem(403, "scope");
    // A token counts there too, and a wrong one is not taken for none.
    let mut client = Client::to_socket(&path, Some(&token));
    assert_eq!(client.post("/v1/decide", &acting("ada")).decision(), "allow");
    client.post("/v1/decide", &acting("side")).is_problem(403, "agent");
    Client::to_socket(&path, Some("vak_0")).post("/v1/decide", &acting("side")).is_problem(401, "unauthorized");
    // And nobody is the socket's at the address.
    Client::to(served.address(), None).post("/v1/decide", &acting("side")).is_problem(401, "unauthorized");
    drop(client);
    served.stop();
    assert!(!path.exists());
}

#[test]
fn a_socket_alone_opens_no_address_and_replaces_what_was_left() {
    let site = site("socket = { path = 'vak.sock' }", &ada().1);
    let text = std::fs::read_to_string(site.config()).unwrap();
    std::fs::write(site.config(), text.replace("listen = '127.0.0.1:0'\n", "")).unwrap();
    drop(std::os::unix::net::UnixListener::bind(site.path().join("vak.sock")).unwrap());
    let served = Served::start(site);
    // Without agents in its section it is no more than another way in.
    Client::to_socket(&served.socket(), None).post("/v1/decide", &action("files/read")).is_problem(401, "unauthorized");
    Client::to_socket(&served.socket(), Some(&ada().0)).post("/v1/decide", &action("files/read")).ok();
}

#[track_caller]
pub(crate) fn refused(site: &Site, part: &str) {
    let output = Command::new(binary("vak")).arg("serve").arg("--config").arg(site.config()).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains(part) && output.stdout.is_empty(), "{stderr}");
}

#[test]
fn it_does_not_start_where_it_should_not() {
    refused(&Site::new().rules(crate::served::RULES), "the configuration has no `[server]`");
    let reachable = site("", &ada().1);
    let text = std::fs::read_to_string(reachable.config()).unwrap();
    std::fs::write(reachable.config(), text.replace("127.0.0.1:0", "0.0.0.0:0")).unwrap();
    refused(&reachable, "is an address that other machines reach; add `[server.tls]`");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let place = taken.local_addr().unwrap().to_string();
    let busy = site("", &ada().1);
    let text = std::fs::read_to_string(busy.config()).unwrap();
    std::fs::write(busy.config(), text.replace("127.0.0.1:0", &place)).unwrap();
    refused(&busy, &format!("`server.listen`: {place}"));
    let file = site("socket = { path = 'vak.toml' }", "");
    refused(&file, "there is something else than a socket");
}

#[test]
fn a_new_token_is_shown_once_and_works() {
    let make =
        |arguments: &[&str]| Command::new(binary("vak")).args(["token", "new"]).args(arguments).output().unwrap();
    let output = make(&["app", "--agent", "ada", "--scope", "decide", "--scope", "metrics"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let (token, lines) = text.split_once("\n\n").unwrap();
    assert!(token.starts_with("vak_") && token.len() == 68 && !lines.contains(token), "{text}");
    let served = Served::start(site("", lines));
    assert_eq!(served.client(token).post("/v1/decide", &action("files/read")).decision(), "allow");
    served
        .client(token)
        .post("/v1/execute", &json!({ "agent": "ada", "skill": "calculator" }))
        .is_problem(403, "scope");
    // None is made that no server would take.
    let refused: [(&[&str], &str); 5] = [
        (&["app"], "say whom its holder may act as"),
        (&["app", "--scope", "mcp", "--agent", "a*"], "the one agent that its calls are of"),
        (&["app", "--scope", "mcp", "--agent", "ada", "--agent", "bob"], "the one agent that its calls are of"),
        (&["app", "--agent", "ada", "--person", "grace"], "names a `person`, and is not for `mcp`"),
        (
            &["app", "--scope", "approve", "--scope", "mcp", "--agent", "ada"],
            "may `approve`, and ask for decisions too",
        ),
    ];
    for (arguments, part) in refused {
        let output = make(arguments);
        assert!(!output.status.success() && output.stdout.is_empty(), "{arguments:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(part), "{output:?}");
    }
}
