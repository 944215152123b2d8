//! Many policy calls in one instance, which no host does: it shows what of a
//! call is the policy itself and what is its fresh instance.

use std::time::Instant;

use vak_engine::{CallLimits, CallState, Engine, Linking, Prepared, Request};
use vak_test_support::{components, publisher_key};
use vak_trust::{Package, TrustPolicy, Unsigned};
use vak_types::{Action, Granted, Kind, Timestamp};
use wasmtime::Store;
use wasmtime::component::Linker;

use self::bindings::exports::vak::policy::policy::Effect;
use self::bindings::vak::types::types as wit;
use self::bindings::{PolicyComponent, PolicyComponentPre};
use crate::fixture::{action, rules};
use crate::print::{Row, quantile};

/// Calls in an instance, each timed by itself. Policies free nothing, so now and
/// then a call is the first to touch a page, and instances can't be kept for long.
const CALLS: usize = 100;

/// Instances that are measured, after as many that are not.
const INSTANCES: usize = 500;

/// The bindings that the host has of its own, and does not show.
#[allow(clippy::all, unsafe_code, unused_qualifications, unreachable_pub, dead_code)]
mod bindings {
    wasmtime::component::bindgen!({
        path: ["../../wit/types", "../../wit/host", "../../wit/policy"],
        world: "vak:policy/policy-component",
        ownership: Borrowing { duplicate_if_necessary: false },
    });
}

/// By number of rules, beside a policy that does next to nothing.
pub(crate) fn rows() -> Vec<Row> {
    let floor = micros("no-shell", None, &action());
    let row = |(count, name, bar)| {
        let micros = micros("rules", Some(&rules(count)), &action());
        let text = format!("fifteen-line policy, same action: {floor:.2} µs ({:.2}×)", micros / floor);
        Row::at_most(&format!("`rules` call, in one instance, {name} rules"), micros, bar, "µs", text)
    };
    [(20, "20", 2.0), (1_000, "1,000", 2.0), (10_000, "10,000", 2.5)].map(row).into()
}

/// The median call of a policy that does not forbid `action`.
pub(crate) fn micros(policy: &str, config: Option<&str>, action: &Action) -> f64 {
    let prepared = prepared(policy, config);
    let pre = PolicyComponentPre::new(prepared.instance_pre().clone()).unwrap();
    let mut micros = Vec::with_capacity(INSTANCES * CALLS);
    for turn in 0..2 * INSTANCES {
        let calls = prepared.call(|store| {
            let policy = pre.instantiate(&mut *store)?;
            let call = || {
                let start = Instant::now();
                evaluate(&policy, store, action)?;
                Ok(start.elapsed().as_secs_f64() * 1e6)
            };
            std::iter::repeat_with(call).take(CALLS).collect::<wasmtime::Result<Vec<_>>>()
        });
        let calls = calls.unwrap();
        if turn >= INSTANCES {
            micros.extend(calls);
        }
    }
    quantile(&mut micros, 0.5)
}

/// A policy in the engine of a host, without the host.
fn prepared(policy: &str, config: Option<&str>) -> Prepared {
    let package = Package::read(&components().join(format!("{policy}.wasm"))).unwrap();
    let trust = TrustPolicy::of_publishers([publisher_key().public()]);
    let component = trust.verify(package, Unsigned::Refuse, Timestamp::from_nanos(u64::MAX)).unwrap();
    let request = Request {
        name: &policy.parse().unwrap(),
        kind: Kind::Policy,
        component: &component,
        config,
        grants: &Granted::default(),
        limits: CallLimits::POLICY,
    };
    // What they can import are the earlier actions of a session, which nothing
    // here asks for.
    let link = |linker: &mut Linker<CallState>, linking: &Linking<'_>| {
        linker.define_unknown_imports_as_traps(linking.component)
    };
    Engine::new(None).unwrap().prepare(&request, &link).unwrap()
}

fn evaluate(policy: &PolicyComponent, store: &mut Store<CallState>, action: &Action) -> wasmtime::Result<()> {
    let action = wit::Action {
        id: action.id.as_str(),
        session: action.session.as_str(),
        agent: action.agent.as_str(),
        operation: action.operation.as_str(),
        resource: action.resource.as_str(),
        arguments: action.arguments.as_str(),
        attributes: &[],
        labels: &[],
        time_ns: action.time.as_nanos(),
    };
    let answer = policy.vak_policy_policy().call_evaluate(store, action)?;
    assert!(matches!(answer, Ok(finding) if finding.effect != Effect::Forbid));
    Ok(())
}
