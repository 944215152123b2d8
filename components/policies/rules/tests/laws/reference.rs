//! What rules mean, said as plainly as possible: every rule is looked at, and
//! nothing is prepared. It reads the configuration as JSON and shares no code
//! with the policy.

use std::collections::BTreeSet;
use std::net::IpAddr;

use jiff::Timestamp;
use jiff::tz::Offset;
use serde_json::Value;
use vak_sdk::policy::{Action, AttributeValue, Effect};

use Truth::{No, Unknown, Yes};

use crate::earlier::Earlier;

/// What is expected of a finding.
#[derive(Debug, PartialEq)]
pub(crate) struct Expected {
    pub(crate) effect: Effect,
    pub(crate) rule: Option<String>,
    /// The rule decided because it could not be evaluated.
    pub(crate) unknown: bool,
    pub(crate) obligations: BTreeSet<String>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Truth {
    No,
    Unknown,
    Yes,
}

impl Truth {
    fn of(holds: bool) -> Self {
        if holds { Yes } else { No }
    }

    fn not(self) -> Self {
        match self {
            No => Yes,
            Unknown => Unknown,
            Yes => No,
        }
    }
}

fn and(parts: impl IntoIterator<Item = Truth>) -> Truth {
    parts.into_iter().fold(Yes, |one, other| match (one, other) {
        (No, _) | (_, No) => No,
        (Unknown, _) | (_, Unknown) => Unknown,
        (Yes, Yes) => Yes,
    })
}

fn or(parts: impl IntoIterator<Item = Truth>) -> Truth {
    and(parts.into_iter().map(Truth::not)).not()
}

pub(crate) fn evaluate(config: &Value, action: &Action, past: &Earlier) -> Expected {
    let mut forbids = Vec::new();
    let mut escalates = Vec::new();
    let mut permits = Vec::new();
    for rule in config["rule"].as_array().unwrap() {
        let effect = rule["effect"].as_str().unwrap();
        match (effect, applies(rule, action, past)) {
            ("forbid" | "escalate", Unknown) => forbids.push((rule, true)),
            ("forbid", Yes) => forbids.push((rule, false)),
            ("escalate", Yes) => escalates.push((rule, false)),
            ("permit", Yes) => permits.push((rule, false)),
            _ => {}
        }
    }
    let found = [(Effect::Forbid, &forbids), (Effect::Escalate, &escalates), (Effect::Permit, &permits)];
    let Some((effect, rules)) = found.into_iter().find(|(_, rules)| !rules.is_empty()) else {
        return Expected { effect: Effect::Abstain, rule: None, unknown: false, obligations: BTreeSet::new() };
    };
    let obligations = match effect {
        Effect::Forbid => BTreeSet::new(),
        _ => obligations(permits.iter().map(|(rule, _)| *rule)),
    };
    Expected { effect, rule: rules[0].0["id"].as_str().map(str::to_owned), unknown: rules[0].1, obligations }
}

fn obligations<'a>(rules: impl Iterator<Item = &'a Value>) -> BTreeSet<String> {
    let all: Vec<_> = rules.filter_map(|rule| rule["obligations"].as_array()).flatten().collect();
    let mut texts = BTreeSet::new();
    for obligation in &all {
        let (kind, what) = obligation.as_object().unwrap().iter().next().unwrap();
        let same =
            || all.iter().filter_map(|other| other.get(kind)).filter(|other| other["argument"] == what["argument"]);
        texts.insert(match kind.as_str() {
            "cap" => {
                let least = same().map(|cap| cap["at_most"].as_i64().unwrap()).min().unwrap();
                format!("cap {} {least}", what["argument"].as_str().unwrap())
            }
            "redact" => {
                let first = same().next().unwrap();
                format!("redact {} {}", what["argument"].as_str().unwrap(), first["with"].as_str().unwrap())
            }
            "header" => format!("header {} {}", what["name"].as_str().unwrap(), what["value"].as_str().unwrap()),
            _ => format!("approval {}", what.as_str().unwrap()),
        });
    }
    texts
}

/// Whether a rule applies, and is not only unknown.
pub(crate) fn surely_applies(rule: &Value, action: &Action, past: &Earlier) -> bool {
    applies(rule, action, past) == Yes
}

fn applies(rule: &Value, action: &Action, past: &Earlier) -> Truth {
    let named = |field: &str, text: &str| Truth::of(rule[field].as_array().is_none_or(|list| matches_any(list, text)));
    let roles = match (rule["roles"].as_array(), fact_of_attribute("roles", action)) {
        (None, _) => Yes,
        (Some(list), Some(Value::Array(roles))) => {
            Truth::of(roles.iter().any(|role| matches_any(list, role.as_str().unwrap())))
        }
        (Some(_), _) => Unknown,
    };
    let when = rule["when"].as_array().into_iter().flatten().map(|condition| holds(condition, action, past));
    and([
        named("operations", &action.operation),
        named("resources", &action.resource),
        named("agents", &action.agent),
        roles,
        and(when),
    ])
}

