//! Running a filter.

use jaq_core::load::{self, Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Filter, Vars, compile, unwrap_valr};
use jaq_json::read;
use serde_json::{Value, json};
use vak_sdk::skill::SkillError;

use crate::library::{Data, definitions, functions};

/// Longer filters are programs.
pub(crate) const FILTER_BYTES_MAX: usize = 4_096;

pub(crate) const LIMIT_MAX: usize = 1_000;

/// Bytes of all outputs as JSON.
const ANSWER_BYTES_MAX: usize = 512 << 10;

/// How an error quotes what it is about.
const ERROR_CHARACTERS_MAX: usize = 300;

/// The outputs of `filter` on `input`; whether there are more than `limit`.
pub(crate) fn run(filter: &str, input: &Value, limit: usize) -> Result<Value, SkillError> {
    if filter.len() > FILTER_BYTES_MAX {
        return Err(invalid(format!("`filter` has {} bytes, and the most is {FILTER_BYTES_MAX}", filter.len())));
    }
    if !(1..=LIMIT_MAX).contains(&limit) {
        return Err(invalid(format!("`limit` is {limit}, and has to be from 1 to {LIMIT_MAX}")));
    }
    let filter = compile(filter)?;
    let text = input.to_string();
    let input = read::parse_single(text.as_bytes()).map_err(|error| invalid(format!("`input`: {error}")))?;
    let context = Ctx::<Data>::new(&filter.lut, Vars::new([]));
    let mut results = filter.id.run((context, input)).map(unwrap_valr);
    let (mut outputs, mut bytes) = (Vec::new(), 0);
    for result in results.by_ref().take(limit) {
        let output = result.map_err(|error| {
            SkillError::Failed(format!("output {}: {}", outputs.len() + 1, cut(&error.to_string())))
        })?;
        let text = output.to_string();
        bytes += text.len();
        if bytes > ANSWER_BYTES_MAX {
            let count = outputs.len();
            return Err(SkillError::Failed(format!(
                "what comes after {count} outputs makes more than {ANSWER_BYTES_MAX} bytes; ask for less"
            )));
        }
        outputs.push(as_json(&text, outputs.len() + 1)?);
    }
    let more = outputs.len() == limit && results.next().is_some();
    Ok(json!({ "outputs": outputs, "more": more }))
}

/// Values of jq are a little more than JSON: not a number, infinity, bytes, keys
/// that are no texts.
fn as_json(text: &str, number: usize) -> Result<Value, SkillError> {
    serde_json::from_str(text).map_err(|_| SkillError::Failed(format!("output {number} is no JSON: {}", cut(text))))
}

fn compile(code: &str) -> Result<Filter<Data>, SkillError> {
    let arena = Arena::default();
    let loader = Loader::new(definitions());
    let modules = loader.load(&arena, File { code, path: () }).map_err(|errors| {
        let told = errors.first().map(|(_, error)| unread(code, error));
        invalid(told.unwrap_or_else(|| "`filter` can't be read".to_owned()))
    })?;
    Compiler::default().with_funs(functions()).compile(modules).map_err(|errors| {
        let undefined = errors.first().and_then(|(_, errors)| errors.first());
        invalid(undefined.map_or_else(
            || "`filter` can't be compiled".to_owned(),
            |(name, kind)| {
                let arity = match kind {
                    compile::Undefined::Filter(arity) => format!("/{arity}"),
                    _ => String::new(),
                };
                format!("`filter` at {}: there is no {} `{name}{arity}`", place(code, name), kind.as_str())
            },
        ))
    })
}

fn unread(code: &str, error: &load::Error<&str>) -> String {
    match error {
        load::Error::Io(errors) => {
            let name = errors.first().map_or("", |(name, _)| name);
            format!("`filter` at {}: there are no modules", place(code, name))
        }
        load::Error::Lex(errors) => errors.first().map_or_else(String::new, |(expected, found)| {
            format!("`filter` at {}: expected {}", place(code, found), expected.as_str())
        }),
        load::Error::Parse(errors) => errors.first().map_or_else(String::new, |(expected, found)| {
            let at = if found.is_empty() { "the end".to_owned() } else { place(code, found) };
            format!("`filter` at {at}: expected {}", expected.as_str())
        }),
    }
}

/// Where `part` of `code` is, for a person.
fn place(code: &str, part: &str) -> String {
    let start = load::span(code, part).start;
    let before = code.get(..start).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    format!("line {}, column {}", before.matches('\n').count() + 1, line.chars().count() + 1)
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(ERROR_CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

fn invalid(why: String) -> SkillError {
    SkillError::InvalidInput(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outputs(filter: &str, input: &Value) -> Value {
        run(filter, input, 10).unwrap_or_else(|error| panic!("{filter}: {error:?}"))["outputs"].clone()
    }

    fn error(filter: &str) -> String {
        match run(filter, &json!({ "a": [1, "x"] }), 10) {
            Err(SkillError::InvalidInput(why) | SkillError::Failed(why)) => why,
            Ok(told) => panic!("{filter}: {told}"),
        }
    }

    #[test]
    fn runs_filters() {
        let input = json!({ "a": [1, 2.5, "ä\u{0}", null], "b": { "c": true } });
        let cases = [
            (".a[1]", json!([2.5])),
            (".a[]", json!([1, 2.5, "ä\u{0}", null])),
            ("[paths]|length", json!([7])),
            (".b | to_entries", json!([[{ "key": "c", "value": true }]])),
            ("empty", json!([])),
            ("9007199254740993", json!([9_007_199_254_740_993_i64])),
            ("\"2020-01-01T00:00:00Z\"|fromdate", json!([1_577_836_800])),
            ("\"a1b22\"|[scan(\"[0-9]+\")]", json!([["1", "22"]])),
            ("@base64 \"\\(.b.c)\"", json!(["dHJ1ZQ=="])),
        ];
        for (filter, expected) in cases {
            assert_eq!(outputs(filter, &input), expected, "{filter}");
        }
        assert_eq!(run("range(5)", &Value::Null, 5).unwrap()["more"], false);
        assert_eq!(run("range(6)", &Value::Null, 5).unwrap()["more"], true);
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        let cases = [
            (".a |\n  foo(1)", "line 2, column 3: there is no filter `foo/1`"),
            ("$x", "there is no variable `$x`"),
            (".a[", "expected"),
            ("\"abc", "expected"),
            (".a[1] + 1", "output 1: "),
            ("nan", "output 1 is no JSON: NaN"),
            ("1, infinite", "output 2 is no JSON"),
            ("", "expected"),
        ];
        for (filter, part) in cases {
            assert!(error(filter).contains(part), "{filter}: {}", error(filter));
        }
    }

    #[test]
    fn reaches_for_nothing() {
        for filter in [
            "input",
            "inputs",
            "env",
            "$ENV",
            "$__prog_args",
            "now",
            "debug",
            "stderr",
            "halt",
            "halt(1)",
            "halt_error",
            "input_filename",
            "localtime",
            "import \"a\" as a; .",
            "include \"a\"; .",
            "get_search_list",
            "$__loc__",
        ] {
            assert!(error(filter).contains("no "), "{filter}: {}", error(filter));
        }
    }
}
