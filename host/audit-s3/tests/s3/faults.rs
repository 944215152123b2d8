//! A network and a server that fail in every way.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use vak_audit::{FileStore, Log, Payloads};
use vak_audit_s3::{Options, S3Error};

use crate::http::Request;
use crate::proxy::{Fate, Proxy};
use crate::servers::Files;
use crate::site::*;

/// The first `count` writes have `fate`, the others pass.
fn first_writes(count: u64, fate: Fate) -> impl Fn(&Request) -> Fate + Send + Sync {
    let written = AtomicU64::new(0);
    move |request| match request.method.as_str() {
        "PUT" if written.fetch_add(1, Ordering::SeqCst) < count => fate,
        _ => Fate::Pass,
    }
}

/// Uploads through a proxy; gives how that ended.
fn upload(
    server: &Files,
    options: Options,
    fate: impl Fn(&Request) -> Fate + Send + Sync + 'static,
) -> Result<(), S3Error> {
    let folder = tempfile::tempdir().unwrap();
    let proxy = Proxy::before(server.port, fate);
    let through = bucket(proxy.port, options);
    let (log, uploads) = open(&folder.path().join("log"), &through);
    // The checkpoint of no entries first, so that there are two uploads.
    uploads.flush(PATIENCE)?;
    fill(&log, 0..300);
    let flushed = uploads.flush(PATIENCE);
    if flushed.is_ok() {
        log.close().unwrap();
        assert_eq!(verify_bucket(&bucket(server.port, crate::site::options())), 300);
    }
    flushed
}

#[test]
fn what_fails_for_a_time_is_tried_again() {
    for fate in [Fate::Answer(500), Fate::Answer(503), Fate::Answer(409), Fate::Lose] {
        let server = Files::start();
        // More than are tried at once.
        assert_eq!(upload(&server, options(), first_writes(9, fate)), Ok(()), "{fate:?}");
    }
}

/// Not of the checkpoint: that one would mean another writer.
#[test]
fn an_object_that_is_there_and_is_not_is_tried_again() {
    let server = Files::start();
    let fate = first_writes(9, Fate::Answer(412));
    let pass = |request: &Request| request.path.starts_with("/audit/checkpoint?");
    let ended = upload(&server, options(), move |request| if pass(request) { Fate::Pass } else { fate(request) });
    assert_eq!(ended, Ok(()));
}

#[test]
fn each_answer_to_the_checkpoint_is_understood() {
    let checkpoint = |request: &Request| request.method == "PUT" && request.path.starts_with("/audit/checkpoint?");
    // That of no entries, whether the server looks at conditions, and the next.
    let [first, probe, second] = [0, 1, 2];
    let once = move |place: u64, fate: Fate| {
        let seen = AtomicU64::new(0);
        move |request: &Request| match checkpoint(request) && seen.fetch_add(1, Ordering::SeqCst) == place {
            true => fate,
            false => Fate::Pass,
        }
    };
    for fate in [Fate::Lose, Fate::Answer(500), Fate::Answer(503), Fate::Answer(409)] {
        for place in [first, probe, second] {
            let server = Files::start();
            assert_eq!(upload(&server, options(), once(place, fate)), Ok(()), "{fate:?}, {place}");
        }
    }
    // It is not ours, though nobody wrote: whatever that means, this must stop.
    let server = Files::start();
    let fenced = upload(&server, options(), once(second, Fate::Answer(412)));
    assert_eq!(fenced, Err(S3Error::Fenced { expected: 0, found: 0 }));
    // A server that takes what it was told not to take keeps nobody out.
    let server = Files::start();
    let refused = upload(&server, options(), once(probe, Fate::Take));
    assert!(matches!(&refused, Err(S3Error::Configuration(why)) if why.contains("If-Match")), "{refused:?}");
}

#[test]
fn what_is_denied_is_not_tried_again() {
    let server = Files::start();
    let denied = upload(&server, options(), |request| match request.path.contains("/segments/") {
        true => Fate::Answer(403),
        false => Fate::Pass,
    });
    assert!(matches!(denied, Err(S3Error::Denied { .. })), "{denied:?}");
}

