//! Clients and suites that were written elsewhere, as they are published, over
//! HTTP.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use vak_audit::Status;
use vak_test_support::binary;

use crate::listening::{Listening, TOKEN};
use crate::log::recorded;
use crate::site::{PERMIT_ALL, file_server, installed, patient, upstream, with_mcp};

const PERMIT_EVERYTHING: &str = "[[rule]]\nid = 'all'\neffect = 'permit'\noperations = ['up/**', 'skill/*']\n";

fn of_ours(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Runs a program to its end and gives what it printed.
#[track_caller]
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    said
}

#[test]
fn the_conformance_suite_fails_only_where_it_is_said() {
    let site = patient(PERMIT_EVERYTHING);
    let gateway = Listening::start(&site, &["python3".into(), of_ours("conformance/server.py").into()]);
    let mut proxy = Command::new("node");
    proxy.arg(of_ours("conformance/proxy.mjs")).arg(gateway.address.port().to_string()).arg(TOKEN);
    let mut proxy = proxy.stdout(Stdio::piped()).spawn().unwrap();
    let mut url = String::new();
    BufReader::new(proxy.stdout.take().unwrap()).read_line(&mut url).unwrap();
    let suite = installed("npm/node_modules/@modelcontextprotocol/conformance/dist/index.js");
    let mut suite_run = Command::new("node");
    suite_run.arg(suite).args(["server", "--url", url.trim(), "--expected-failures"]);
    // It leaves its results in the folder that it runs in.
    suite_run.arg(of_ours("conformance/expected-failures.yaml")).current_dir(site.path());
    let said = run(&mut suite_run);
    proxy.kill().unwrap();
    proxy.wait().unwrap();
    gateway.stop();
    assert!(said.contains("prompts-get-with-image: 1 passed, 0 failed"), "{said}");
    // Its calls were operations like any other's.
    let recorded = recorded(&site);
    for operation in ["up/test_simple_text", "up/resources/read", "up/prompts/get"] {
        assert!(recorded.iter().any(|recorded| recorded.told().0 == operation), "{operation}: {said}");
    }
}

/// What the inspector's command line prints, told so what to ask whom.
#[track_caller]
fn inspect(target: &[&str], words: &[&str]) -> Value {
    let inspector = installed("npm/node_modules/@modelcontextprotocol/inspector-cli/build/cli.js");
    let mut command = Command::new("node");
    // It finds its own package from the folder that it runs in.
    command.current_dir(inspector.parent().unwrap()).arg(&inspector).arg("--cli").args(target);
    let said = run(command.args(words));
    serde_json::from_str(&said[said.find('{').unwrap()..]).unwrap()
}

#[track_caller]
fn inspected(target: &[&str], tool: &str) {
    let listed = inspect(target, &["--method", "tools/list"]);
    assert_eq!(listed["tools"][1]["name"], tool, "{listed}");
    let call = ["--method", "tools/call", "--tool-name", tool, "--tool-arg", "path=notes.txt"];
    let read = inspect(target, &call);
    assert_eq!(read["content"][0]["text"], "Buy milk.", "{read}");
}

#[test]
fn the_inspector_s_command_line_is_governed() {
    let site = patient(PERMIT_ALL);
    let gateway = Listening::start(&site, &file_server(&site));
    let bearer = format!("Authorization: Bearer {TOKEN}");
    inspected(&[&gateway.url(), "--transport", "http", "--header", &bearer], "read_file");
    gateway.stop();
    assert_eq!(recorded(&site)[0].told().2, Some(Status::Succeeded));

    let site = with_mcp(PERMIT_ALL, "start_ms = 60_000\ncall_ms = 60_000");
    let files = upstream("up", &file_server(&site));
    let site = site.section(&files);
    let (vak, config) = (binary("vak"), format!("VAK_CONFIG={}", site.config().display()));
    inspected(&["-e", &config, vak.to_str().unwrap(), "mcp"], "up_read_file");
    assert_eq!(recorded(&site)[0].told().2, Some(Status::Succeeded));
}

#[test]
fn the_reference_client_is_governed_over_http() {
    for mode in ["legacy", "auto"] {
        let site = patient(PERMIT_ALL);
        let site_rules = PERMIT_ALL.replace("'up/*'", "'up/{list,read,write}_*'");
        std::fs::write(site.path().join("rules.toml"), site_rules).unwrap();
        let gateway = Listening::start(&site, &file_server(&site));
        let mut client = Command::new(installed("python/bin/python"));
        let said = run(client.arg(of_ours("python/http_client.py")).args([mode, &gateway.url(), TOKEN]));
        gateway.stop();
        let revision = if mode == "legacy" { "protocol 2025-11-25" } else { "protocol 2026-07-28" };
        assert!(said.contains(revision), "{said}");
        let recorded = recorded(&site);
        let told: Vec<_> = recorded.iter().map(|recorded| recorded.told().2).collect();
        assert_eq!(told, [Some(Status::Succeeded), None, Some(Status::Succeeded)], "{mode}");
    }
}
