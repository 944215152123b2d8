//! Configurations that are taken, and configurations that are refused.

/// What every feature looks like.
pub(crate) const TAKEN: &[&str] = &[
    "",
    "summary = 'Nothing.'",
    "{}",
    " \n {\"$schema\": \"rules.schema.json\", \"summary\": \"\\u0053\", \"quote_values\": false, \"rule\": []}",
    r#"
summary = "Files."
quote_values = true

[[rule]]
id = "work"
effect = "permit"
reason = "work is fine"
agents = ["ada", "re:bot-[0-9]+"]
roles = ["editor", "admin*"]
operations = ["files/{read,write}_*"]
resources = ["mcp:**"]
obligations = [
    { redact = { argument = "/token", with = "***" } },
    { cap = { argument = "/count", at_most = -1 } },
    { header = { name = "x-reason", value = "work: yes" } },
    { approval = "finance" },
]

[[rule.when]]
argument = "/path"
within = "/work"

[[rule.when]]
any = [
    { attribute = "tenant", equals = "a" },
    { all = [{ label = "untrusted-*", not = true }, { not = { label = ["a", "re:b+"] } }] },
    { time = { from = "22:00", until = "06:00", days = ["mon", "fri"], offset = "-05:30" }, not = true },
    { time = { until = "12:00" } },
    { earlier = { operations = "files/*", within = "24h", refused = true }, at_least = 1, less_than = { attribute = "most" }, not = true },
    { earlier = { label = ["web", "untrusted-*"], within = "90s" } },
]
"#,
    r#"
[[rule]]
id = "tests"
effect = "forbid"
when = [
    { argument = "", present = true },
    { argument = "/a~1b", equals = { a = [1, 2.5, true] }, optional = true },
    { argument = "/a", one_of = [1, "a"], not = true },
    { argument = "/a", same_as = { action = "agent" } },
    { argument = "/a", matches = "re:[a-z]+" },
    { argument = "/a", regex = "" },
    { argument = "/a", starts_with = "a" },
    { argument = "/a", ends_with = "a" },
    { argument = "/a", contains = 1 },
    { argument = "/a", at_least = 1, less_than = { attribute = "most" } },
    { argument = "/a", more_than = -1.5, at_most = 0x10 },
    { argument = "/a", length_at_least = 0, length_at_most = 3 },
    { argument = "/a", in_network = "10.0.0.0/8" },
    { argument = "/a", in_network = ["fc00::/7", "::1"] },
    { argument = "/a", version = ">=1.2, <2" },
    { argument = "/a", any_item = { starts_with = "a", not = true } },
    { argument = "/a", all_items = { any_item = { at_most = 3 } } },
    { action = "session", one_of = ["a", "b"] },
    { action = "resource", length_at_most = 3 },
    { action = "labels", contains = "a" },
    { action = "labels", all_items = { matches = "a*" } },
    { action = "labels", length_at_most = 3 },
]
"#,
];

/// `«` stands before what is complained of.
pub(crate) const REFUSED: &[(&str, &str)] = &[
    // Texts.
    ("x = [«", "unclosed array"),
    ("{\"rule\": [«}", "expected value"),
    ("{} «x", "trailing characters"),
    ("«x = 1", "unknown field `x`, expected `summary`, `quote_values` or `rule`"),
    ("{\n«\"x\": 1}", "unknown field `x`"),
    ("{\"summary\": \"a\", «\"summary\": \"b\"}", "the field `summary` stands twice"),
    ("summary = «1", "wants a text, found a number"),
    ("quote_values = «'no'", "wants `true` or `false`, found a text"),
    ("rule = «1", "`rule` is no list"),
    ("rule = [«1]", "wants a table, found a number"),
    ("[[rule]]\nid = 'a'\neffect = 'permit'\nreason = '''\n[[rule]]\n'''\n«x = 1", "unknown field `x`"),
    // Rules.
    ("«[[rule]]\nid = 'a'", "rule `a`: missing field `effect`"),
    ("«[[rule]]\neffect = 'permit'", "missing field `id`"),
    ("[[rule]]\nid = «''\neffect = 'permit'", "a rule has an empty `id`"),
    ("[[rule]]\nid = «'a\u{200b}'\neffect = 'permit'", "the invisible character U+200B"),
    ("[[rule]]\nid = 'a'\neffect = «'forbit'", "unknown variant `forbit`, expected `permit`, `forbid` or `escalate`"),
    ("{\"rule\": [{\"id\": \"a\", \"effect\": «\"forbit\"}]}", "unknown variant `forbit`"),
    ("[[rule]]\nid = 'a'\neffect = 'permit'\n[[rule]]\nid = «'a'\neffect = 'forbid'", "the rule id `a` stands twice"),
    ("[[rule]]\nid = 'a'\neffect = 'permit'\n«operatons = ['a']", "rule `a`: unknown field `operatons`"),
    ("[[rule]]\nid = 'a'\neffect = 'permit'\noperations = «[]", "the list is empty"),
    ("[[rule]]\nid = 'a'\neffect = 'permit'\noperations = «'a'", "wants a list, found a text"),
    ("[[rule]]\nid = 'a'\neffect = 'permit'\noperations = ['a', «1]", "wants a text, found a number"),
    ("[[rule]]\nid = 'a'\neffect = 'permit'\nroles = ['a', «'{']", "unclosed brace"),
    ("[[rule]]\nid = 'a'\neffect = 'permit'\nagents = [«'!a']", "write a forbid rule instead"),
    ("[[rule]]\nid = 'a'\neffect = 'permit'\nagents = [«'re:(']", "the regular expression `(`"),
    ("[[rule]]\nid = 'a'\neffect = 'permit'\nagents = [«\"a\u{202e}b\"]", "the invisible character U+202E"),
    (
        "[[rule]]\nid = 'a'\neffect = 'permit'\nagents = [«'{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}']",
        "stands for 128 patterns",
    ),
];

