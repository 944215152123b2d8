//! One line of `actions.jsonl` and its line of `expected.jsonl`.

use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use vak::{ActionRequest, Decision, Person, Verdict};

pub(crate) struct Step {
    /// Milliseconds after the case began. Left out, no time has passed.
    pub(crate) at_ms: Option<u64>,
    pub(crate) asked: Asked,
    pub(crate) expected: Expected,
}

pub(crate) enum Asked {
    Action(ActionRequest),
    /// `{"approve": LINE, "by": PERSON}`: a person agrees to the action of that
    /// line, counted from 1, and it is decided again.
    Approved {
        line: usize,
        by: Person,
    },
}

/// Everything a verdict says, in the words in which people are told.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expected {
    decision: Decision,
    /// The voice that decided.
    by: String,
    /// The other voices, in the order they were heard.
    #[serde(default)]
    others: Vec<String>,
    retry_after_ms: Option<u64>,
    #[serde(default)]
    unsigned: bool,
    /// Whether it counts on a person's answer.
    #[serde(default)]
    approved: bool,
}

impl Expected {
    /// What would have to be expected for `verdict` to come.
    pub(crate) fn of(verdict: &Verdict) -> Self {
        let deciding = verdict.deciding().unwrap();
        let others = verdict.reasons.iter().filter(|reason| !std::ptr::eq(*reason, deciding));
        Self {
            decision: verdict.decision,
            by: deciding.to_string(),
            others: others.map(ToString::to_string).collect(),
            retry_after_ms: verdict.retry_after_ms,
            unsigned: verdict.unsigned,
            approved: verdict.approval.is_some(),
        }
    }
}

/// The steps of the case in `folder`.
pub(crate) fn read(folder: &Path) -> Vec<Step> {
    let actions: Vec<Map<String, Value>> = lines(&folder.join("actions.jsonl"));
    let expected = lines(&folder.join("expected.jsonl"));
    assert_eq!(actions.len(), expected.len(), "each action has a line in `expected.jsonl`");
    let step = |(mut action, expected): (Map<String, Value>, Expected)| Step {
        at_ms: action.remove("at_ms").map(|at| at.as_u64().unwrap()),
        asked: match action.get("approve") {
            Some(line) => Asked::Approved {
                line: usize::try_from(line.as_u64().unwrap()).unwrap(),
                by: action["by"].as_str().unwrap().parse().unwrap(),
            },
            None => Asked::Action(serde_json::from_value(Value::Object(action)).unwrap()),
        },
        expected,
    };
    actions.into_iter().zip(expected).map(step).collect()
}

fn lines<T: DeserializeOwned>(path: &Path) -> Vec<T> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"))).collect()
}
