//! Leaving found parts out of arguments.

use std::collections::BTreeMap;

use vak_sdk::policy::{Obligation, Redaction};

use crate::arguments::{Arguments, Part, Text};
use crate::guard::Hit;

/// What stands in place of what was found. No guard finds anything in it, also
/// not after `password=`: the host judges redacted arguments again.
pub(crate) const PLACEHOLDER: &str = "[redacted]";

/// The host takes no longer pointer and no longer replacement.
const BYTES_MAX: usize = 1_024;

/// The host takes no more obligations in a finding.
const OBLIGATIONS_MAX: usize = 16;

/// The obligations that leave all of `hits` out, or why that cannot be.
pub(crate) fn obligations(hits: &[&Hit], arguments: &Arguments) -> Result<Vec<Obligation>, String> {
    let mut spans: BTreeMap<usize, Vec<_>> = BTreeMap::new();
    for hit in hits {
        let at = hit.text.ok_or_else(|| format!("`{}` is not a text", hit.pointer))?;
        spans.entry(at).or_default().push(hit.span.clone());
    }
    if spans.len() > OBLIGATIONS_MAX {
        return Err(format!("more than {OBLIGATIONS_MAX} arguments would have to be redacted"));
    }
    let mut obligations = Vec::new();
    for (at, mut spans) in spans {
        let Some(text) = arguments.texts.get(at) else { continue };
        spans.sort_by_key(|span| (span.start, span.end));
        obligations.push(Obligation::Redact(redaction(text, spans)?));
    }
    Ok(obligations)
}

fn redaction(text: &Text, spans: Vec<std::ops::Range<usize>>) -> Result<Redaction, String> {
    let pointer = &text.pointer;
    if text.part == Part::Key {
        return Err(format!("a key cannot be redacted, and `{pointer}` ends in one"));
    }
    if pointer.is_empty() {
        return Err("the arguments as a whole cannot be redacted".to_owned());
    }
    let mut replacement = String::new();
    let mut done = 0;
    for span in spans {
        // Found by two guards, or by one twice.
        if span.end <= done {
            continue;
        }
        if span.start >= done {
            replacement.push_str(text.text.get(done..span.start).unwrap_or_default());
            replacement.push_str(PLACEHOLDER);
        }
        done = span.end;
    }
    replacement.push_str(text.text.get(done..).unwrap_or_default());
    match pointer.len() <= BYTES_MAX && replacement.len() <= BYTES_MAX {
        true => Ok(Redaction { argument: pointer.clone(), replacement }),
        false => Err(format!("`{pointer}` is longer than the {BYTES_MAX} bytes that can be redacted")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_found_is_replaced() {
        let arguments = Arguments::read(r#"{"a":"one two three"}"#, 100).unwrap();
        let hit = |span| Hit::part("x", 1, &arguments.texts[1], span);
        let hits = [hit(8..13), hit(0..3), hit(0..3), hit(9..11)];
        let found = obligations(&hits.iter().collect::<Vec<_>>(), &arguments).unwrap();
        let [Obligation::Redact(Redaction { argument, replacement })] = &found[..] else { panic!("{found:?}") };
        assert_eq!((&**argument, &**replacement), ("/a", "[redacted] two [redacted]"));
    }

    #[test]
    fn what_cannot_be_redacted_is_said() {
        let long = format!(r#"{{"a":"secret {}"}}"#, "x".repeat(BYTES_MAX));
        for (json, at, part) in
            [(r#"{"a":"b"}"#, 0, "a key cannot"), (&long, 1, "is longer than"), (r#""secret""#, 0, "as a whole")]
        {
            let arguments = Arguments::read(json, 10_000).unwrap();
            let hit = Hit::part("x", at, &arguments.texts[at], 0..1);
            let error = obligations(&[&hit], &arguments).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }
}
