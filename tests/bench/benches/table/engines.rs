//! The policy `rules` beside other engines with rules of the same meaning.

use std::hint::black_box;
use std::process::Command;

use vak::Json;
use vak_bench::{Asked, Rule, TEAM, asked, median_ns};
use vak_pipeline::Guard as _;
use vak_test_support::{Site, binary};
use vak_types::{Action, ActionRequest, Effect, Timestamp};

use crate::print::Row;
use crate::reused;

/// Numbers of rules.
const COUNTS: [usize; 3] = [20, 100, 1_000];

/// From here on a fresh instance has to be ahead of the others.
const AHEAD_FROM: usize = 100;

/// What another engine takes, in microseconds.
struct Other {
    name: String,
    count: usize,
    /// From the action's texts to the answer.
    whole: f64,
    /// Of that, what comes after the engine's own input is made.
    judging: f64,
}

/// Everybody starts from the texts of an action and gives the same answers. Ours
/// checks and keeps all of the action; the others read what the rules look at.
pub(crate) fn rows() -> Vec<Row> {
    let others = others();
    let row = |count| {
        let (whole, judging) = ours(count);
        let others: Vec<_> = others.iter().filter(|other| other.count == count).collect();
        let told = |other: &&Other| format!("`{}` {:.1} ({:.1}) µs", other.name, other.whole, other.judging);
        let told: Vec<_> = others.iter().map(told).collect();
        let reused = reused::micros("rules", Some(&text(count)), &action(&asked(count)[0]));
        let floor = format!("{}; here ({judging:.1}), in one instance ({reused:.1}) µs", told.join(", "));
        let best = others.iter().map(|other| other.whole).fold(f64::INFINITY, f64::min);
        let what = format!("{count} rules, from an action's texts (its input made before)");
        match count >= AHEAD_FROM {
            true => Row::ahead(&what, whole, best, "µs", floor),
            false => Row::without_bar(&what, whole, "µs", floor),
        }
    };
    COUNTS.map(row).into()
}

/// Measured by a program of its own, see its `Cargo.toml`.
fn others() -> Vec<Other> {
    let counts = COUNTS.map(|count| count.to_string());
    let output = Command::new(binary("vak-bench-engines")).args(counts).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let other = |line: &str| {
        let mut words = line.split(' ');
        let name = words.next().unwrap().to_owned();
        let [count, whole, judging] = [(); 3].map(|()| words.next().unwrap().parse::<f64>().unwrap());
        Other { name, count: count as usize, whole: whole / 1e3, judging: judging / 1e3 }
    };
    text.lines().map(other).collect()
}

/// Microseconds for a judgement through the host from the action's texts, and
/// from the action.
fn ours(count: usize) -> (f64, f64) {
    let site = Site::new().rules(&text(count));
    let host = site.host();
    let policies = host.policies();
    let permits = |action: &Action| policies[0].evaluate(action, None).unwrap().effect == Effect::Permit;
    let all = asked(count);
    for asked in &all {
        assert_eq!(permits(&action(asked)), asked.allowed, "{count} rules: {asked:?}");
    }
    let whole = median_ns(|| assert!(permits(&action(black_box(&all[0])))));
    let action = action(&all[0]);
    let judging = median_ns(|| assert!(permits(black_box(&action))));
    (whole / 1e3, judging / 1e3)
}

fn text(count: usize) -> String {
    let rule = |rule: Rule| {
        let Rule { id, effect, operation, folder } = rule;
        let effect = match effect {
            vak_bench::Effect::Permit => "permit",
            vak_bench::Effect::Forbid => "forbid",
        };
        format!(
            "[[rule]]\nid = '{id}'\neffect = '{effect}'\nagents = {TEAM:?}\noperations = ['{operation}']\n\
             when = [{{ argument = '/path', starts_with = '{folder}' }}]\n"
        )
    };
    vak_bench::rules(count).into_iter().map(rule).collect()
}

fn action(asked: &Asked) -> Action {
    let request = ActionRequest {
        session: "s-1".parse().unwrap(),
        agent: asked.agent.parse().unwrap(),
        operation: asked.operation.parse().unwrap(),
        resource: "any".parse().unwrap(),
        arguments: Json::parse(&asked.arguments).unwrap(),
        attributes: [].into(),
        labels: Vec::new(),
    };
    request.at("bench-1".parse().unwrap(), Timestamp::from_nanos(1_700_000_000_000_000_000))
}
