//! The four operations.

use regex::{Captures, Match, RegexBuilder};
use regex_automata::util::interpolate;
use serde_json::{Value, json};
use vak_sdk::skill::SkillError;

use crate::offsets::Offsets;
use crate::{
    ANSWER_BYTES_MAX, COMPILED_BYTES_MAX, GROUPS_MAX, Input, LIMIT, LIMIT_MAX, NEST_MAX, Operation, PATTERN_BYTES_MAX,
    REPLACEMENT_BYTES_MAX, TEXT_BYTES_MAX,
};

pub(crate) fn run(input: &Input) -> Result<Value, SkillError> {
    check(input)?;
    let regex = compile(input)?;
    let text = input.text.as_str();
    let limit = input.limit.unwrap_or(LIMIT);
    match (input.operation, &input.replacement) {
        (Operation::Find, None) => {
            let mut found = Found::new(text);
            let matches = take(regex.find_iter(text), limit, |found_one| found.one(&found_one))?;
            Ok(json!({ "matches": matches.0, "more": matches.1 }))
        }
        (Operation::Captures, None) => {
            let mut found = Found::new(text);
            let names: Vec<_> = regex.capture_names().collect();
            let matches = take(regex.captures_iter(text), limit, |captures| found.groups(&captures, &names))?;
            Ok(json!({ "matches": matches.0, "more": matches.1 }))
        }
        (Operation::Split, None) => split(&regex, text, limit),
        (Operation::Replace, Some(replacement)) => {
            replace(&regex, text, replacement, input.limit.unwrap_or(usize::MAX))
        }
        (Operation::Replace, None) => Err(invalid("`replace` needs a `replacement`")),
        (_, Some(_)) => Err(invalid("only `replace` takes a `replacement`")),
    }
}

fn check(input: &Input) -> Result<(), SkillError> {
    let replacement = input.replacement.as_deref().unwrap_or_default();
    let longest = [
        ("pattern", input.pattern.len(), PATTERN_BYTES_MAX),
        ("text", input.text.len(), TEXT_BYTES_MAX),
        ("replacement", replacement.len(), REPLACEMENT_BYTES_MAX),
    ];
    if let Some((name, bytes, most)) = longest.into_iter().find(|(_, bytes, most)| bytes > most) {
        return Err(invalid(format!("`{name}` has {bytes} bytes, and the most is {most}")));
    }
    match input.limit {
        None | Some(1..=LIMIT_MAX) => Ok(()),
        Some(limit) => Err(invalid(format!("`limit` is {limit}, and has to be from 1 to {LIMIT_MAX}"))),
    }
}

fn compile(input: &Input) -> Result<regex::Regex, SkillError> {
    let regex = RegexBuilder::new(&input.pattern)
        .case_insensitive(input.case_insensitive)
        .multi_line(input.multi_line)
        .dot_matches_new_line(input.dot_matches_new_line)
        .nest_limit(NEST_MAX)
        .size_limit(COMPILED_BYTES_MAX)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(most) => {
                invalid(format!("`pattern` takes more than {most} bytes when compiled; repeat less"))
            }
            other => invalid(format!("`pattern`: {other}")),
        })?;
    // The match as a whole is one of them.
    match regex.captures_len() - 1 {
        0..=GROUPS_MAX => Ok(regex),
        groups => Err(invalid(format!("`pattern` has {groups} groups, and the most is {GROUPS_MAX}; use `(?:…)`"))),
    }
}

/// What `tell` says of the first `limit` matches, and whether there are more.
fn take<T>(
    mut matches: impl Iterator<Item = T>,
    limit: usize,
    mut tell: impl FnMut(T) -> Result<Value, SkillError>,
) -> Result<(Vec<Value>, bool), SkillError> {
    let told = matches.by_ref().take(limit).map(&mut tell).collect::<Result<Vec<_>, _>>()?;
    Ok((told, matches.next().is_some()))
}

/// What is told of matches, as long as it is not too much.
struct Found<'a> {
    offsets: Offsets<'a>,
    bytes: usize,
}

impl<'a> Found<'a> {
    fn new(text: &'a str) -> Self {
        Self { offsets: Offsets::of(text), bytes: 0 }
    }

    fn one(&mut self, found: &Match<'_>) -> Result<Value, SkillError> {
        // Beside the text a match takes about so much.
        self.bytes += found.len() + 64;
        if self.bytes > ANSWER_BYTES_MAX {
            return Err(too_long());
        }
        let (start, end) = (self.offsets.at(found.start()), self.offsets.at(found.end()));
        Ok(json!({ "text": found.as_str(), "start": start, "end": end }))
    }

