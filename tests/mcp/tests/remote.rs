//! Upstreams that are reached over HTTP.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::json;
use vak_audit::Status;
use vak_test_support::Site;

use crate::listening::{Listening, TOKEN, token_file};
use crate::log::{Recorded, recorded};
use crate::raw::Session;
use crate::site::{file_server, installed, misbehaving, patient, with_mcp};

const RULES: &str = "[[rule]]\nid = 'all'\neffect = 'permit'\noperations = ['web/*']\n";

/// A gateway with the upstream `web` at this address, and these settings for it.
pub(crate) fn before(url: &str, settings: &str, call_ms: u64) -> Site {
    let site = with_mcp(RULES, &format!("start_ms = 60_000\ncall_ms = {call_ms}"));
    site.section(&format!("[[mcp.upstreams]]\nname = 'web'\nurl = '{url}'\n{settings}"))
}

#[test]
fn a_gateway_stands_before_another() {
    let far = patient("[[rule]]\nid = 'all'\neffect = 'permit'\noperations = ['up/*']\n");
    let server = Listening::start(&far, &file_server(&far));
    let near = before(&server.url(), "token = 'token'", 60_000);
    token_file(&near, TOKEN);
    let mut session = Session::start(&near, &[]);
    let tools = session.tools().unwrap();
    assert_eq!(tools, ["web_list_directory", "web_read_file", "web_write_file"]);
    assert_eq!(session.call("web_read_file", &json!({ "path": "notes.txt" })), (false, "Buy milk.".to_owned()));
    session.finish();
    server.stop();
    for (site, operation) in [(&near, "web/read_file"), (&far, "up/read_file")] {
        let recorded = recorded(site);
        let told: Vec<_> = recorded.iter().map(Recorded::told).collect();
        assert_eq!(told, [(operation, "allow".to_owned(), Some(Status::Succeeded))]);
    }
}

#[test]
fn without_its_token_or_without_a_server_it_is_said() {
    let far = patient("");
    let server = Listening::start(&far, &file_server(&far));
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let cases = [
        (server.url(), "", "web` answered `initialize` wrongly"),
        (format!("http://{closed}/mcp"), "", "web` answered `initialize` wrongly"),
        ("http://192.0.2.1/mcp".to_owned(), "token = 'token'", "a token is not sent over `http` to another machine"),
        ("ftp://127.0.0.1/mcp".to_owned(), "", "`ftp` is neither `http` nor `https`"),
        ("nonsense".to_owned(), "", "cannot be reached at its `url`"),
        (server.url(), "token = 'missing'", "the token in"),
    ];
    for (url, settings, part) in cases {
        let near = before(&url, settings, 60_000);
        token_file(&near, TOKEN);
        let mut session = Session::start(&near, &[]);
        let (failed, text) = session.call("web_read_file", &json!({ "path": "notes.txt" }));
        assert!(failed && text.contains(part), "{url}: {text}");
        session.finish();
        assert_eq!(recorded(&near)[0].told().2, Some(Status::Failed), "{url}");
    }
    server.stop();
}

/// A server over HTTP that is a script.
pub(crate) struct Script {
    child: Child,
    pub(crate) url: String,
}

impl Script {
    pub(crate) fn start(python: impl AsRef<std::ffi::OsStr>, script: &str, arguments: &[&str]) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(script);
        let mut command = Command::new(python);
        let mut child =
            command.arg(script).args(arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
        assert!(url.starts_with("http"), "{url}");
        Self { child, url: url.trim().to_owned() }
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        self.child.kill().unwrap_or_default();
        self.child.wait().map(drop).unwrap_or_default();
    }
}

#[test]
fn the_reference_server_is_reached_in_the_newest_revision() {
    let server = Script::start(installed("python/bin/python"), "python/server.py", &[]);
    let near = before(&server.url, "", 60_000);
    let mut session = Session::start(&near, &[]);
    assert_eq!(session.tools().unwrap(), ["web_add", "web_fail", "web_revision"]);
    assert_eq!(session.call("web_add", &json!({ "a": 40, "b": 2 })), (false, "42".to_owned()));
    assert!(session.call("web_fail", &json!({})).0);
    assert_eq!(session.call("web_revision", &json!({})), (false, "2026-07-28".to_owned()));
    session.finish();
    let recorded = recorded(&near);
    let told: Vec<_> = recorded.iter().map(|recorded| recorded.told().2).collect();
    assert_eq!(told, [Some(Status::Succeeded), Some(Status::Failed), Some(Status::Succeeded)]);
}

#[test]
fn a_server_that_knows_only_initialize_is_reached_too() {
    let server = Script::start("python3", "upstreams/over_http.py", &["fine"]);
    let near = before(&server.url, "", 60_000);
    let mut session = Session::start(&near, &[]);
    assert_eq!(session.tools().unwrap(), ["web_one"]);
    assert_eq!(session.call("web_one", &json!({})), (false, "done".to_owned()));
    session.finish();
    assert_eq!(recorded(&near)[0].told().2, Some(Status::Succeeded));
}

