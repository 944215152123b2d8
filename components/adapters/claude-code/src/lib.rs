//! Understands the hooks of Claude Code and of the Claude Agent SDK.
//!
//! `PreToolUse` asks whether a tool may be used, `PostToolUse` and
//! `PostToolUseFailure` say how that ended. An answer only tightens what Claude
//! Code does by itself: what is allowed goes through its own permissions still,
//! with the input that a policy made of it, if one did. Never answered is
//! `permissionDecision: "allow"`, which would go past them.
//!
//! How to set it up, and what Claude Code itself makes impossible, is in
//! `README.md`.

mod event;
mod reply;

use vak_sdk::adapter::{self, Adapter, AdapterError, Answer, Ended, Info, Intake, Request};

use crate::event::{Event, Tool};

#[derive(Default)]
struct ClaudeCode;

impl Adapter for ClaudeCode {
    fn describe(&self) -> Info {
        Info { framework: "claude-code".to_owned(), versions: vec!["2.1.332".to_owned()], rewrites: true }
    }

    fn ingest(&self, event: &str) -> Result<Intake, AdapterError> {
        Ok(match Event::read(event)? {
            Event::Before(tool) => Intake::Actions(vec![request(tool)]),
            Event::After { session, call, output } => {
                Intake::Outcomes(vec![Ended::succeeded(call, Some(session), output.get())])
            }
            Event::Failed { session, call, error } => Intake::Outcomes(vec![Ended::failed(call, Some(session), error)]),
            Event::Other => Intake::Pass,
        })
    }

    fn render(&self, event: &str, answers: &[Answer]) -> Result<String, AdapterError> {
        match Event::read(event)? {
            Event::Before(tool) => reply::to(adapter::one(answers)?, tool.takes_input),
            Event::After { .. } | Event::Failed { .. } | Event::Other => {
                adapter::each(0, answers).map(|_| "{}".to_owned())
            }
        }
    }
}

/// What a tool is used on is its resource, where the tool is known to have one.
fn request(tool: Tool<'_>) -> Request {
    let Tool { session, call, name, input, subagent, .. } = tool;
    Request {
        call: Some(call),
        session: Some(session),
        operation: format!("claude-code/{name}"),
        resource: event::resource(&name, input),
        arguments: input.get().to_owned(),
        labels: if subagent { vec!["subagent".to_owned()] } else { Vec::new() },
    }
}

vak_sdk::export_adapter!(ClaudeCode);