#[test]
fn a_slow_server_is_given_up_and_asked_again() {
    let server = Files::start();
    let timeout = Duration::from_millis(300);
    let slow = first_writes(4, Fate::Delay(2 * timeout));
    assert_eq!(upload(&server, Options { request_timeout: timeout, ..options() }, slow), Ok(()));
}

#[test]
fn without_a_server_the_log_goes_on_and_says_what_is_missing() {
    let (mut server, folder) = (Files::start(), tempfile::tempdir().unwrap());
    server.stop();
    let bucket = bucket(server.port, options());
    let (log, uploads) = open(&folder.path().join("log"), &bucket);
    fill(&log, 0..300);
    let refused = uploads.flush(Duration::from_millis(300));
    assert!(matches!(refused, Err(S3Error::Unavailable { .. } | S3Error::Interrupted)), "{refused:?}");
    assert_eq!((uploads.uploaded(), uploads.stopped()), (None, None));
    append(&log, decision(300, "/tmp/a", Payloads::Inline)).unwrap();
    server.resume();
    uploads.flush(PATIENCE).unwrap();
    assert_eq!((uploads.uploaded(), uploads.trouble()), (Some(301), None));
    log.close().unwrap();
    assert_eq!(verify_bucket(&bucket), 301);
}

#[test]
fn closing_without_a_server_says_so_and_loses_nothing() {
    let (mut server, folder) = (Files::start(), tempfile::tempdir().unwrap());
    server.stop();
    let spool = folder.path().join("log");
    let short = Options { close_timeout: Duration::from_millis(200), ..options() };
    let (log, _) = open(&spool, &bucket(server.port, short));
    fill(&log, 0..10);
    assert!(log.close().is_err());
    server.resume();
    let bucket = bucket(server.port, options());
    let (log, _) = open(&spool, &bucket);
    assert_eq!(log.opened_at().size(), 10);
    log.close().unwrap();
    assert_eq!(verify_bucket(&bucket), 10);
}

#[test]
fn a_server_that_is_killed_within_an_upload_gets_the_rest_later() {
    let (mut server, folder) = (Files::start(), tempfile::tempdir().unwrap());
    let proxy = Proxy::before(server.port, |_| Fate::Delay(Duration::from_millis(20)));
    let through = bucket(proxy.port, options());
    let spool = folder.path().join("log");
    let (log, uploads) = open(&spool, &through);
    uploads.flush(PATIENCE).unwrap();
    fill(&log, 0..600);
    let before = proxy.seen();
    let waiting = std::thread::spawn({
        let uploads = uploads.clone();
        move || uploads.flush(PATIENCE)
    });
    while proxy.seen() < before + 10 {
        std::thread::sleep(Duration::from_millis(1));
    }
    server.stop();
    // The head on disk is of before: nothing in the bucket claims what is missing.
    let head = std::fs::read_to_string(server.path("checkpoint")).unwrap();
    assert_eq!(head.lines().nth(1), Some("0"));
    server.resume();
    waiting.join().unwrap().unwrap();
    log.close().unwrap();
    assert_eq!(verify_bucket(&bucket(server.port, options())), 600);
}

#[test]
fn a_host_that_is_killed_within_an_upload_goes_on_where_it_was() {
    let (server, folder) = (Files::start(), tempfile::tempdir().unwrap());
    let spool = folder.path().join("log");
    // Segments pass, and nothing after them.
    let proxy = Proxy::before(server.port, |request| match request.path.contains("/tile/") {
        true => Fate::Answer(500),
        false => Fate::Pass,
    });
    let short = Options { close_timeout: Duration::from_millis(100), ..options() };
    let (log, uploads) = open(&spool, &bucket(proxy.port, short));
    fill(&log, 0..300);
    assert!(matches!(uploads.flush(Duration::from_millis(500)), Err(S3Error::Unavailable { .. })));
    assert!(!server.names("segments").is_empty());
    drop(log);
    // More came, so that the last segment is another; what is left is no part
    // of the log.
    let store = FileStore::open(&spool).unwrap();
    let log = Log::open(Box::new(store), origin(), signer(), &log_options()).unwrap();
    fill(&log, 300..310);
    log.close().unwrap();
    let bucket = bucket(server.port, options());
    let (log, _) = open(&spool, &bucket);
    log.close().unwrap();
    assert_eq!(verify_bucket(&bucket), 310);
}
