//! A log is followed while it is written.

use futures_executor::block_on;
use vak_audit::Tier;

use crate::common::{Storage, append, draft, id, is_decision, outcome};

pub(crate) fn a_follower_sees_everything_once_and_goes_on_where_it_stopped(place: &dyn Storage) {
    place.extend(300, 50);
    let log = place.open();
    let mut follower = log.subscribe(0);
    let mut seen = Vec::new();
    for _ in 0..298 {
        seen.push(block_on(follower.next()).unwrap().unwrap().entry.seq);
    }
    let cursor = follower.next_seq();
    drop(follower);
    let mut follower = log.subscribe(cursor).filter(is_decision);
    assert_eq!(block_on(follower.next()).unwrap().unwrap().behind, 1);
    seen.push(298);
    block_on(log.append(draft("b-0", ""), Tier::Durable)).unwrap();
    block_on(log.append(outcome("b-0", 300), Tier::Durable)).unwrap();
    block_on(log.append(draft("b-1", ""), Tier::Durable)).unwrap();
    log.close().unwrap();
    while let Some(followed) = block_on(follower.next()).unwrap() {
        seen.push(followed.entry.seq);
    }
    // The outcome, 301, was not wanted.
    assert_eq!(seen, (0..303).filter(|seq| *seq != 301).collect::<Vec<_>>());
}

pub(crate) fn a_follower_waits_for_what_comes(place: &dyn Storage) {
    let log = place.open();
    let mut follower = log.subscribe(0);
    let waiting = std::thread::spawn(move || block_on(follower.next()).unwrap().map(|followed| id(&followed.entry)));
    append(&log, "a-0");
    assert_eq!(waiting.join().unwrap(), Some("a-0".to_owned()));
    let mut late = log.subscribe(5);
    let waiting = std::thread::spawn(move || block_on(late.next()).unwrap());
    log.close().unwrap();
    assert_eq!(waiting.join().unwrap(), None);
}
