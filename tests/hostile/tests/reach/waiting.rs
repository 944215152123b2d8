//! Waiting, which costs no fuel, and taking without end.

use std::time::{Duration, Instant};

use serde_json::json;
use vak_types::FailureKind::{Fuel, HostCalls, Memory, TimeOut, Trap};

use crate::log;
use crate::server::serve_by;
use crate::skill::{Grants, reach, stopped_as};

#[test]
fn a_wait_for_ten_years_ends_in_time() {
    let skill = Grants::new("sleeps").with("clock").wall_ms(300).load();
    let start = Instant::now();
    for ms in [10 * 365 * 86_400_000_u64, u64::MAX / 1_000_000] {
        stopped_as(&skill, &json!({ "do": "sleep", "ms": ms }), TimeOut, "wall-time limit");
    }
    assert!(start.elapsed() >= Duration::from_millis(600) && start.elapsed() < Duration::from_secs(10));
    reach(&skill, &json!({ "do": "sleep", "ms": 1 })).unwrap();
}

#[test]
fn a_server_may_not_outlast_the_call() {
    let server = serve_by(|_, _| {
        std::thread::sleep(Duration::from_secs(60));
        Ok(())
    });
    let skill = Grants::new("outlasts").with("clock").http("127.0.0.1", server.port, true).wall_ms(300).load();
    let start = Instant::now();
    // It is told of the first after half its time, and asks again.
    let again = json!({ "do": "hoard-requests", "url": server.url(), "count": 3 });
    stopped_as(&skill, &json!({ "do": "sleep", "ms": 60_000 }), TimeOut, "wall-time limit");
    let answers = reach(&skill, &again);
    assert!(answers.is_ok_and(|answers| answers[0] == "ErrorCode::ConnectionReadTimeout"));
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[test]
fn computing_is_bounded_as_without_wasi() {
    let mut grants = Grants::new("computes").with("clock");
    grants.limits.fuel_max = 50_000;
    stopped_as(&grants.load(), &json!({ "do": "time" }), Fuel, "fuel limit");
}

#[test]
fn what_is_held_is_bounded() {
    let skill = Grants::new("holds").with("clock").load();
    stopped_as(&skill, &json!({ "do": "hoard-pollables" }), Memory, "more of the host's resources");
}

#[test]
fn an_exit_is_no_answer() {
    for right in ["clock", "log"] {
        let skill = Grants::new("exits").with(right).load();
        stopped_as(&skill, &json!({ "do": "exit" }), Trap, "exited with success instead of answering");
    }
}

#[test]
fn a_flood_of_lines_is_stemmed() {
    log::catch();
    for right in ["clock", "log"] {
        let name = format!("floods-{right}");
        let skill = Grants::new(&name).with(right).load();
        stopped_as(&skill, &json!({ "do": "flood" }), HostCalls, "more than 1000 times");
        assert!(log::lines(&name).len() <= 1_001, "{}", log::lines(&name).len());
    }
}