fn matches_any(patterns: &[Value], text: &str) -> bool {
    patterns.iter().any(|pattern| matches(pattern.as_str().unwrap(), text))
}

fn matches(pattern: &str, text: &str) -> bool {
    match pattern.strip_prefix("re:") {
        Some(expression) => regex(expression, text),
        None => fast_glob::glob_match(pattern, text),
    }
}

fn regex(expression: &str, text: &str) -> bool {
    let expression = regex::RegexBuilder::new(&format!("^(?:{expression})$")).dot_matches_new_line(true).build();
    expression.unwrap().is_match(text)
}

fn holds(condition: &Value, action: &Action, past: &Earlier) -> Truth {
    if let Some(parts) = condition["all"].as_array() {
        return and(parts.iter().map(|part| holds(part, action, past)));
    }
    if let Some(parts) = condition["any"].as_array() {
        return or(parts.iter().map(|part| holds(part, action, past)));
    }
    if condition["not"].is_object() {
        return holds(&condition["not"], action, past).not();
    }
    let negated = |truth: Truth| if condition["not"] == Value::Bool(true) { truth.not() } else { truth };
    if let Some(label) = condition.get("label") {
        let patterns = label.as_array().cloned().unwrap_or_else(|| vec![label.clone()]);
        return negated(Truth::of(action.labels.iter().any(|label| matches_any(&patterns, label))));
    }
    if let Some(window) = condition.get("time") {
        return negated(Truth::of(in_window(window, action.time_ns)));
    }
    if let Some(earlier) = condition.get("earlier") {
        return negated(of_earlier(earlier, &condition["at_least"], past));
    }
    if serde_json::from_str::<Value>(&action.arguments).is_err() && condition.get("argument").is_some() {
        return Unknown;
    }
    let fact = fact(condition, action);
    if let Some(wanted) = condition["present"].as_bool() {
        return negated(Truth::of(fact.is_some() == wanted));
    }
    match fact {
        None if condition["optional"] == Value::Bool(true) => No,
        None => Unknown,
        Some(fact) => negated(test(condition, &fact, action)),
    }
}

fn of_earlier(earlier: &Value, least: &Value, past: &Earlier) -> Truth {
    let ms = match earlier["within"].as_str().unwrap() {
        "1s" => 1_000,
        "5s" => 5_000,
        "1m" => 60_000,
        _ => 86_400_000,
    };
    let Some(steps) = past.within(ms) else { return Unknown };
    if let Some(patterns) = earlier["label"].as_array() {
        return Truth::of(steps.into_iter().any(|step| matches_any(patterns, step.label)));
    }
    let operations = earlier["operations"].as_str().unwrap();
    let meant = |operation: &str| match operations.strip_suffix('*') {
        Some(start) => operation.starts_with(start),
        None => operation == operations,
    };
    let refused = earlier["refused"].as_bool().unwrap();
    let count = steps.filter(|step| step.allowed != refused && meant(step.operation)).count();
    Truth::of(count as i64 >= least.as_i64().unwrap())
}

fn fact(operand: &Value, action: &Action) -> Option<Value> {
    if let Some(pointer) = operand["argument"].as_str() {
        return serde_json::from_str::<Value>(&action.arguments).ok()?.pointer(pointer).cloned();
    }
    if let Some(name) = operand["attribute"].as_str() {
        return fact_of_attribute(name, action);
    }
    Some(match operand["action"].as_str().unwrap() {
        "agent" => action.agent.as_str().into(),
        "session" => action.session.as_str().into(),
        "operation" => action.operation.as_str().into(),
        "resource" => action.resource.as_str().into(),
        _ => action.labels.clone().into(),
    })
}

fn fact_of_attribute(name: &str, action: &Action) -> Option<Value> {
    let attribute = action.attributes.iter().find(|attribute| attribute.name == name)?;
    Some(match &attribute.value {
        AttributeValue::Boolean(value) => (*value).into(),
        AttributeValue::Integer(value) => (*value).into(),
        AttributeValue::Text(value) => value.as_str().into(),
        AttributeValue::Texts(values) => values.clone().into(),
    })
}

fn test(test: &Value, fact: &Value, action: &Action) -> Truth {
    let tests = test.as_object().unwrap().iter();
    let operands = ["argument", "attribute", "action", "not", "optional"];
    and(tests
        .filter(|(name, _)| !operands.contains(&name.as_str()))
        .map(|(name, wanted)| one(name, wanted, fact, action)))
}

