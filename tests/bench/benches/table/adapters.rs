//! Calls of adapters.

use std::hint::black_box;
use std::time::Instant;

use futures_executor::block_on;
use serde_json::json;
use vak::{Answer, Decision, Host, Json, Name, Verdict};
use vak_test_support::{Site, components};
use vak_types::{Effect, Reason};

use crate::print::{Row, quantile};

/// Calls that are measured, and before them such that are not.
const CALLS: usize = 20_000;
const WARM_UP: usize = 2_000;

/// A message of 2 KB is read, and answered.
pub(crate) fn rows() -> Vec<Row> {
    let text = "x".repeat(1_750);
    let hook = json!({
        "session_id": "6b0c6c1e-9d6c-4a0e-8d43-0b9d2f3f1a11", "transcript_path": "/t", "cwd": "/work",
        "hook_event_name": "PreToolUse", "tool_name": "Write", "tool_use_id": "toolu_01",
        "tool_input": { "file_path": "/work/a", "content": text },
    });
    let call = json!({
        "event": "tool_call", "thread_id": "t-1", "tool": { "name": "write_file", "description": "Write a file." },
        "tool_call": { "name": "write_file", "args": { "path": "a", "text": text }, "id": "call_1", "type": "tool_call" },
    });
    let (hook, call) = (measured("claude-code", &hook), measured("langchain", &call));
    vec![Row::at_most(
        "adapter reads a message of 2 KB, fresh instance",
        call.0.max(hook.0),
        20.0,
        "µs",
        format!(
            "`langchain` {:.1}, `claude-code` {:.1} µs; writing the answer {:.1} and {:.1} µs",
            call.0, hook.0, call.1, hook.1
        ),
    )]
}

/// The medians of reading and of answering, in microseconds.
fn measured(adapter: &str, event: &serde_json::Value) -> (f64, f64) {
    let component = components().join(format!("{adapter}.wasm"));
    let section = format!("[[adapters]]\nname = '{adapter}'\ncomponent = '{}'\n", component.display());
    let site = Site::new().section(&section);
    let host: Host = site.host();
    let (name, event): (Name, _) = (adapter.parse().unwrap(), Json::from_value(event).unwrap());
    let denied = Verdict {
        decision: Decision::Deny,
        reasons: vec![Reason::host(Effect::Forbid, "not today")],
        obligations: Vec::new(),
        retry_after_ms: None,
        past: None,
        approval: None,
        unsigned: false,
    };
    let answers = [Answer::Decided { verdict: denied, arguments: None, seq: Some(7) }];
    let once = || {
        let begin = Instant::now();
        let message = black_box(block_on(host.read_message(&name, event.clone())).unwrap());
        let read = begin.elapsed().as_secs_f64() * 1e6;
        let begin = Instant::now();
        black_box(message.reply(&answers).unwrap());
        (read, begin.elapsed().as_secs_f64() * 1e6)
    };
    for _ in 0..WARM_UP {
        once();
    }
    let (mut reads, mut replies): (Vec<_>, Vec<_>) = (0..CALLS).map(|_| once()).unzip();
    (quantile(&mut reads, 0.5), quantile(&mut replies, 0.5))
}
