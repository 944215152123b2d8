//! Calls of skills that a person has to approve.

use futures_executor::block_on;
use vak::{ApprovalError, Caller, InvokeError, Json, Name};

use crate::refused;
use crate::support::*;

fn caller(agent: &str, session: &str) -> Caller {
    Caller { agent: agent.parse().unwrap(), session: session.parse().unwrap(), labels: Vec::new() }
}

#[tokio::test]
async fn run_when_they_are_approved() {
    let (site, clock) = (site().skill("calculator"), Clock::new());
    let host = clock.host(&site);
    let (ada, name) = (caller("ada", "s"), "calculator".parse::<Name>().unwrap());
    let input = || Json::parse(r#"{"expression": "6 * 7"}"#).unwrap();
    let seq = match host.invoke(&ada, &name, input()).await {
        Err(InvokeError::Waits { seq, verdict }) => {
            assert_eq!(verdict.deciding().unwrap().rule.as_deref(), Some("ask"));
            seq
        }
        other => panic!("{other:?}"),
    };
    refused!(host.invoke_approved(&ada, seq).await, InvokeError::Approval(ApprovalError::Unanswered(_)));
    host.approve(seq, &grace(), "").await.unwrap();
    // It is nobody else's call.
    for other in [caller("eve", "s"), caller("ada", "s2")] {
        refused!(host.invoke_approved(&other, seq).await, InvokeError::Approval(ApprovalError::OtherAction(_)));
    }
    let output = host.invoke_approved(&ada, seq).await.unwrap();
    assert!(output.as_str().contains("42"), "{output:?}");
    refused!(host.invoke_approved(&ada, seq).await, InvokeError::Approval(ApprovalError::Used(_)));
}

/// Skills are what an agent can call, and none of them answers: what they are
/// granted has no such thing, and there is no skill of that name.
#[tokio::test]
async fn approve_nothing() {
    let (site, clock) = (site().skill("calculator"), Clock::new());
    let host = clock.host(&site);
    let seq = escalated(&host).1;
    for name in ["approve", "approvals", "calculator"] {
        let input = Json::parse(&format!(r#"{{"approve": {seq}, "by": "grace", "expression": "1"}}"#)).unwrap();
        assert!(host.invoke(&caller("ada", "s"), &name.parse().unwrap(), input).await.is_err(), "{name}");
    }
    // What is approved and no call of a skill does not become one.
    host.approve(seq, &grace(), "").await.unwrap();
    let error = host.invoke_approved(&caller("ada", "s"), seq).await;
    refused!(error, InvokeError::Approval(ApprovalError::OtherAction(_)));
    assert_eq!(host.approvals().len(), 1, "the call of the calculator waits, too");
    assert!(block_on(async { host.approval(seq).is_ok() }));
}
