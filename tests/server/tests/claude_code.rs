//! The real Claude Code, whose hooks are `vak hook claude-code`, with a model
//! that says what a test has written down.

mod model;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use vak_audit::Status;
use vak_test_support::{Site, binary, components};

use self::model::{Model, Step, uses};
use crate::served::{Served, ada, installed, recorded, token};

const RULES: &str = "\
    [[rule]]\nid = 'tools'\neffect = 'permit'\noperations = ['claude-code/*']\n\
    [[rule]]\nid = 'no-writing'\neffect = 'forbid'\noperations = ['claude-code/Write']\n\
    [[rule]]\nid = 'ask'\neffect = 'escalate'\noperations = ['claude-code/Edit']\n\
    [[rule]]\nid = 'hidden'\neffect = 'permit'\noperations = ['claude-code/Bash']\n\
    obligations = [{ redact = { argument = '/command', with = 'echo other' } }]\n";

fn served() -> Served {
    let adapter = components().join("claude-code.wasm");
    let adapter = format!(
        "[[adapters]]\nname = 'claude-code'\ncomponent = '{}'\n[adapters.limits]\nwall_ms_max = 10_000\n",
        adapter.display()
    );
    let patient = "[policies.limits]\nwall_ms_max = 10_000";
    let server =
        "[server]\nlisten = '127.0.0.1:0'\nsocket = { path = 'vak.sock', scopes = ['decide'], agents = ['ada'] }";
    let (_, lines) = ada();
    let (_, grace) = token("grace", "['approve']", "['ada']");
    Served::start(
        Site::new().rules(RULES).section(patient).section(&adapter).section(server).section(&(lines + &grace)),
    )
}

/// The settings with which Claude Code asks this server.
fn settings(server: &str) -> Value {
    let hook = format!("{} hook claude-code --agent ada --timeout 60 --server {server}", binary("vak").display());
    hooks(&hook, &json!("block"))
}

fn hooks(command: &str, on_failure: &Value) -> Value {
    let hook = json!({ "type": "command", "command": command, "timeout": 90, "onFailure": on_failure });
    let all = json!([{ "matcher": "*", "hooks": [hook] }]);
    json!({ "hooks": { "PreToolUse": all, "PostToolUse": all, "PostToolUseFailure": all } })
}

/// A folder for the agent to work in, and one for what Claude Code keeps.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("work")).unwrap();
        std::fs::create_dir(folder.path().join("home")).unwrap();
        std::fs::write(folder.path().join("work/notes.txt"), "apples\n").unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join("work").join(name).to_str().unwrap().to_owned()
    }

    /// What stands in a file that may not be there.
    fn text(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.path(name)).ok()
    }

    /// Has Claude Code work until the model's script is at its end, and gives what
    /// the model was told about each tool that it used, by the use's id.
    fn run(&self, settings: &Value, script: Vec<Step>) -> std::collections::BTreeMap<String, String> {
        let settings_file = self.0.path().join("settings.json");
        std::fs::write(&settings_file, settings.to_string()).unwrap();
        let model = Model::start(script);
        let output = claude(self.0.path(), &settings_file, &model);
        assert!(output.status.success(), "{output:?}");
        model.told()
    }
}

/// The program that comes with the Claude Agent SDK.
fn program() -> PathBuf {
    let library = installed("python-claude-code/lib");
    let version = library.read_dir().unwrap().next().unwrap().unwrap().path();
    version.join("site-packages/claude_agent_sdk/_bundled/claude")
}

fn claude(folder: &Path, settings: &Path, model: &Model) -> Output {
    let mut command = Command::new(program());
    command.args(["-p", "go", "--output-format", "json", "--model", "claude-sonnet-4-5"]);
    // What its own permissions let through without asking a person, which is where
    // hooks matter.
    command.args(["--allowedTools", "Read,Write,Edit,Bash", "--settings"]).arg(settings);
    command.current_dir(folder.join("work")).env_clear().env("PATH", std::env::var_os("PATH").unwrap());
    command.env("HOME", folder.join("home")).env("CLAUDE_CONFIG_DIR", folder.join("home/claude"));
    command.env("ANTHROPIC_BASE_URL", model.address()).env("ANTHROPIC_API_KEY", "none");
    let quiet = ["DISABLE_AUTOUPDATER", "DISABLE_TELEMETRY", "DISABLE_ERROR_REPORTING", "DISABLE_BUG_COMMAND"];
    command.envs(quiet.map(|name| (name, "1"))).env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1");
    // Whatever it asked of anybody else would come to the model, which would say so.
    for name in ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"] {
        command.env(name, model.address());
    }
    command.env("no_proxy", "127.0.0.1").env("NO_PROXY", "127.0.0.1");
    command.stdin(std::process::Stdio::null()).output().unwrap()
}