#[test]
fn what_answers_another_request_answers_none() {
    for (mode, part) in [
        ("other-id", "did not answer within 1500 ms"),
        ("string-id", "did not answer within 1500 ms"),
        ("large", "web` gave no answer"),
        ("cut", "web` gave no answer"),
    ] {
        let server = Script::start("python3", "upstreams/over_http.py", &[mode]);
        let near = before(&server.url, "", 1_500);
        let mut session = Session::start(&near, &[]);
        let (failed, text) = session.call("web_one", &json!({}));
        assert!(failed && (text.contains(part) || text.contains("did not answer within")), "{mode}: {text}");
        assert!(!text.contains("stolen"), "{mode}: {text}");
        session.finish();
        assert_eq!(recorded(&near)[0].told().2, Some(Status::Unknown), "{mode}");
    }
}

#[test]
fn that_a_list_has_changed_passes_two_gateways() {
    let far = patient("[[rule]]\nid = 'all'\neffect = 'permit'\noperations = ['up/*']\n");
    let server = Listening::start(&far, &misbehaving(&far, "rug-pull"));
    let near = before(&server.url(), "token = 'token'", 60_000);
    token_file(&near, TOKEN);
    let mut session = Session::start(&near, &[]);
    assert_eq!(session.tools().unwrap(), ["web_one", "web_two"]);
    // Between the two the newer revision is spoken, where that is said to who listens.
    assert_eq!(session.call("web_two", &json!({})), (false, "done".to_owned()));
    session.hears("notifications/tools/list_changed");
    assert_eq!(session.tools().unwrap(), ["web_two"]);
    session.finish();
    server.stop();
}

/// An authority of certificates, and a server's that it has certified for
/// `localhost`, in files of this folder.
fn certified(folder: &Path, ca: &str) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap();
    std::fs::write(folder.join(format!("{ca}.ca.pem")), authority.pem()).unwrap();
    std::fs::write(folder.join(format!("{ca}.pem")), certificate.pem()).unwrap();
    std::fs::write(folder.join(format!("{ca}.key")), key.serialize_pem()).unwrap();
}

/// A server whose certificate is that of `ca`, and what it saw of tokens.
fn secure(folder: &Path, ca: &str) -> (Script, PathBuf) {
    certified(folder, ca);
    let file = |end: &str| folder.join(format!("{ca}.{end}")).display().to_string();
    let log = file("log");
    let arguments = ["fine", "0", &log, &file("pem"), &file("key")];
    (Script::start("python3", "upstreams/over_http.py", &arguments), log.into())
}

#[test]
fn over_tls_only_who_is_certified_sees_the_token() {
    let folder = patient("");
    let (server, log) = secure(folder.path(), "own");
    certified(folder.path(), "other");
    std::fs::write(folder.path().join("empty.pem"), "").unwrap();
    let ca = |name: &str| format!("token = 'token'\nca = '{}'", folder.path().join(name).display());
    let by_number = server.url.replace("localhost", "127.0.0.1");
    let cases = [
        (server.url.clone(), "token = 'token'".to_owned(), "UnknownIssuer"),
        (server.url.clone(), ca("other.ca.pem"), "invalid peer certificate"),
        (by_number, ca("own.ca.pem"), "not valid for name"),
        (server.url.replace("https", "http"), ca("own.ca.pem"), "nothing certifies `http`"),
        (server.url.clone(), ca("none.pem"), "the authorities in"),
        (server.url.clone(), ca("empty.pem"), "there is no certificate"),
        (server.url.clone(), ca("own.key"), "there is no certificate"),
    ];
    for (url, settings, part) in cases {
        let near = before(&url, &settings, 60_000);
        token_file(&near, TOKEN);
        let mut session = Session::start(&near, &[]);
        let (failed, text) = session.call("web_one", &json!({}));
        assert!(failed && text.contains(part), "{url} {settings}: {text}");
        session.finish();
    }
    assert!(!log.exists(), "{}", std::fs::read_to_string(&log).unwrap());

    let near = before(&server.url, &ca("own.ca.pem"), 60_000);
    token_file(&near, TOKEN);
    // Another upstream gets no token of its neighbour's.
    let plain = folder.path().join("plain.log");
    let other = Script::start("python3", "upstreams/over_http.py", &["fine", "0", plain.to_str().unwrap()]);
    let near = near.section(&format!("[[mcp.upstreams]]\nname = 'other'\nurl = '{}'\n", other.url));
    let mut session = Session::start(&near, &[]);
    assert_eq!(session.call("web_one", &json!({})), (false, "done".to_owned()));
    session.call("other_one", &json!({}));
    session.finish();
    let seen = |log: &Path| std::fs::read_to_string(log).unwrap();
    assert!(seen(&log).lines().all(|line| line == format!("Bearer {TOKEN}")), "{}", seen(&log));
    assert!(seen(&plain).lines().all(|line| line == "None"), "{}", seen(&plain));
}

#[test]
fn a_redirect_is_not_followed() {
    let folder = patient("");
    let (elsewhere, log) = secure(folder.path(), "elsewhere");
    let mode = format!("redirects:{}", elsewhere.url);
    let server = Script::start("python3", "upstreams/over_http.py", &[&mode]);
    let near = before(&server.url, "token = 'token'", 60_000);
    token_file(&near, TOKEN);
    let mut session = Session::start(&near, &[]);
    let (failed, text) = session.call("web_one", &json!({}));
    assert!(failed && text.contains("cannot be") | text.contains("wrongly"), "{text}");
    session.finish();
    assert!(!log.exists());
}
