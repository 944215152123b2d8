//! What was approved is decided again, by what decides then.

use futures_executor::block_on;
use vak::{Able, Config, Decision, Expected, Host, Outcome, Receipt, open_source, verify_all};
use vak_audit::Body;
use vak_test_support::{Site, components};

use crate::refused;
use crate::support::*;

fn switch(site: &Site, host: &Host, rules: &str) {
    std::fs::write(site.path().join("rules.toml"), rules).unwrap();
    let next = host.prepare(Config::load(&site.config(), &[]).unwrap()).unwrap();
    block_on(host.switch_to(next)).unwrap();
}

#[test]
fn the_log_has_the_question_the_answer_and_the_allow() {
    let (site, clock) = (site(), Clock::new());
    let host = clock.host(&site);
    let (action, seq) = escalated(&host);
    let answer = approve(&host, seq).unwrap();
    clock.forward(10);
    let decided = again(&host, seq, &action).unwrap();
    let why: Vec<_> = decided.verdict.reasons.iter().map(ToString::to_string).collect();
    assert_eq!(why, ["policy `rules`, rule `ask`: asked a person, who agreed: somebody has to look"]);
    assert!(decided.held.is_some());
    let allow = decided.receipt.as_ref().unwrap().seq();
    block_on(host.record_outcome(&action, decided, Outcome::succeeded(b"sent"))).unwrap();
    let (log, key) = (host.log(), host.verifier_key().clone());
    host.close().unwrap();
    let entries = entries(&log);
    let Body::Decision(about, decision) = &entries[usize::try_from(allow).unwrap()].body else { panic!() };
    assert_eq!((&about.action, decision.verdict.approval), (&action.id, Some(answer)));
    // Judged at the time it was then.
    assert_eq!(entries[usize::try_from(allow).unwrap()].time, clock.now());
    let report = verify_all(&*open_source(&log).unwrap(), &Expected::of(&key), |_, _| ()).unwrap();
    assert_eq!((report.decisions, report.approvals, report.outcomes), (2, 1, 1));
}

#[test]
fn a_forbid_outweighs_a_person() {
    let (site, clock) = (site(), Clock::new());
    let host = clock.host(&site);
    let (action, seq) = escalated(&host);
    let answer = approve(&host, seq).unwrap();
    switch(&site, &host, &format!("{RULES}[[rule]]\nid = 'no-mail'\neffect = 'forbid'\noperations = ['mail/*']\n"));
    let decided = again(&host, seq, &action).unwrap();
    assert_eq!((decided.verdict.decision, decided.verdict.approval), (Decision::Deny, Some(answer)));
    assert_eq!(decided.verdict.deciding().unwrap().rule.as_deref(), Some("no-mail"));
    // Nothing was done upon it, so it still counts when the forbid is gone.
    switch(&site, &host, RULES);
    assert_eq!(decision(again(&host, seq, &action)), Decision::Allow);
}

/// A yes is to a question, not to everything.
#[test]
fn who_asks_something_else_is_not_answered() {
    let (site, clock) = (site(), Clock::new());
    let host = clock.host(&site);
    let other = [
        RULES.replace("somebody has to look", "the owner has to look"),
        // Another rule asks when the one that escalated is gone.
        RULES
            .replace("'all'\neffect = 'permit'", "'all'\neffect = 'permit'\nobligations = [{ approval = 'legal' }]")
            .replace("operations = ['mail/*', 'skill/*']", "operations = ['x']"),
    ];
    for rules in &other {
        switch(&site, &host, RULES);
        let (action, seq) = escalated(&host);
        let answer = approve(&host, seq).unwrap();
        switch(&site, &host, rules);
        let decided = again(&host, seq, &action).unwrap();
        assert_eq!((decided.verdict.decision, decided.verdict.approval), (Decision::Escalate, Some(answer)), "{rules}");
        // It is another question, and the yes to the first is spent.
        refused!(again(&host, seq, &action), vak::ApprovalError::Used(_));
        let next = decided.receipt.unwrap().seq();
        approve(&host, next).unwrap();
        assert_eq!(decision(again(&host, next, &action)), Decision::Allow, "{rules}");
    }
}

