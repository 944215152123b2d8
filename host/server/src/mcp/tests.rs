//! What only a broken host shows: here its clock panics.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, PipeReader, PipeWriter, Write as _, pipe};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use serde_json::{Value, json};
use vak::{Config, Host};
use vak_test_support::{Site, binary};
use vak_types::Timestamp;

use super::serve::serve;

const RULES: &str = "[[rule]]\nid = 'all'\neffect = 'permit'\noperations = ['files/*']\n";

/// The lines of a session.
struct Client {
    input: PipeWriter,
    output: BufReader<PipeReader>,
}

impl Client {
    fn ask(&mut self, id: i64, method: &str, params: &Value) -> Value {
        let request = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        writeln!(self.input, "{request}").unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(answer["id"], id);
        answer
    }

    fn read(&mut self, id: i64) -> Value {
        self.ask(id, "tools/call", &json!({ "name": "read_file", "arguments": { "path": "a.txt" } }))
    }
}

/// Talks to a gateway whose clock panics when it is asked once more than
/// `looks` says. The host's start, which is recorded, is not counted.
fn session(looks: i64, talk: impl FnOnce(&mut Client, &AtomicI64) + Send + 'static) {
    let site = Site::new().rules(RULES).section("[mcp]\nagent = 'ada'\nupstream = 'files'");
    std::fs::write(site.path().join("a.txt"), "hello").unwrap();
    let left = Arc::new(AtomicI64::new(looks + 1));
    let clock = Arc::clone(&left);
    let config = Config::load(&site.config(), &[]).unwrap();
    let host = Host::builder(config).clock(move || {
        assert!(clock.fetch_sub(1, Ordering::SeqCst) > 0, "the clock is broken");
        Timestamp::from_nanos(1_767_225_600_000_000_000)
    });
    let host = Arc::new(host.build().unwrap());
    let command: Vec<OsString> = vec![binary("vak-file-server").into(), site.path().into()];
    let (client_in, input) = pipe().unwrap();
    let (output, client_out) = pipe().unwrap();
    let client = std::thread::spawn(move || {
        let mut client = Client { input, output: BufReader::new(output) };
        let me = json!({ "name": "test", "version": "0" });
        let hello = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": me });
        client.ask(1, "initialize", &hello);
        talk(&mut client, &left);
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(serve(host, &command, client_in, client_out)).unwrap();
    client.join().unwrap();
}

#[test]
fn a_decision_that_panics_is_answered() {
    session(0, |client, left| {
        let answer = client.read(2);
        let message = answer["error"]["message"].as_str().unwrap();
        assert_eq!(message, "the decision failed inside the host; nothing was carried out");
        left.store(100, Ordering::SeqCst);
        assert_eq!(client.read(3)["result"]["content"][0]["text"], "hello");
    });
}

#[test]
fn an_outcome_that_panics_withholds_the_result() {
    session(1, |client, _| {
        let answer = client.read(2);
        let message = answer["error"]["message"].as_str().unwrap();
        assert_eq!(message, "the outcome could not be recorded; the result is withheld");
        assert!(!answer.to_string().contains("hello"));
    });
}
