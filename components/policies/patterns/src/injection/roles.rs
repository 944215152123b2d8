//! Marks by which conversations and tool calls are written down.

use std::ops::Range;

/// Delimiters of chat templates: ChatML, Llama, Gemma, Mistral, DeepSeek.
const DELIMITERS: [&str; 24] = [
    "<|im_start|>",
    "<|im_end|>",
    "<|system|>",
    "<|user|>",
    "<|assistant|>",
    "<|endoftext|>",
    "<|eot_id|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|begin_of_text|>",
    "<|start|>",
    "<|channel|>",
    "<|message|>",
    "<start_of_turn>",
    "<end_of_turn>",
    "[inst]",
    "[/inst]",
    "<<sys>>",
    "<</sys>>",
    "<|end▁of▁sentence|>",
    "<｜user｜>",
    "<｜assistant｜>",
    "<system>",
    "</system>",
];

/// How calls of tools are written in texts.
const CALLS: [&str; 13] = [
    "<tool_call>",
    "</tool_call>",
    "<function_calls>",
    "<function_call>",
    "<invoke name=",
    "<tool_use>",
    "<tool_result>",
    "</tool_result>",
    "<function_results>",
    "[tool_calls]",
    "<|tool_call|>",
    "<|python_tag|>",
    "<function=",
];

/// What begins a line in a conversation.
const ROLES: [&str; 13] = [
    "system:",
    "assistant:",
    "### system",
    "### instruction",
    "### assistant",
    "system prompt:",
    "[system]",
    "[assistant]",
    "system message:",
    "developer:",
    "human:",
    "### response",
    "new instructions:",
];

pub(crate) fn find(text: &str, found: &mut impl FnMut(&'static str, Range<usize>)) {
    let bytes = text.as_bytes();
    let mut line = true;
    for at in 0..bytes.len() {
        let rest = &bytes[at..];
        let starts =
            |mark: &&&str| rest.get(..mark.len()).is_some_and(|start| start.eq_ignore_ascii_case(mark.as_bytes()));
        if matches!(bytes[at], b'<' | b'[') {
            let call = CALLS.iter().find(starts).map(|mark| ("prompt-injection/tool-call", mark.len()));
            let role = || DELIMITERS.iter().find(starts).map(|mark| ("prompt-injection/role", mark.len()));
            if let Some((id, length)) = call.or_else(role) {
                found(id, at..at + length);
            }
        }
        if line
            && let Some(mark) = ROLES.iter().find(starts)
            && is_spoken(mark, &text[at + mark.len()..])
        {
            found("prompt-injection/role", at..at + mark.len());
        }
        line = match bytes[at] {
            b'\n' => true,
            b' ' | b'\t' | b'*' | b'>' => line,
            _ => false,
        };
        // `{"role": "system"` and a call in the common JSON form.
        if bytes[at] == b'"'
            && let Some(id) = json(&text[at..])
        {
            found(id, at..at + 1 + text[at + 1..].find('"').unwrap_or(0) + 1);
        }
    }
}

/// Something is said after it, and more than a value: `system: linux` is none.
fn is_spoken(mark: &str, rest: &str) -> bool {
    let said = rest.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    !mark.ends_with(':') || said.split_whitespace().count() >= 3
}

fn json(text: &str) -> Option<&'static str> {
    let name = |name: &str| text.strip_prefix(name).map(str::trim_start).and_then(|rest| rest.strip_prefix(':'));
    if let Some(value) = name("\"role\"") {
        let value = value.trim_start();
        let role =
            ["\"system\"", "\"assistant\"", "\"developer\"", "\"tool\""].iter().any(|role| value.starts_with(role));
        return role.then_some("prompt-injection/role");
    }
    let calls = name("\"tool_calls\"").or_else(|| name("\"function_call\"")).or_else(|| name("\"tool_use\""));
    calls.map(|_| "prompt-injection/tool-call")
}
