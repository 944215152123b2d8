//! What all guards share: patterns, hits and the rules for joining them.

use std::ops::Range;

use crate::arguments::{Arguments, Text};
use crate::globs::Globs;

/// Something a guard looks for.
#[derive(Debug)]
pub(crate) struct Pattern {
    /// The rule id: the guard's name, a slash, the pattern's.
    pub(crate) id: &'static str,
    /// What was found, to stand in a sentence: `a GitHub token`.
    pub(crate) finds: &'static str,
}

/// What a guard does about a hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reaction {
    Redact,
    Escalate,
    Forbid,
}

/// What one call is about.
pub(crate) struct Call<'a> {
    pub(crate) arguments: &'a Arguments,
    pub(crate) labels: &'a [String],
}

/// Something found.
#[derive(Debug, Clone)]
pub(crate) struct Hit {
    pub(crate) id: &'static str,
    /// Which of the texts, or none: then `pointer` alone says where.
    pub(crate) text: Option<usize>,
    pub(crate) pointer: String,
    /// The bytes of the text that were found.
    pub(crate) span: Range<usize>,
    /// Could not be examined: a forbid, whatever the guard's effect.
    pub(crate) unexamined: bool,
    /// More about it. Never holds what was found in a secret.
    pub(crate) detail: String,
}

/// Looks through the arguments of one call.
pub(crate) trait Guard {
    fn look(&self, call: &Call<'_>, hits: &mut Vec<Hit>);
}

/// A guard and how it is configured.
pub(crate) struct Configured {
    pub(crate) kind: &'static Kind,
    pub(crate) reaction: Reaction,
    pub(crate) operations: Globs,
    pub(crate) allow: Vec<String>,
    pub(crate) guard: Box<dyn Guard + Send + Sync>,
}

/// What is fixed about a guard.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) default: Reaction,
    /// Whether what it finds is a part of a text that can be left out.
    pub(crate) redactable: bool,
    pub(crate) patterns: &'static [Pattern],
}

impl Kind {
    pub(crate) fn finds(&self, id: &str) -> &'static str {
        self.patterns.iter().find(|pattern| pattern.id == id).map_or("something", |pattern| pattern.finds)
    }
}

impl Hit {
    /// A part of a text.
    pub(crate) fn part(id: &'static str, at: usize, text: &Text, span: Range<usize>) -> Self {
        let pointer = text.pointer.clone();
        Self { id, text: Some(at), pointer, span, unexamined: false, detail: String::new() }
    }

    /// A whole argument.
    pub(crate) fn whole(id: &'static str, pointer: &str, detail: impl Into<String>) -> Self {
        let pointer = pointer.to_owned();
        Self { id, text: None, pointer, span: 0..0, unexamined: false, detail: detail.into() }
    }

    /// The same for something that could not be examined.
    pub(crate) fn unexamined(mut self) -> Self {
        self.unexamined = true;
        self
    }

    /// The same with more about it.
    pub(crate) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }
}

impl Configured {
    /// The hits of this guard that are not allowed by name.
    pub(crate) fn hits(&self, operation: &str, call: &Call<'_>) -> Vec<Hit> {
        let mut hits = Vec::new();
        if self.operations.matches(operation) {
            self.guard.look(call, &mut hits);
            hits.retain(|hit| hit.unexamined || !self.allows(hit, call.arguments));
        }
        hits
    }

    fn allows(&self, hit: &Hit, arguments: &Arguments) -> bool {
        if self.allow.is_empty() {
            return false;
        }
        let text = hit.text.and_then(|at| arguments.texts.get(at)).map(|text| &*text.text);
        let found = text.and_then(|text| text.get(hit.span.clone()));
        let whole = text.or_else(|| arguments.root.pointer(&hit.pointer).and_then(serde_json::Value::as_str));
        self.allow.iter().any(|allowed| Some(&**allowed) == found || Some(&**allowed) == whole)
    }
}
