//! Shared limits against a real Redis, and against what only looks like one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod hosts;
mod outages;
mod outcomes;
mod script;
mod server;

use std::time::Duration;

use vak_limits::{Kind, Limit, Per};
use vak_limits_redis::{Shared, Sharing};
use vak_types::{Action, ActionRequest, Timestamp};

/// Long enough for a machine that is busy with other tests.
const TIMEOUT_MS: u64 = 900;

fn sharing(url: &str) -> Sharing {
    Sharing::new(url, "vak", TIMEOUT_MS).unwrap()
}

fn quota(actions: u64, window_s: u64) -> Limit {
    let kind = Kind::Quota { actions, window: Duration::from_secs(window_s), refund: true };
    Limit::new("calls".parse().unwrap(), Per::Agent, "*".parse().unwrap(), kind)
}

fn budget(name: &str, amount: u64, refund: bool) -> Limit {
    let window = Some(Duration::from_secs(3_600));
    let kind = Kind::Budget { amount, window, cost: "cents".to_owned(), refund };
    Limit::new(name.parse().unwrap(), Per::Agent, "*".parse().unwrap(), kind)
}

fn host(url: &str, limits: Vec<Limit>) -> Shared {
    Shared::new(&sharing(url), limits).unwrap()
}

fn action_of(agent: &str, session: &str, cents: u64) -> Action {
    let request: ActionRequest = serde_json::from_value(serde_json::json!({
        "agent": agent, "session": session, "operation": "o", "resource": "r", "attributes": {"cents": cents},
    }))
    .unwrap();
    request.at("1".parse().unwrap(), Timestamp::from_nanos(0))
}

fn action(cents: u64) -> Action {
    action_of("ada", "s", cents)
}

/// Whether an action that costs so much is allowed; it is spent then.
fn spends(host: &Shared, cents: u64) -> bool {
    host.reserve(&action(cents)).map(|reservation| reservation.hold().succeed(&[])).is_ok()
}

/// The same where Redis is there, however late a busy machine lets it answer.
fn spends_at_last(host: &Shared, cents: u64) -> bool {
    loop {
        match host.reserve(&action(cents)) {
            Ok(reservation) => {
                reservation.hold().succeed(&[]);
                return true;
            }
            Err(exceeded) if exceeded.message.contains("is away") => std::thread::sleep(Duration::from_millis(10)),
            Err(_) => return false,
        }
    }
}