#[test]
fn tools_are_used_as_was_decided() {
    let (served, place) = (served(), Place::new());
    let script = vec![
        uses("1", "Read", &json!({ "file_path": place.path("notes.txt") })),
        uses("2", "Read", &json!({ "file_path": place.path("missing.txt") })),
        uses("3", "Write", &json!({ "file_path": place.path("new.txt"), "content": "new" })),
        uses("4", "Bash", &json!({ "command": format!("touch {}", place.path("ran")) })),
    ];
    let told = place.run(&settings(&format!("unix:{}", served.socket().display())), script);
    assert!(told["1"].contains("apples"), "{told:?}");
    assert!(told["2"].contains("does not exist"), "{told:?}");
    assert!(told["3"].contains("denied by policy `rules`, rule `no-writing`"), "{told:?}");
    assert_eq!(place.text("new.txt"), None);
    // A policy allows it with other input alone, and that is what is carried out.
    assert!(told["4"].starts_with("other"), "{told:?}");
    assert_eq!(place.text("ran"), None);

    let recorded = recorded(&served.stop().site);
    let allowed: Vec<_> = recorded.iter().map(|it| it.decision.verdict.is_allow()).collect();
    assert_eq!(allowed, [true, true, false, true]);
    let ended = recorded.iter().map(|it| it.outcome.as_ref().map(|outcome| outcome.status));
    let (good, bad) = (Some(Status::Succeeded), Some(Status::Failed));
    assert_eq!(ended.collect::<Vec<_>>(), [good, bad, None, good]);
}

#[test]
fn what_a_person_approves_is_done_when_it_is_asked_again() {
    let (served, place) = (served(), Place::new());
    let edit = json!({ "file_path": place.path("notes.txt"), "old_string": "apples", "new_string": "pears" });
    let mut grace = served.client(&token("grace", "['approve']", "['ada']").0);
    let again = edit.clone();
    let approve = move || {
        let waiting = grace.get("/v1/approvals").ok();
        let seq = &waiting["waiting"][0]["seq"];
        grace.post(&format!("/v1/approvals/{seq}/answer"), &json!({ "answer": "approve" })).ok();
    };
    let script = vec![
        // It edits no file that was not read.
        uses("1", "Read", &json!({ "file_path": place.path("notes.txt") })),
        uses("2", "Edit", &edit),
        uses("3", "Edit", &again).after(approve),
        uses(
            "4",
            "Edit",
            &json!({ "file_path": place.path("notes.txt"), "old_string": "pears", "new_string": "figs" }),
        ),
    ];
    let told = place.run(&settings(&format!("unix:{}", served.socket().display())), script);
    assert!(told["2"].contains("a person has to approve it (number "), "{told:?}");
    assert!(told["3"].contains("updated successfully"), "{told:?}");
    assert!(told["4"].contains("a person has to approve it"), "{told:?}");
    assert_eq!(place.text("notes.txt").as_deref(), Some("pears\n"));
}

/// Has a tool used under these settings, and tells whether that happened and what
/// the model was told.
fn used_under(settings: &Value) -> (bool, String) {
    let place = Place::new();
    let script = vec![uses("1", "Bash", &json!({ "command": format!("touch {}", place.path("ran")) }))];
    let mut told = place.run(settings, script);
    (place.text("ran").is_some(), told.remove("1").unwrap())
}

#[test]
fn nothing_happens_while_the_server_is_away() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let (used, told) = used_under(&settings(&nobody));
    assert!(!used && told.contains("blocked, since it could not be decided"), "{told}");
}

/// What the hook's program can't do for itself: where it is killed, is missing or
/// takes too long, Claude Code goes on unless its settings say otherwise.
#[test]
fn a_hook_that_dies_blocks_where_the_settings_say_so() {
    for command in ["kill -9 $$", "/nowhere/vak hook claude-code", "exit 1"] {
        let (used, told) = used_under(&hooks(command, &json!("block")));
        assert!(!used && told.contains("blocking because onFailure is \"block\""), "{command}: {told}");
        let (used, told) = used_under(&hooks(command, &json!("continue")));
        assert!(used, "{command}: {told}; so the documentation is too pessimistic");
    }
}