/// What it says of the time, and of its session, is not what is asked.
#[test]
fn a_rule_asks_the_same_a_while_later() {
    let when = "'somebody has to look'\nwhen = [{ time = { from = '22:00', until = '23:59' } }]";
    let (site, clock) = (site_of(&RULES.replace("'somebody has to look'", when)), Clock::new());
    let host = clock.host(&site);
    let (action, seq) = escalated(&host);
    let asked = host.approvals()[0].verdict.deciding().unwrap().message.clone();
    assert_eq!(asked, "somebody has to look (time is `tue 22:13`)");
    clock.forward(120);
    approve(&host, seq).unwrap();
    clock.forward(120);
    let decided = again(&host, seq, &action).unwrap();
    assert!(decided.verdict.is_allow());
    assert!(decided.verdict.deciding().unwrap().message.ends_with("(time is `tue 22:17`)"));
    // In another configuration its words count.
    let (action, seq) = escalated(&host);
    approve(&host, seq).unwrap();
    clock.forward(120);
    switch(&site, &host, &std::fs::read_to_string(site.path().join("rules.toml")).unwrap().replace("shell/*", "sh/*"));
    assert_eq!(decision(again(&host, seq, &action)), Decision::Escalate);
}

/// Both questions of one action, asked one after the other.
#[test]
fn what_was_answered_stays_answered() {
    let (site, clock) = (site(), Clock::new());
    let host = clock.host(&site);
    let (action, seq) = escalated(&host);
    approve(&host, seq).unwrap();
    let strict = "[[rule]]\nid = 'legal'\neffect = 'escalate'\noperations = ['mail/*']\nreason = 'ask legal'\n";
    std::fs::write(site.path().join("strict.toml"), strict).unwrap();
    let text = std::fs::read_to_string(site.config()).unwrap();
    let component = components().join("rules.wasm");
    let more =
        format!("[[policies]]\nname = 'strict'\ncomponent = '{}'\nconfig = 'strict.toml'\n", component.display());
    std::fs::write(site.config(), format!("{text}\n{more}")).unwrap();
    switch(&site, &host, RULES);
    let decided = again(&host, seq, &action).unwrap();
    assert_eq!(decided.verdict.decision, Decision::Escalate);
    assert_eq!(decided.verdict.deciding().unwrap().rule.as_deref(), Some("legal"));
    let next = decided.receipt.unwrap().seq();
    approve(&host, next).unwrap();
    // Also for a host that is started between.
    let log = host.log();
    host.close().unwrap();
    let host = clock.host(&site);
    assert_eq!(decision(again(&host, next, &action)), Decision::Allow);
    let key = host.verifier_key().clone();
    host.close().unwrap();
    verify_all(&*open_source(&log).unwrap(), &Expected::of(&key), |_, _| ()).unwrap();
}

/// It takes an objection away, and permits nothing.
#[test]
fn a_yes_is_no_permit() {
    let site = site_of("[[rule]]\nid = 'all'\neffect = 'permit'\n");
    let strict = "[[rule]]\nid = 'ask'\neffect = 'escalate'\n";
    std::fs::write(site.path().join("strict.toml"), strict).unwrap();
    let component = components().join("rules.wasm");
    let site = site.section(&format!(
        "[[policies]]\nname = 'strict'\ncomponent = '{}'\nconfig = 'strict.toml'\n",
        component.display()
    ));
    let clock = Clock::new();
    let host = clock.host(&site);
    let (action, seq) = escalated(&host);
    approve(&host, seq).unwrap();
    switch(&site, &host, "[[rule]]\nid = 'some'\neffect = 'permit'\noperations = ['files/*']\n");
    let decided = again(&host, seq, &action).unwrap();
    assert_eq!(decided.verdict.decision, Decision::Deny);
    assert_eq!(decided.verdict.deciding().unwrap().to_string(), "host: no policy permits this action");
    switch(&site, &host, "[[rule]]\nid = 'all'\neffect = 'permit'\n");
    assert_eq!(decision(again(&host, seq, &action)), Decision::Allow);
}

