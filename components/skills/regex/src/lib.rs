//! A skill that searches by regular expressions: `{"operation": "find",
//! "pattern": "[0-9]+", "text": "a 1 b 22"}` gives `{"matches": [{"text": "1",
//! "start": 2, "end": 3}, …], "more": false}`. Without look-around and
//! back-references, so in linear time.

mod offsets;
mod run;
mod schema;

use serde::Deserialize;
use vak_sdk::skill::{Skill, SkillError, Tool};

/// Longer patterns are programs.
const PATTERN_BYTES_MAX: usize = 4_096;

/// What a compiled pattern may take. `\w{100}` fits, `\w{1000}` does not.
const COMPILED_BYTES_MAX: usize = 2 << 20;

/// Deeper patterns are not read by hand either.
const NEST_MAX: u32 = 50;

/// Most groups of a pattern, since each match tells all of them.
const GROUPS_MAX: usize = 32;

const TEXT_BYTES_MAX: usize = 512 << 10;
const REPLACEMENT_BYTES_MAX: usize = 4_096;
const LIMIT_MAX: usize = 1_000;

/// Of everything but `replace`, which replaces all.
const LIMIT: usize = 100;

/// Bytes of text in an answer. As JSON they may be more, and 1 MiB is the end.
const ANSWER_BYTES_MAX: usize = 384 << 10;

#[derive(Default)]
struct Regex;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    operation: Operation,
    pattern: String,
    text: String,
    replacement: Option<String>,
    limit: Option<usize>,
    #[serde(default)]
    case_insensitive: bool,
    #[serde(default)]
    multi_line: bool,
    #[serde(default)]
    dot_matches_new_line: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Operation {
    Find,
    Captures,
    Replace,
    Split,
}

impl Skill for Regex {
    fn describe(&self) -> Tool {
        schema::tool()
    }

    fn invoke(&self, input: &str) -> Result<String, SkillError> {
        let input: Input = serde_json::from_str(input).map_err(|error| SkillError::InvalidInput(error.to_string()))?;
        run::run(&input).map(|output| output.to_string())
    }
}

vak_sdk::export_skill!(Regex);
