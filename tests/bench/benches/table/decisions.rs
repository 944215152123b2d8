//! Whole decisions, one after the other.

use std::time::Instant;

use vak_pipeline::Guard as _;
use vak_test_support::Site;

use crate::fixture::{action, request, rules};
use crate::print::{Row, quantile};

/// Decisions measured after as many to warm up.
const DECISIONS: usize = 100_000;

const LIMIT: &str = "[[limits]]\nname = 'many'\nper = 'agent'\nburst = 1000000\nactions = 1000000\nperiod_s = 1";

/// Limits, one policy, and an entry accepted by the log.
pub(crate) fn rows() -> Vec<Row> {
    let site = Site::new().rules(&rules(20)).section(LIMIT);
    let config = std::fs::read_to_string(site.config()).unwrap();
    std::fs::write(site.config(), config.replace("key = 'log.key' }", "key = 'log.key', release = 'accepted' }"))
        .unwrap();
    let host = site.host();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut micros = runtime.block_on(async {
        let mut micros = Vec::with_capacity(DECISIONS);
        for turn in 0..2 * DECISIONS {
            let request = request();
            let start = Instant::now();
            let action = host.stamp(request).unwrap();
            let decided = host.decide(&action).await;
            let took = start.elapsed();
            assert!(decided.verdict.is_allow());
            if turn >= DECISIONS {
                micros.push(took.as_secs_f64() * 1e6);
            }
        }
        micros
    });
    let (policies, action) = (host.policies(), action());
    let policy = &policies[0];
    let mut floor: Vec<_> = (0..DECISIONS)
        .map(|_| {
            let start = Instant::now();
            assert!(policy.evaluate(&action, None).is_ok());
            start.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    host.close().unwrap();
    let (median, slow) = (quantile(&mut micros, 0.5), quantile(&mut micros, 0.99));
    let floor = quantile(&mut floor, 0.5);
    let text = format!("its policy call alone: {floor:.2} µs ({:.2}×)", median / floor);
    vec![
        Row::at_most("whole decision, entry accepted, median", median, 14.0, "µs", text),
        Row::at_most("whole decision, entry accepted, p99", slow, 60.0, "µs", String::new()),
    ]
}
