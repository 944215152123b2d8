//! Running one case.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use futures_executor::block_on;
use vak::{Able, Action, BuildError, Config, Decided, Host};
use vak_types::Timestamp;

use crate::log;
use crate::site::{Compiled, Site};
use crate::step::{self, Asked, Expected};

/// When a case begins, in milliseconds since the Unix epoch.
const START_MS: u64 = 1_700_000_000_000;

/// Runs the case in `folder` and compares everything that comes out.
pub(crate) fn check(folder: &Path, compiled: &Compiled) {
    let site = Site::of(folder, compiled);
    let clock = Arc::new(AtomicU64::new(0));
    let host = start(&site, &clock);
    match std::fs::read_to_string(folder.join("error.txt")) {
        Ok(expected) => {
            let error = host.expect_err("the host starts").to_string();
            assert!(error.contains(expected.trim_end()), "{error}\ndoes not say\n{expected}");
        }
        Err(_) => tell(folder, host.unwrap_or_else(|error| panic!("{error}")), &clock),
    }
}

fn start(site: &Site, clock: &Arc<AtomicU64>) -> Result<Host, BuildError> {
    let clock = Arc::clone(clock);
    let now = move || Timestamp::from_nanos((START_MS + clock.load(Relaxed)) * 1_000_000);
    Host::builder(Config::load(&site.config(), &[])?).clock(now).build()
}

fn tell(folder: &Path, host: Host, clock: &AtomicU64) {
    let steps = step::read(folder);
    let mut told: Vec<(Action, Decided)> = Vec::new();
    for step in steps {
        clock.store(step.at_ms.unwrap_or(clock.load(Relaxed)), Relaxed);
        let (action, decided) = match step.asked {
            Asked::Action(request) => {
                let action = host.stamp(request).unwrap();
                let decided = block_on(host.decide(&action));
                (action, decided)
            }
            Asked::Approved { line, by } => {
                let (action, before) = &told[line - 1];
                let seq = before.receipt.as_ref().unwrap().seq();
                block_on(host.approve(seq, &by, "")).unwrap();
                let decided = block_on(host.decide_approved(seq, action, Able::default())).unwrap();
                let time = Timestamp::from_nanos((START_MS + clock.load(Relaxed)) * 1_000_000);
                (Action { time, ..action.clone() }, decided)
            }
        };
        assert_eq!(Expected::of(&decided.verdict), step.expected, "line {}", told.len() + 1);
        told.push((action, decided));
    }
    let (path, key) = (host.log(), host.verifier_key().clone());
    host.close().unwrap();
    log::check(&path, &key, &told);
}
