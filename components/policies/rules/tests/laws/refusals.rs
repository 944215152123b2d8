//! Whatever is wrong is refused, at its place.

use vak_policy_rules::Rules;
use vak_sdk::policy::{ConfigError, Configure as _};

use crate::samples::{REFUSED, REFUSED_CONDITIONS, REFUSED_OBLIGATIONS};

/// All that is refused, with a mark before what is complained of.
pub(crate) fn refused() -> impl Iterator<Item = (String, &'static str)> {
    let whole = REFUSED.iter().map(|(text, part)| ((*text).to_owned(), *part));
    let conditions = REFUSED_CONDITIONS.iter().map(|(condition, part)| {
        (format!("[[rule]]\nid = 'a'\neffect = 'forbid'\nwhen = [\n    {condition},\n]\n"), *part)
    });
    let obligations = REFUSED_OBLIGATIONS.iter().map(|(obligation, part)| {
        (format!("[[rule]]\nid = 'é'\neffect = 'permit'\nobligations = [{obligation}]\n"), *part)
    });
    whole.chain(conditions).chain(obligations)
}

fn refusal(text: &str) -> ConfigError {
    Rules::configure(text).err().unwrap_or_else(|| panic!("took {text:.500}"))
}

#[test]
fn is_refused_at_its_place() {
    let mut wrong = Vec::new();
    for (marked, part) in refused() {
        let (before, after) = marked.split_once('«').unwrap();
        let error = refusal(&format!("{before}{after}"));
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap().chars().count() + 1;
        let place = (error.line.unwrap() as usize, error.column.unwrap() as usize);
        if place != (line, column) || !error.message.contains(part) {
            wrong.push(format!("{marked}: {} at {place:?}", error.message));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_a_permit_obliges() {
    for effect in ["forbid", "escalate"] {
        let error = refusal(&format!("[[rule]]\nid = 'a'\neffect = '{effect}'\nobligations = [{{ approval = 'a' }}]"));
        assert_eq!((error.line, error.column), (Some(4), Some(15)));
        assert!(error.message.contains("only a permit has `obligations`"), "{}", error.message);
    }
}

fn rule(fields: &str) -> String {
    format!("[[rule]]\nid = 'a'\neffect = 'forbid'\n{fields}\n")
}

fn nested(levels: usize) -> String {
    rule(&format!("when = [{}{{ label = 'a' }}{}]", "{ not = ".repeat(levels), " }".repeat(levels)))
}

#[test]
fn limits_are_kept() {
    let list = |item: &str, count: usize| format!("[{}]", vec![item; count].join(", "));
    let text = |bytes: usize| "a".repeat(bytes);
    let conditions = |count: usize| rule(&format!("when = {}", list("{ label = 'a' }", count)));
    let cases = [
        (conditions(64), conditions(65), "more than 64 conditions"),
        (nested(7), nested(8), "nested deeper than 8 levels"),
        (
            rule(&format!("operations = {}", list("'a'", 256))),
            rule(&format!("operations = {}", list("'a'", 257))),
            "a list of 257; the most is 256",
        ),
        (
            rule(&format!("reason = '{}'", text(1_024))),
            rule(&format!("reason = '{}'", text(1_025))),
            "a text of 1025 bytes; the most is 1024",
        ),
        (
            rule("operations = ['{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}']"),
            rule("operations = ['{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}']"),
            "stands for 128 patterns; the most is 64",
        ),
        (rule("operations = ['re:a{900}']"), rule("operations = ['re:(a{90}){90}']"), "the regular expression"),
    ];
    for (taken, refused, part) in cases {
        assert!(Rules::configure(&taken).is_ok(), "{taken}");
        let error = refusal(&refused);
        assert!(error.message.contains(part) && error.line.is_some(), "{}", error.message);
    }
}

#[test]
fn too_many_rules_are_refused() {
    let toml =
        |count: usize| (0..count).map(|at| format!("[[rule]]\nid='{at}'\neffect='permit'\n")).collect::<String>();
    let json = |count: usize| {
        let rules: Vec<_> = (0..count).map(|at| format!("{{\"id\":\"{at}\",\"effect\":\"permit\"}}")).collect();
        format!("{{\"rule\":[{}]}}", rules.join(","))
    };
    assert!(Rules::configure(&toml(50_000)).is_ok() && Rules::configure(&json(50_000)).is_ok());
    for text in [toml(50_001), toml(300_000), json(50_001), json(300_000)] {
        assert!(refusal(&text).message.contains("more than 50000 rules, which is the most"));
    }
    for text in [toml(1_000_000), json(1_000_000)] {
        assert!(refusal(&text).message.contains("the most is 16777216, and 50000 rules"));
    }
}

#[test]
fn deep_texts_are_refused() {
    let deep = 10_000;
    let list = "[".repeat(deep) + &"]".repeat(deep);
    let object = "{\"a\":".repeat(deep) + "1" + &"}".repeat(deep);
    for text in [format!("{{\"rule\": {list}}}"), format!("{{\"a\": {object}}}")] {
        assert!(refusal(&text).message.contains("nested deeper than 64 levels"));
    }
    refusal(&format!("rule = {list}"));
}

/// Whatever the text, reading it ends with a configuration or a complaint that
/// lies in it.
mod any_text {
    use proptest::prelude::*;
    use vak_policy_rules::Rules;
    use vak_sdk::policy::Configure as _;

    use super::refused;
    use crate::samples::TAKEN;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn is_read_or_refused(at in any::<prop::sample::Index>(), cut in any::<prop::sample::Index>(), put in "[\\[\\]{}=,'\"a1.é«\n]{0,3}") {
            let texts: Vec<_> = TAKEN.iter().map(|text| (*text).to_owned()).chain(refused().map(|(text, _)| text)).collect();
            let text: Vec<_> = at.get(&texts).chars().collect();
            let cut = cut.index(text.len() + 1);
            let kept = (cut + put.chars().count() % 2).min(text.len());
            let text: String = text[..cut].iter().copied().chain(put.chars()).chain(text[kept..].iter().copied()).collect();
            if let Err(error) = Rules::configure(&text) {
                let line = error.line.unwrap() as usize;
                prop_assert!(line <= text.matches('\n').count() + 1, "{}: {}", text, error.message);
            }
        }
    }
}
