//! Policy calls and component loads.

use std::time::Duration;

use criterion::Criterion;
use vak::{Config, Host};
use vak_pipeline::Guard as _;
use vak_test_support::{Site, components};
use vak_types::{Effect, Timestamp};

use crate::fixture::{action, rules};
use crate::print::Row;

/// Fresh-instance calls with 20 and 10,000 rules beside a policy that does
/// next to nothing, and a load from the compiled cache.
pub(crate) fn rows() -> Vec<Row> {
    let output = tempfile::tempdir().unwrap();
    let mut criterion = Criterion::default()
        .output_directory(output.path())
        .without_plots()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(4));
    let mut median = |name: &str, run: &mut dyn FnMut()| {
        criterion.bench_function(name, |bencher| bencher.iter(&mut *run));
        let path = output.path().join(name).join("new/estimates.json");
        let estimates: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        estimates.pointer("/median/point_estimate").unwrap().as_f64().unwrap()
    };

    let component = components().join("no-shell.wasm");
    let bare_site = Site::new().section(&format!("[[policies]]\nname = 'bare'\ncomponent = '{}'", component.display()));
    let small_site = Site::new().rules(&rules(20));
    let large_site = Site::new().rules(&rules(10_000));
    let (bare, small, large) = (bare_site.host(), small_site.host(), large_site.host());
    let action = action();
    let mut call = |name: &str, host: &Host, effect: Effect| {
        let policies = host.policies();
        let policy = &policies[0];
        median(name, &mut || assert_eq!(policy.evaluate(&action, None).unwrap().effect, effect))
    };
    // Interleaved with its floor, so that a change of the machine's pace shows.
    let floor = call("bare", &bare, Effect::Abstain);
    let small = call("rules-20", &small, Effect::Permit);
    let large = call("rules-10000", &large, Effect::Permit);
    let floor_after = call("bare-again", &bare, Effect::Abstain);
    let floor_text = |nanos: f64| {
        let floor = floor.midpoint(floor_after);
        format!("fifteen-line policy, same action: {:.2} µs ({:.2}×)", floor / 1e3, nanos / floor)
    };

    let config = Config::load(&small_site.config(), &[]).unwrap();
    let (engine, trusted, memory) = (config.engine().unwrap(), config.trusted().unwrap(), config.memory());
    let installation = config.installations().next().unwrap();
    let now = Timestamp::from_nanos(u64::MAX);
    let load = median("load", &mut || drop(installation.load(&engine, &trusted, &memory, now).unwrap()));

    vec![
        Row::at_most("`rules` call, fresh instance, 20 rules", small / 1e3, 7.0, "µs", floor_text(small)),
        Row::at_most("`rules` call, fresh instance, 10,000 rules", large / 1e3, 10.0, "µs", floor_text(large)),
        Row::at_most("load of a verified component from the cache", load / 1e6, 1.0, "ms", String::new()),
    ]
}
