//! What is wrong with mappings is said, and where.

#![allow(clippy::unwrap_used, clippy::panic)]

use vak_adapter_json::Mapping;
use vak_sdk::adapter::{Adapter as _, Configure as _, Intake};

const HEAD: &str = "framework = 'a'\nversions = ['1']\n";

/// A mapping with one message of these lines, which start at line 4.
fn message(lines: &str) -> String {
    format!("{HEAD}[[message]]\n{lines}\n")
}

/// One that asks, with these lines in `asks` and `replies`.
fn asking(asks: &str, replies: &str) -> String {
    let asks = format!("operation = 'o'\nresource = 'r'\narguments = '/a'\n{asks}");
    message(&format!("name = 'm'\n[message.asks]\n{asks}\n[message.replies]\n{replies}"))
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let replies = "allow = 1\ndeny = 2";
    let cases = [
        ("framework =", (1, 12), "string values must be quoted"),
        ("framework = ''", (1, 13), "the name is empty"),
        ("framework = 'a'\nversions = ['1']", (1, 1), "missing field `message`"),
        (&message("x = 1"), (3, 1), "missing field `name`"),
        (&message("name = 'm'"), (3, 1), "`m` has to have one of `asks`, `tells` and `passes`"),
        (&message("name = 'm'\npasses = true"), (5, 10), "a message passes by what it says"),
        (&message("name = 'm'\nwhen = { '/a' = { exists = true } }\npasses = true"), (6, 10), "a message passes by"),
        (&message("name = 'm'\nwhen = {}\npasses = true"), (5, 8), "it has no conditions"),
        (&message("name = 'm'\nwhen = { 'a' = 1 }\npasses = true"), (5, 10), "is no JSON pointer"),
        (&message("name = 'm'\nwhen = { './a' = 1 }\npasses = true"), (5, 10), "there is no `each` here"),
        (&message("name = 'm'\nwhen = { '/a~2' = 1 }\npasses = true"), (5, 10), "neither `~0` nor `~1`"),
        (&message("name = 'm'\nwhen = { '/a?' = 1 }\npasses = true"), (5, 10), "take the `?` away"),
        (&message("name = 'm'\nwhen = { '/a' = { is = 1 } }\npasses = true"), (5, 19), "unknown field `is`"),
        (&message("name = 'm'\nwhen = { '/a' = { type = 'map' } }\npasses = true"), (5, 26), "`map` is no type"),
        (&message("name = 'm'\nwhen = { '/a' = 2026-01-01 }\npasses = true"), (5, 17), "JSON has no dates"),
        (&message("name = 'm'\nwhen = { '/a' = inf }\npasses = true"), (5, 17), "JSON has no such number"),
        (&message("name = 'm'\nwhen = { '/a' = 0x10 }\npasses = true"), (5, 17), "in decimal"),
        (&message("name = 'm'\nwhen = { '/a' = 1 }\npasses = false"), (6, 10), "wants `true`, found false"),
        (&message("name = 'm'\nasks = {}"), (3, 1), "missing field `replies`"),
        (&message("name = 'm'\ntells = { call = '{/c}', ending = 'done' }"), (5, 35), "`done` is no ending"),
        (&asking("more = 1", replies), (9, 1), "unknown field `more`"),
        (&asking("call = ''", replies), (9, 8), "the text is empty"),
        (&asking("call = '{/a}{/b}'", replies), (9, 8), "two places with nothing between them"),
        (&asking("call = '{/a'", replies), (9, 8), "has a `{` by itself"),
        (&asking("call = 'a}'", replies), (9, 8), "has a `}` by itself"),
        (&asking("session = '{arguments}'", replies), (9, 11), "is no JSON pointer"),
        (&asking("skip = { './a' = 1 }", replies), (9, 8), "`skip` is for `each`"),
        (&asking("each = '/l'\nskip = { './a' = { exists = true } }", replies), (10, 8), "name a value"),
        (&asking("", "allow = 1"), (10, 1), "missing field `deny`"),
        (&asking("", "allow = 1\ndeny = 1"), (12, 8), "`deny` could read like an allow"),
        (&asking("", "allow = 'yes'\ndeny = '{/text}'"), (12, 8), "`deny` could read like an allow"),
        (&asking("", "allow = 'yes'\ndeny = 'n{/text}'"), (12, 8), "`deny` could read like an allow"),
        (&asking("", "allow = { a = '{/a}' }\ndeny = { a = 1 }"), (12, 8), "`deny` could read like an allow"),
        (&asking("", "allow = 1\ndeny = 2\nescalate = 1"), (12, 8), "`escalate` could read like an allow"),
        (&asking("", "allow = 1\nrewrite = ['{arguments}']\ndeny = ['{/a}']"), (13, 8), "`deny` could read like"),
        (&asking("", "allow = 1\nrewrite = 3\ndeny = 2"), (12, 11), "`rewrite` has no `{arguments}`"),
        (&asking("", "allow = 1\ndeny = 'a {arguments}'"), (12, 8), "let it stand alone"),
        (&asking("", "allow = 1\ndeny = '{why}'"), (12, 8), "`{why}` is no place"),
        (&asking("", "allow = 1\ndeny = 2\nall = ['{answers}']"), (13, 7), "`all` is for `each`"),
        (&asking("each = '/l'", "allow = 1\ndeny = 2\nall = 3"), (13, 7), "`all` has no `{answers}`"),
        (
            &asking("each = '/l'", "allow = 1\ndeny = 2\nall = ['{./a}', '{answers}']"),
            (13, 8),
            "there is no `each` here",
        ),
        (&format!("{}# é\nx = é", asking("", replies)), (14, 5), "string values must be quoted"),
    ];
    for (text, (line, column), part) in cases {
        let error = match Mapping::configure(text) {
            Ok(_) => panic!("{text}"),
            Err(error) => error,
        };
        assert!(error.message.contains(part), "{}: {text}", error.message);
        assert_eq!((error.line, error.column), (Some(line), Some(column)), "{}: {text}", error.message);
    }
    assert!(Mapping::configure(&" ".repeat((1 << 20) + 1)).is_err());
}

#[test]
fn an_operation_or_a_resource_is_never_missing() {
    let text = asking("", "allow = 1\ndeny = 2").replace("'o'", "'{/a?}'");
    assert!(Mapping::configure(&text).unwrap_err().message.contains("may miss nothing"));
}

#[test]
fn answers_that_no_message_can_make_alike_are_fine() {
    let pairs = [
        ("1", "2"),
        ("{ a = true, b = '{/b}' }", "{ a = false, b = '{/b}' }"),
        ("{ a = '{/b}' }", "{ b = '{/b}' }"),
        ("['{/a}']", "['{/a}', 1]"),
        ("{}", "[]"),
        ("'{decision}'", "'{decision}'"),
        ("1", "'a {/b}'"),
    ];
    for (allow, deny) in pairs {
        let text = asking("", &format!("allow = {allow}\ndeny = {deny}"));
        Mapping::configure(&text).unwrap_or_else(|error| panic!("{}: {text}", error.message));
    }
}

#[test]
fn the_reference_holds_a_mapping_that_works() {
    let reference = include_str!("../MAPPING.md");
    let example = reference.split("```toml\n").nth(2).unwrap().split("```").next().unwrap();
    let mapping = Mapping::configure(example).unwrap_or_else(|error| panic!("{}", error.message));
    assert!(mapping.describe().rewrites);
    let Ok(Intake::Pass) = vak_sdk::adapter::Adapter::ingest(&mapping, r#"{"type":"text"}"#) else {
        panic!("it talks")
    };
}