/// The same of a condition.
pub(crate) const REFUSED_CONDITIONS: &[(&str, &str)] = &[
    ("«{}", "exactly one of `argument`, `attribute`"),
    ("«{ argument = '/a' }", "the condition on `/a` needs exactly one of `equals`"),
    ("«{ argument = '/a', equals = 1, one_of = [1] }", "needs exactly one of `equals`"),
    ("«{ argument = '/a', equals = 1, at_most = 1 }", "needs exactly one of `equals`"),
    ("«{ argument = '/a', attribute = 'b', equals = 1 }", "exactly one of `argument`, `attribute`"),
    ("«{ argument = '/a', label = 'b', equals = 1 }", "exactly one of `argument`, `attribute`"),
    ("{ argument = '/a', «equal = 1 }", "unknown field `equal`"),
    ("{ argument = '/a', equals = 1, «x = 1 }", "unknown field `x`"),
    ("{ argument = «'path', equals = 1 }", "write `/path`"),
    ("{ argument = «'/a~', equals = 1 }", "write `~0` for `~`"),
    ("{ attribute = «'', equals = 1 }", "an attribute has a name"),
    ("{ action = «'agents', equals = 'a' }", "an action has no `agents`"),
    ("{ action = 'agent', «at_least = 1 }", "`at_least` tests a number, which this is not"),
    ("{ action = 'agent', equals = «1 }", "is compared with a text, so it has to be one"),
    ("{ action = 'agent', one_of = ['a', «true] }", "is compared with a text"),
    ("{ action = 'agent', «any_item = { equals = 'a' } }", "tests something else than a text"),
    ("{ action = 'agent', «present = true }", "tests something else than a text"),
    ("{ action = 'agent', equals = 'a', optional = «true }", "`optional` is for the tests of"),
    ("{ action = 'labels', «matches = 'a' }", "tests something else than a list of texts"),
    ("{ action = 'labels', contains = «1 }", "is compared with a text"),
    ("{ action = 'labels', any_item = { «at_most = 1 } }", "tests a number, which this is not"),
    ("{ argument = '/a', present = true, optional = «true }", "`optional` is for the tests of"),
    ("{ argument = '/a', equals = 1, not = «'yes' }", "wants `true` or `false`, found a text"),
    ("{ argument = '/a', equals = «1979-05-27 }", "arguments have no dates"),
    ("{ argument = '/a', equals = «nan }", "beyond what a number can be here"),
    ("{ argument = '/a', at_most = «inf }", "beyond what a number can be here"),
    ("{ argument = '/a', at_most = «9223372036854775808 }", "beyond what a number can be here"),
    ("{ argument = '/a', at_most = «'5' }", "wants a number, found a text"),
    ("{ argument = '/a', at_most = «{ action = 'agent' } }", "`agent` is no number"),
    ("{ argument = '/a', same_as = «{} }", "names nothing to compare with"),
    ("{ argument = '/a', same_as = { argument = «'b' } }", "write `/b`"),
    ("{ argument = '/a', at_most = 1, less_than = «1 }", "`less_than` beside `at_most`"),
    ("«{ argument = '/a', at_most = 1, at_least = 2 }", "no number is in this range"),
    ("«{ argument = '/a', at_most = 1, more_than = 1 }", "no number is in this range"),
    ("{ argument = '/a', length_at_most = «-1 }", "a length is a whole number from 0"),
    ("{ argument = '/a', length_at_most = «1.5 }", "a length is a whole number from 0"),
    ("«{ argument = '/a', length_at_most = 1, length_at_least = 2 }", "no length is in this range"),
    ("{ argument = '/a', one_of = «[] }", "the list is empty"),
    ("{ argument = '/a', matches = «'[a' }", "unclosed character class"),
    ("{ argument = '/a', regex = «'[b-a]' }", "the regular expression `[b-a]`"),
    ("{ argument = '/a', regex = «'(a{100}){100}' }", "the regular expression"),
    ("{ argument = '/a', regex = «'a)|(b' }", "the regular expression"),
    ("{ argument = '/a', within = «'work' }", "must be an absolute path"),
    ("{ argument = '/a', within = «'/work/..' }", "must be an absolute path"),
    ("{ argument = '/a', starts_with = «'' }", "the text is empty"),
    ("{ argument = '/a', contains = «'' }", "the text is empty"),
    ("{ argument = '/a', in_network = ['::1', «'10.0.0.1/8'] }", "bits set behind the prefix"),
    ("{ argument = '/a', in_network = «'example.org' }", "is no network"),
    ("{ argument = '/a', version = «'one' }", "is no version requirement"),
    ("{ argument = '/a', any_item = «{ present = true } }", "an item is always present"),
    ("{ argument = '/a', any_item = { equals = 1, «argument = '/b' } }", "`argument`"),
    ("{ argument = '/a', any_item = «'a' }", "wants a table, found a text"),
    ("{ label = «'' }", "a pattern is empty"),
    ("{ label = 'a', «equals = 'a' }", "unknown field `equals`"),
    ("{ label = 'a', «optional = true }", "unknown field `optional`"),
    ("{ time = «{} }", "`time` needs `from`, `until` or `days`"),
    ("{ time = «{ offset = 'Z' } }", "`time` needs `from`, `until` or `days`"),
    ("{ time = { from = «'9:00' } }", "is no time of day"),
    ("{ time = { from = «'25:00' } }", "is no time of day"),
    ("{ time = { from = «'09:00', until = '09:00' } }", "leave no time between them"),
    ("{ time = { days = ['mon', «'Tue'] } }", "`Tue` is no day"),
    ("{ time = { days = ['mon'], offset = «'CET' } }", "is no offset from UTC"),
    ("{ time = { days = ['mon'], «zone = 'CET' } }", "unknown field `zone`"),
    ("«{ earlier = { operations = 'a', within = '1h' } }", "the number of earlier actions needs one of `at_least`"),
    ("{ earlier = { operations = 'a', within = '1h' }, at_least = 1, «equals = 1 }", "unknown field `equals`"),
    ("{ earlier = { label = 'a', within = '1h' }, «at_least = 1 }", "unknown field `at_least`"),
    ("{ earlier = «{ within = '1h' } }", "exactly one of `operations` and `label`"),
    ("{ earlier = «{ operations = 'a' }, at_least = 1 }", "missing field `within`"),
    ("{ earlier = { operations = «'*/a', within = '1h' }, at_least = 1 }", "names no earlier operations"),
    ("{ earlier = { operations = «'re:a', within = '1h' }, at_least = 1 }", "names no earlier operations"),
    ("{ earlier = { operations = «'', within = '1h' }, at_least = 1 }", "names no earlier operations"),
    ("{ earlier = { operations = 'a', within = «'25h' }, at_least = 1 }", "is no time up to a day"),
    ("{ earlier = { operations = 'a', within = «'0s' }, at_least = 1 }", "is no time up to a day"),
    ("{ earlier = { operations = 'a', within = «'+1h' }, at_least = 1 }", "is no time up to a day"),
    ("{ earlier = { operations = 'a', within = «'99999999999999999999h' }, at_least = 1 }", "is no time up to a day"),
    ("{ earlier = { operations = 'a', within = «'é' }, at_least = 1 }", "is no time up to a day"),
    ("{ earlier = { label = 'a', «refused = true, within = '1h' } }", "unknown field `refused`"),
    ("{ all = «[] }", "the list is empty"),
    ("«{ all = [{ label = 'a' }], any = [{ label = 'a' }] }", "exactly one of `all`, `any` and `not`"),
    ("«{ all = [{ label = 'a' }], not = true }", "exactly one of `all`, `any` and `not`"),
    ("{ all = [{ label = 'a' }], «argument = '/a', equals = 1 }", "`argument`"),
    ("{ any = [«{ argument = '/a' }] }", "needs exactly one of"),
    ("{ not = «{} }", "exactly one of `argument`, `attribute`"),
];

/// The same of an obligation of a permit.
pub(crate) const REFUSED_OBLIGATIONS: &[(&str, &str)] = &[
    ("«{}", "exactly one of `redact`, `cap`, `header` or `approval`"),
    ("«{ approval = 'a', cap = { argument = '/a', at_most = 1 } }", "exactly one of"),
    ("{ «log = true }", "unknown field `log`"),
    ("{ redact = { argument = «'', with = '' } }", "write `/name`"),
    ("{ redact = { argument = «'a', with = '' } }", "write `/a`"),
    ("{ redact = «{ argument = '/a' } }", "missing field `with`"),
    ("{ redact = { argument = '/a', with = '', «by = '' } }", "unknown field `by`"),
    ("{ cap = { argument = '/a', at_most = «1.5 } }", "wants a whole number of 64 bits"),
    ("{ cap = { argument = '/a', at_most = «'1' } }", "wants a number, found a text"),
    ("{ header = { name = «'X-A', value = '' } }", "is no name of a header"),
    ("{ header = { name = 'x-a', value = «\"a\\nb\" } }", "only visible ASCII characters"),
    ("{ approval = «'' }", "`approval` says why"),
];
