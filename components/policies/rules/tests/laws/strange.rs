//! Arguments that nobody means well with.

use vak_policy_rules::Rules;
use vak_sdk::policy::{Action, Configure as _, Effect, Policy as _};

const RULES: &str = r"
[[rule]]
id = 'all'
effect = 'permit'

[[rule]]
id = 'much'
effect = 'forbid'
when = [{ argument = '/n', more_than = 9223372036854775807 }]

[[rule]]
id = 'odd'
effect = 'forbid'
when = [{ argument = '/t', regex = '(.*a){20}', optional = true }]
";

fn ask(arguments: &str) -> (Effect, String, String) {
    let rules = Rules::configure(RULES).unwrap_or_else(|error| panic!("{}", error.message));
    let action = Action {
        id: "a".to_owned(),
        session: "s".to_owned(),
        agent: "ada".to_owned(),
        operation: "o".to_owned(),
        resource: "r".to_owned(),
        arguments: arguments.to_owned(),
        attributes: Vec::new(),
        labels: Vec::new(),
        time_ns: 0,
    };
    let finding = rules.evaluate(&action).unwrap();
    (finding.effect, finding.rule.unwrap_or_default(), finding.reason)
}

#[test]
fn are_judged_or_forbidden() {
    let deep = format!("{{\"n\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let large = format!("{{\"n\":1,\"t\":\"{}b\"}}", "a".repeat(1_000_000));
    let unreadable = "needs the arguments, which are not JSON";
    let cases = [
        (r#"{"n":9223372036854775807}"#, Effect::Permit, "all", ""),
        (r#"{"n":9223372036854775808}"#, Effect::Forbid, "much", "argument `/n` is `9223372036854775808`"),
        (r#"{"n":9.3e18}"#, Effect::Forbid, "much", "argument `/n` is `…`"),
        (r#"{"n":1,"n":1e19}"#, Effect::Forbid, "much", "argument `/n` is `…`"),
        (r#"{"n":1e999}"#, Effect::Forbid, "much", unreadable),
        (r#"{"n":NaN}"#, Effect::Forbid, "much", unreadable),
        (r#"{"n":"\ud800"}"#, Effect::Forbid, "much", unreadable),
        ("", Effect::Forbid, "much", unreadable),
        (&deep, Effect::Forbid, "much", unreadable),
        (&large, Effect::Permit, "all", ""),
    ];
    for (arguments, effect, rule, reason) in cases {
        assert_eq!(ask(arguments), (effect, rule.to_owned(), reason.to_owned()), "{arguments:.50}");
    }
}
