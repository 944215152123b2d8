//! Destructive commands, found in the tree of a shell parser.
//!
//! The text is never run, so what it would come to is worked out as far as its
//! own text says: variables that it assigns, `echo` in a substitution, scripts
//! in `sh -c`, here-documents and pipes. Everything else is unknown, and where
//! something unknown decides what is run or removed, the guard forbids.

mod commands;
mod compound;
mod expand;
mod files;
mod output;
mod places;
mod programs;
mod redirects;
mod walk;

use serde_json::Value;

use crate::arguments::Part;
use crate::globs::Globs;
use crate::guard::{Call, Guard, Hit, Kind, Pattern, Reaction};

/// What is fixed about this guard.
pub(crate) static KIND: Kind = Kind { name: "shell", default: Reaction::Forbid, redactable: false, patterns: PATTERNS };

const PATTERNS: &[Pattern] = &[
    Pattern { id: "shell/unparsable", finds: "a command that cannot be examined" },
    Pattern { id: "shell/unknown", finds: "a command whose text only its run decides" },
    Pattern { id: "shell/delete", finds: "a command that deletes a system, home or working directory" },
    Pattern { id: "shell/pipe-to-shell", finds: "a command that runs what it downloads or is sent" },
    Pattern { id: "shell/disk", finds: "a command that overwrites a disk" },
    Pattern { id: "shell/system-write", finds: "a command that writes to system or start-up files" },
    Pattern { id: "shell/permissions", finds: "a command that opens up permissions" },
    Pattern { id: "shell/fork-bomb", finds: "a fork bomb" },
    Pattern { id: "shell/force-push", finds: "a push that overwrites history" },
    Pattern { id: "shell/credentials", finds: "a command that reads credentials or history" },
];

/// Names of arguments that are commands.
const COMMANDS: [&str; 9] = [
    "/**/command",
    "/**/commands/*",
    "/**/cmd",
    "/**/script",
    "/**/shell_command",
    "/**/bash_command",
    "/**/command_line",
    "/**/shell",
    "/**/bash",
];

/// Names of the list beside a command that is its arguments.
const ARGUMENTS: [&str; 3] = ["args", "arguments", "argv"];

/// A command by hand is shorter. Parsing takes some hundred instructions a byte.
const COMMAND_BYTES_MAX: usize = 8 << 10;

/// The guard.
pub(crate) struct Shell {
    commands: Globs,
}

/// Something a command does.
pub(crate) struct Found {
    pub(crate) id: &'static str,
    pub(crate) detail: String,
}

impl Shell {
    /// With the pointers that are commands, or the defaults.
    pub(crate) fn new(commands: Option<Globs>) -> Self {
        Self { commands: commands.unwrap_or_else(|| Globs::of(&COMMANDS)) }
    }
}

impl Guard for Shell {
    fn look(&self, call: &Call<'_>, hits: &mut Vec<Hit>) {
        for text in &call.arguments.texts {
            // A key stands for its value, so that a list is seen as a whole.
            let is_element = text.part == Part::Value && text.pointer.ends_with(|last: char| last.is_ascii_digit());
            if !(text.part == Part::Key || is_element) || !self.commands.matches(&text.pointer) {
                continue;
            }
            if let Some(value) = call.arguments.root.pointer(&text.pointer)
                && let Some(script) = script(value, &text.pointer, &call.arguments.root)
            {
                judge(&script, &text.pointer, hits);
            }
        }
    }
}

/// The text of a command that is a text, with the arguments beside it, or a
/// list of words.
fn script(value: &Value, pointer: &str, root: &Value) -> Option<String> {
    match value {
        Value::String(text) => {
            let parent = pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
            let beside = ARGUMENTS.iter().find_map(|name| root.pointer(&format!("{parent}/{name}"))?.as_array());
            let words = beside.into_iter().flatten().filter_map(Value::as_str).map(quoted);
            Some(std::iter::once(text.clone()).chain(words).collect::<Vec<_>>().join(" "))
        }
        Value::Array(words) => {
            let words: Vec<_> = words.iter().filter_map(Value::as_str).collect();
            // One text with spaces is a command line, several are its words.
            match &words[..] {
                [] => None,
                [line] => Some((*line).to_owned()),
                words if words[0].contains(' ') => Some(words.join("\n")),
                words => Some(words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")),
            }
        }
        _ => None,
    }
}

fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

fn judge(script: &str, pointer: &str, hits: &mut Vec<Hit>) {
    if script.len() > COMMAND_BYTES_MAX {
        let detail = format!("{} bytes; the most is {COMMAND_BYTES_MAX}", script.len());
        hits.push(Hit::whole("shell/unparsable", pointer, detail).unexamined());
        return;
    }
    for found in walk::judge(script) {
        let hit = Hit::whole(found.id, pointer, found.detail);
        let unexamined = matches!(found.id, "shell/unparsable" | "shell/unknown");
        hits.push(if unexamined { hit.unexamined() } else { hit });
    }
}
