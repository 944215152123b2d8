//! Budgets and places, from the decision to the outcome.

#![allow(clippy::unwrap_used, clippy::panic)]

use futures_executor::block_on;
use vak::{Action, ActionRequest, Decided, Host, Json, Outcome};
use vak_audit::{Body, LogReader, Status};
use vak_test_support::Site;
use vak_types::AttributeValue;

const RULES: &str = "[[rule]]\nid = 'all'\neffect = 'permit'\n\
                     [[rule]]\nid = 'not-this'\neffect = 'forbid'\noperations = ['forbidden']\n";

const LIMITS: &str = "limits = [\n\
    { name = 'money', kind = 'budget', per = 'agent', amount = 100, cost = 'cost_micros', operations = 'pay*' },\n\
    { name = 'denied-too', kind = 'budget', per = 'agent', amount = 100, cost = 'cost_micros', operations = 'forbidden' },\n\
    { name = 'places', kind = 'concurrency', per = 'agent', at_once = 2, operations = 'slow' },\n\
    { name = 'watched', kind = 'quota', per = 'host', actions = 1, window_s = 3600, mode = 'shadow' },\n]\n";

fn host() -> (Host, Site) {
    let site = Site::new().rules(RULES);
    let config = LIMITS.to_owned() + &std::fs::read_to_string(site.config()).unwrap();
    std::fs::write(site.config(), config).unwrap();
    (site.host(), site)
}

fn decide(host: &Host, operation: &str, cost: Option<AttributeValue>) -> (Action, Decided) {
    let request = ActionRequest {
        agent: "ada".parse().unwrap(),
        session: "s".parse().unwrap(),
        operation: operation.parse().unwrap(),
        resource: "r".parse().unwrap(),
        arguments: Json::default(),
        attributes: cost.into_iter().map(|cost| ("cost_micros".to_owned(), cost)).collect(),
        labels: Vec::new(),
    };
    let action = host.stamp(request).unwrap();
    let decided = block_on(host.decide(&action));
    (action, decided)
}

fn pay(host: &Host, cost: i64) -> (Action, Decided) {
    decide(host, "pay", Some(AttributeValue::Integer(cost)))
}

fn end(host: &Host, (action, decided): (Action, Decided), outcome: Outcome) {
    block_on(host.record_outcome(&action, decided, outcome)).unwrap();
}

#[track_caller]
fn denied_by(limit: &str, (_, decided): &(Action, Decided)) {
    let why = decided.verdict.deciding().unwrap().to_string();
    assert!(!decided.verdict.is_allow() && why.starts_with(&format!("limit `{limit}`")), "{why}");
}

#[test]
fn money_is_reserved_spent_and_given_back() {
    let (host, _site) = host();
    let first = pay(&host, 60);
    assert!(first.1.verdict.is_allow());
    // Reserved, though nothing was spent yet.
    denied_by("money", &pay(&host, 60));
    end(&host, first, Outcome::failed("the bank is closed"));
    let second = pay(&host, 60);
    assert!(second.1.verdict.is_allow());
    end(&host, second, Outcome::succeeded(b"paid").spent("cost_micros", 30));
    let third = pay(&host, 70);
    assert!(third.1.verdict.is_allow());
    // It cost more than was said: the debt counts.
    end(&host, third, Outcome::succeeded(b"paid").spent("cost_micros", 80));
    denied_by("money", &pay(&host, 1));
    denied_by("money", &pay(&host, 0));
}

/// Unlike an outcome that is unknown: there, it may have been done.
#[test]
fn what_nobody_was_told_has_cost_nothing() {
    let (host, site) = host();
    end(&host, pay(&host, 60), Outcome::withdrawn("the client had gone"));
    end(&host, pay(&host, 60), Outcome::unknown("the client said nothing"));
    denied_by("money", &pay(&host, 60));
    let (one, two) = (decide(&host, "slow", None), decide(&host, "slow", None));
    denied_by("places", &decide(&host, "slow", None));
    end(&host, one, Outcome::withdrawn("the client had gone"));
    assert!(decide(&host, "slow", None).1.verdict.is_allow());
    drop(two);
    let log = host.log();
    host.close().unwrap();
    let log = LogReader::open(&log).unwrap();
    let outcomes = log.entries(0, u64::MAX).filter_map(|entry| match entry.unwrap().body {
        Body::Outcome(_, outcome) => Some((outcome.status, outcome.detail)),
        _ => None,
    });
    let (gone, silent) = ("the client had gone".to_owned(), "the client said nothing".to_owned());
    let unknown = Status::Unknown;
    assert_eq!(outcomes.collect::<Vec<_>>(), [(unknown, gone.clone()), (unknown, silent), (unknown, gone)]);
    drop(site);
}

#[test]
fn who_does_not_say_what_it_costs_does_not_pay() {
    let (host, _site) = host();
    for cost in [None, Some(AttributeValue::Text("1".to_owned())), Some(AttributeValue::Integer(-1))] {
        denied_by("money", &decide(&host, "pay", cost));
    }
    assert!(pay(&host, 100).1.verdict.is_allow());
}

#[test]
fn what_a_policy_denies_has_cost_nothing() {
    let (host, _site) = host();
    for _ in 0..3 {
        let (_, decided) = decide(&host, "forbidden", Some(AttributeValue::Integer(100)));
        assert!(decided.verdict.deciding().unwrap().to_string().contains("not-this") && decided.held.is_none());
    }
}

#[test]
fn a_place_is_free_again_whatever_came_of_it() {
    let (host, _site) = host();
    let (one, two) = (decide(&host, "slow", None), decide(&host, "slow", None));
    assert!(one.1.verdict.is_allow() && two.1.verdict.is_allow());
    denied_by("places", &decide(&host, "slow", None));
    end(&host, one, Outcome::failed("it broke"));
    let three = decide(&host, "slow", None);
    assert!(three.1.verdict.is_allow());
    end(&host, two, Outcome::unknown("nobody waited"));
    assert!(decide(&host, "slow", None).1.verdict.is_allow());
    denied_by("places", &decide(&host, "slow", None));
}