    fn groups(&mut self, captures: &Captures<'_>, names: &[Option<&str>]) -> Result<Value, SkillError> {
        let Some(whole) = captures.get(0) else { return Ok(Value::Null) };
        let mut told = self.one(&whole)?;
        let mut groups = Vec::new();
        for (group, name) in captures.iter().zip(names).skip(1) {
            let Some(group) = group else {
                groups.push(Value::Null);
                continue;
            };
            let mut group = self.one(&group)?;
            if let Some(name) = name {
                self.bytes += name.len();
                group["name"] = json!(name);
            }
            groups.push(group);
        }
        told["groups"] = json!(groups);
        Ok(told)
    }
}

fn split(regex: &regex::Regex, text: &str, limit: usize) -> Result<Value, SkillError> {
    let pieces: Vec<&str> = regex.splitn(text, limit).collect();
    // What was split last is the rest, if it has matches in it.
    let more = pieces.len() == limit && pieces.last().is_some_and(|rest| regex.is_match(rest));
    match text.len() > ANSWER_BYTES_MAX {
        true => Err(too_long()),
        false => Ok(json!({ "pieces": pieces, "more": more })),
    }
}

fn replace(regex: &regex::Regex, text: &str, replacement: &str, most: usize) -> Result<Value, SkillError> {
    let (mut output, mut at, mut replaced, mut fits) = (String::new(), 0, 0_usize, true);
    let mut matches = regex.captures_iter(text);
    for captures in matches.by_ref().take(most) {
        let Some(whole) = captures.get(0) else { continue };
        output.push_str(text.get(at..whole.start()).unwrap_or_default());
        // By hand, since one replacement may be a thousand times the text.
        interpolate::string(
            replacement,
            |index, output| {
                let group = captures.get(index).map_or("", |group| group.as_str());
                fits &= output.len() + group.len() <= ANSWER_BYTES_MAX;
                if fits {
                    output.push_str(group);
                }
            },
            |name| regex.capture_names().position(|known| known == Some(name)),
            &mut output,
        );
        if !fits || output.len() > ANSWER_BYTES_MAX {
            return Err(too_long());
        }
        (at, replaced) = (whole.end(), replaced + 1);
    }
    output.push_str(text.get(at..).unwrap_or_default());
    match output.len() > ANSWER_BYTES_MAX {
        true => Err(too_long()),
        false => Ok(json!({ "text": output, "replaced": replaced, "more": matches.next().is_some() })),
    }
}

fn too_long() -> SkillError {
    SkillError::Failed(format!("the answer has more than {ANSWER_BYTES_MAX} bytes; ask for less"))
}

fn invalid(why: impl Into<String>) -> SkillError {
    SkillError::InvalidInput(why.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(value: Value) -> Result<Value, SkillError> {
        run(&serde_json::from_value(value).unwrap())
    }

    #[test]
    fn replaces_as_the_library_does() {
        let cases = [
            ("(?<a>x)(y)?", "xy x z", "[${a}$2$3$$]"),
            ("", "äb", "-"),
            ("b+", "abbb", "$0$0"),
            ("(a)", "aaa", "$1x ${1}x $ ${"),
            ("q", "none", "x"),
        ];
        for (pattern, text, replacement) in cases {
            let told =
                ask(json!({ "operation": "replace", "pattern": pattern, "text": text, "replacement": replacement }));
            let expected = regex::Regex::new(pattern).unwrap().replace_all(text, replacement).into_owned();
            assert_eq!(told.unwrap()["text"], json!(expected), "{pattern}");
        }
    }

    #[test]
    fn answers_are_bounded() {
        let text = "a".repeat(300 << 10);
        let long = [
            json!({ "operation": "replace", "pattern": "a+", "text": text, "replacement": "$0".repeat(2_000) }),
            json!({ "operation": "replace", "pattern": "a", "text": text, "replacement": "bb" }),
            json!({ "operation": "captures", "pattern": "((((a+))))", "text": text }),
        ];
        for input in long {
            assert!(matches!(ask(input), Err(SkillError::Failed(_))));
        }
        let told = ask(json!({ "operation": "find", "pattern": "a", "text": text, "limit": 3 })).unwrap();
        assert_eq!((told["matches"].as_array().unwrap().len(), &told["more"]), (3, &json!(true)));
        let told = ask(json!({ "operation": "split", "pattern": ",", "text": "a,b,c", "limit": 2 })).unwrap();
        assert_eq!(told, json!({ "pieces": ["a", "b,c"], "more": true }));
    }
}