fn one(name: &str, wanted: &Value, fact: &Value, action: &Action) -> Truth {
    match name {
        "equals" => Truth::of(same(fact, wanted)),
        "one_of" => Truth::of(wanted.as_array().unwrap().iter().any(|wanted| same(fact, wanted))),
        "same_as" => self::fact(wanted, action).map_or(Unknown, |other| Truth::of(same(fact, &other))),
        "at_least" | "at_most" | "more_than" | "less_than" => {
            let other = match wanted.is_object() {
                true => self::fact(wanted, action),
                false => Some(wanted.clone()),
            };
            let Some(order) = other.and_then(|other| order(fact, &other)) else { return Unknown };
            Truth::of(match name {
                "at_least" => order.is_ge(),
                "at_most" => order.is_le(),
                "more_than" => order.is_gt(),
                _ => order.is_lt(),
            })
        }
        "length_at_least" | "length_at_most" => {
            let length = match fact {
                Value::String(text) => text.chars().count(),
                Value::Array(items) => items.len(),
                _ => return Unknown,
            };
            let bound = wanted.as_u64().unwrap() as usize;
            Truth::of(if name == "length_at_least" { length >= bound } else { length <= bound })
        }
        "contains" => match (fact, wanted) {
            (Value::String(text), Value::String(part)) => Truth::of(text.contains(part)),
            (Value::Array(items), _) => Truth::of(items.iter().any(|item| same(item, wanted))),
            _ => Unknown,
        },
        "any_item" | "all_items" => {
            let Some(items) = fact.as_array() else { return Unknown };
            let each = items.iter().map(|item| {
                let truth = test(wanted, item, action);
                if wanted["not"] == Value::Bool(true) { truth.not() } else { truth }
            });
            if name == "any_item" { or(each) } else { and(each) }
        }
        _ => fact.as_str().map_or(Unknown, |fact| of_text(name, wanted, fact)),
    }
}

fn of_text(name: &str, wanted: &Value, fact: &str) -> Truth {
    let text = wanted.as_str().unwrap_or("");
    Truth::of(match name {
        "matches" => matches(text, fact),
        "regex" => regex(text, fact),
        "starts_with" => fact.starts_with(text),
        "ends_with" => fact.ends_with(text),
        "within" => within(fact, text),
        "version" => match fact.parse() {
            Ok(version) => semver::VersionReq::parse(text).unwrap().matches(&version),
            Err(_) => return Unknown,
        },
        "in_network" => match fact.parse::<IpAddr>() {
            Ok(address) => {
                wanted.as_array().unwrap().iter().any(|network| in_network(network.as_str().unwrap(), address))
            }
            Err(_) => return Unknown,
        },
        _ => unreachable!("{name}"),
    })
}

fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(_), Value::Number(_)) => order(one, other) == Some(std::cmp::Ordering::Equal),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, one)| other.get(key).is_some_and(|other| same(one, other)))
        }
        _ => one == other,
    }
}

/// Whole numbers compare as such. Fractions are generated only where doubles
/// are exact.
fn order(one: &Value, other: &Value) -> Option<std::cmp::Ordering> {
    let whole = |value: &Value| value.as_i64().map(i128::from).or(value.as_u64().map(i128::from));
    match (whole(one), whole(other)) {
        (Some(one), Some(other)) => Some(one.cmp(&other)),
        _ => one.as_f64()?.partial_cmp(&other.as_f64()?),
    }
}

fn within(path: &str, folder: &str) -> bool {
    let resolve = |path: &str| {
        path.split('/').fold(Vec::new(), |mut names, name| {
            match name {
                "" | "." => {}
                ".." => drop(names.pop()),
                name => names.push(name.to_owned()),
            }
            names
        })
    };
    path.starts_with('/') && !path.contains('\0') && resolve(path).starts_with(&resolve(folder))
}

fn in_network(network: &str, address: IpAddr) -> bool {
    let (first, bits) = network.split_once('/').unwrap_or((network, "128"));
    let bits: u32 = bits.parse().unwrap();
    match (first.parse::<IpAddr>().unwrap(), address.to_canonical()) {
        (IpAddr::V4(first), IpAddr::V4(address)) => {
            let shift = 32 - bits.min(32);
            first.to_bits().checked_shr(shift) == address.to_bits().checked_shr(shift)
        }
        (IpAddr::V6(first), IpAddr::V6(address)) => {
            let shift = 128 - bits;
            first.to_bits().checked_shr(shift) == address.to_bits().checked_shr(shift)
        }
        _ => false,
    }
}

fn in_window(window: &Value, time_ns: u64) -> bool {
    let offset = match window["offset"].as_str() {
        None | Some("Z") => 0,
        Some(offset) => {
            let (hours, minutes) = offset[1..].split_once(':').unwrap();
            let seconds = hours.parse::<i32>().unwrap() * 3600 + minutes.parse::<i32>().unwrap() * 60;
            if offset.starts_with('-') { -seconds } else { seconds }
        }
    };
    let time = Timestamp::from_nanosecond(i128::from(time_ns)).unwrap();
    let time = Offset::from_seconds(offset).unwrap().to_datetime(time);
    let day = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"][time.weekday().to_monday_zero_offset() as usize];
    let clock = format!("{:02}:{:02}", time.hour(), time.minute());
    let from = window["from"].as_str().unwrap_or("00:00");
    let until = window["until"].as_str().unwrap_or("24:00");
    let clock = clock.as_str();
    let in_day = if from < until { from <= clock && clock < until } else { from <= clock || clock < until };
    in_day && window["days"].as_array().is_none_or(|days| days.iter().any(|name| name == day))
}