#[test]
fn who_no_longer_asks_needs_no_answer() {
    let (site, clock) = (site(), Clock::new());
    let host = clock.host(&site);
    let (action, seq) = escalated(&host);
    approve(&host, seq).unwrap();
    switch(&site, &host, "[[rule]]\nid = 'all'\neffect = 'permit'\n");
    assert_eq!(decision(again(&host, seq, &action)), Decision::Allow);
    refused!(again(&host, seq, &action), vak::ApprovalError::Used(_));
}

const LIMIT: &str = "
[[limits]]
name = 'few'
kind = 'rate'
per = 'agent'
operations = 'mail/*'
burst = 1
actions = 1
period_s = 60
";

/// What waits holds nothing; what is done then is counted then.
#[test]
fn limits_are_asked_when_it_is_done() {
    let (site, clock) = (site().section(LIMIT), Clock::new());
    let host = clock.host(&site);
    let (first, one) = escalated(&host);
    let (second, two) = escalated(&host);
    approve(&host, one).unwrap();
    approve(&host, two).unwrap();
    assert_eq!(decision(again(&host, one, &first)), Decision::Allow);
    let decided = again(&host, two, &second).unwrap();
    assert!(decided.verdict.decision == Decision::Deny && decided.verdict.retry_after_ms.is_some());
    clock.forward(60);
    assert_eq!(decision(again(&host, two, &second)), Decision::Allow);
}

/// Whoever carries it out has to be able to, as ever.
#[test]
fn obligations_are_met() {
    let (site, clock) = (site(), Clock::new());
    let host = clock.host(&site);
    let strict = "[[rule]]\nid = 'cap'\neffect = 'permit'\noperations = ['mail/*']\n\
                  obligations = [{ redact = { argument = '/text', with = '***' } }, { approval = 'the owner' }]\n";
    switch(&site, &host, strict);
    let (action, seq) = escalated(&host);
    approve(&host, seq).unwrap();
    assert_eq!(decision(again(&host, seq, &action)), Decision::Deny);
    let decided = block_on(host.decide_approved(seq, &action, Able::ARGUMENTS)).unwrap();
    assert!(decided.verdict.is_allow(), "{:?}", decided.verdict);
    assert_eq!(decided.arguments(&action).as_str(), r#"{"text":"***"}"#);
}

/// An action that was asked and then done is both in its session's past.
#[test]
fn sessions_remember_what_was_done() {
    let rules = format!(
        "{RULES}[[rule]]\nid = 'once'\neffect = 'forbid'\noperations = ['mail/*']\n\
         when = [{{ earlier = {{ operations = 'mail/*', within = '1h' }}, at_least = 1 }}]\n"
    );
    let (site, clock) = (site_of(&rules), Clock::new());
    let host = clock.host(&site);
    let (first, one) = escalated(&host);
    let (second, two) = escalated(&host);
    approve(&host, one).unwrap();
    approve(&host, two).unwrap();
    assert_eq!(decision(again(&host, one, &first)), Decision::Allow);
    let decided = again(&host, two, &second).unwrap();
    assert_eq!(decided.verdict.deciding().unwrap().rule.as_deref(), Some("once"));
}

/// A number that could be another entry's after a crash names nothing, and what
/// a yes was used for is on disk before anybody hears of it.
#[test]
fn what_persons_have_to_do_with_is_durable() {
    let (site, clock) = (site(), Clock::new());
    let text = std::fs::read_to_string(site.config()).unwrap();
    std::fs::write(site.config(), text.replace("'log.key' }", "'log.key', release = 'accepted' }")).unwrap();
    let host = clock.host(&site);
    let decide = |operation| {
        let action = action(&host, "ada", operation, "");
        (block_on(host.decide(&action)).receipt.unwrap(), action)
    };
    assert!(matches!(decide("files/read").0, Receipt::Accepted { .. }));
    let (receipt, action) = decide("mail/send");
    assert!(matches!(receipt, Receipt::Durable { .. }));
    assert!(matches!(block_on(host.approve(receipt.seq(), &grace(), "")), Ok(Receipt::Durable { .. })));
    let decided = again(&host, receipt.seq(), &action).unwrap();
    assert!(decided.verdict.is_allow() && matches!(decided.receipt, Some(Receipt::Durable { .. })));
}
