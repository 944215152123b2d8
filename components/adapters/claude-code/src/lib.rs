//! Understands the hooks of Claude Code and of the Claude Agent SDK.
//!
//! `PreToolUse` asks whether a tool may be used, `PostToolUse` and
//! `PostToolUseFailure` say how that ended. An answer only tightens what Claude
//! Code does by itself: what is allowed goes through its own permissions still,
//! and what is allowed with other arguments is put to its user with those.

mod event;
mod reply;

use vak_sdk::adapter::{Adapter, AdapterError, Answer, Ended, Ending, Info, Intake, Request};

use crate::event::{Event, Tool};

#[derive(Default)]
struct ClaudeCode;

impl Adapter for ClaudeCode {
    fn describe(&self) -> Info {
        Info { framework: "claude-code".to_owned(), versions: vec!["2".to_owned()], rewrites: true }
    }

    fn ingest(&self, event: &str) -> Result<Intake, AdapterError> {
        Ok(match Event::read(event)? {
            Event::Before(tool) => Intake::Actions(vec![request(tool)]),
            Event::After { session, call, output } => {
                let output = Some(output.get().to_owned());
                let detail = String::new();
                Intake::Outcomes(vec![Ended {
                    call,
                    session: Some(session),
                    ending: Ending::Succeeded,
                    output,
                    detail,
                }])
            }
            Event::Failed { session, call, error } => {
                let ending = Ending::Failed;
                Intake::Outcomes(vec![Ended { call, session: Some(session), ending, output: None, detail: error }])
            }
            Event::Other => Intake::Pass,
        })
    }

    fn render(&self, event: &str, answers: &[Answer]) -> Result<String, AdapterError> {
        match (Event::read(event)?, answers) {
            (Event::Before(_), [answer]) => reply::to(answer),
            (Event::After { .. } | Event::Failed { .. } | Event::Other, []) => Ok("{}".to_owned()),
            _ => Err(AdapterError::Malformed("it does not ask for as many actions as were answered".to_owned())),
        }
    }
}

/// What a tool is used on is its resource, where the tool is known to have one.
fn request(tool: Tool<'_>) -> Request {
    let Tool { session, call, name, input, subagent } = tool;
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
