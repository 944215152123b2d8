//! What gets into a bucket, how and when.

use futures_executor::block_on;
use vak_audit::{FileSource, Payloads, export_tiles};
use vak_audit_s3::{Options, S3Error};

use crate::lying::LyingDisk;
use crate::servers::{BUCKET, Files};
use crate::site::*;

/// Nothing could be taken back.
#[test]
fn what_the_disk_gives_back_altered_is_not_uploaded() {
    let server = Files::start();
    let bucket = bucket(server.port, options());
    let (log, uploads) = open_on(Box::new(LyingDisk::default()), &bucket);
    uploads.flush(PATIENCE).unwrap();
    // In a full tile, over which the disk has a hash that is right.
    fill(&log, 0..400);
    assert!(matches!(why_stopped(&uploads), S3Error::Unsound(_)));
    assert!(server.names("segments").is_empty() && server.names("tile").is_empty());
}

/// What this crate uploads is what `export_tiles` writes, and that is what C2SP
/// tlog-tiles says.
#[test]
fn tiles_are_those_of_an_export() {
    let (server, folder) = (Files::start(), tempfile::tempdir().unwrap());
    let bucket = bucket(server.port, options());
    let spool = folder.path().join("log");
    let (log, uploads) = open(&spool, &bucket);
    fill(&log, 0..257);
    uploads.flush(PATIENCE).unwrap();
    fill(&log, 257..600);
    log.close().unwrap();
    let exported = folder.path().join("tiles");
    export_tiles(&FileSource::open(&spool).unwrap(), &exported, |_, _| ()).unwrap();
    for name in [
        "checkpoint",
        "tile/entries/000",
        "tile/entries/001",
        "tile/entries/002.p/88",
        "tile/0/000",
        "tile/0/001",
        "tile/0/002.p/88",
        "tile/1/000.p/2",
    ] {
        assert!(std::fs::read(exported.join(name)).unwrap() == std::fs::read(server.path(name)).unwrap(), "{name}");
    }
    // Of the checkpoint before.
    assert!(server.path("tile/0/001.p/1").exists() && server.path("tile/1/000.p/1").exists());
}

#[test]
fn two_logs_in_one_bucket_know_nothing_of_each_other() {
    let (server, folder) = (Files::start(), tempfile::tempdir().unwrap());
    for (name, size) in [("one", 3), ("one/more", 300), ("two", 5)] {
        let bucket = bucket_under(server.port, BUCKET, name, options());
        let (log, _) = open(&folder.path().join(size.to_string()), &bucket);
        fill(&log, 0..size);
        append(&log, decision(size, "secret", Payloads::Erasable)).unwrap();
        log.close().unwrap();
        assert!(server.path(name).join("checkpoint").exists());
        assert_eq!(verify_bucket(&bucket), size + 1);
    }
    assert_eq!(verify_bucket(&bucket_under(server.port, BUCKET, "/one/", options())), 4);
}

#[test]
fn long_segments_are_uploaded_in_parts() {
    let (server, folder) = (Files::start(), tempfile::tempdir().unwrap());
    let options = Options { segment_bytes: 64 << 20, part_bytes: 5 << 20, waiting_bytes_max: u64::MAX, ..options() };
    let bucket = bucket(server.port, options);
    let (log, uploads) = open(&folder.path().join("log"), &bucket);
    uploads.flush(PATIENCE).unwrap();
    // What doesn't compress: more than two parts of it.
    let mut random = 1_u64;
    for second in 0..1_000 {
        let arguments: String = (0..15_000)
            .map(|_| {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                char::from(b'0' + (random >> 58) as u8)
            })
            .collect();
        let arguments = arguments.replace('\\', "-");
        block_on(log.append(decision(second, &arguments, Payloads::Inline), vak_audit::Tier::Accepted)).unwrap();
    }
    log.close().unwrap();
    let segments = server.names("segments");
    let length: u64 = segments.iter().map(|name| std::fs::metadata(server.path(name)).unwrap().len()).sum();
    assert!(segments.len() == 1 && length > 2 * (5 << 20), "{segments:?}, {length}");
    assert_eq!(verify_bucket(&bucket), 1_000);
}

#[test]
fn what_waits_long_enough_is_uploaded_by_itself() {
    let (server, folder) = (Files::start(), tempfile::tempdir().unwrap());
    let bucket = bucket(server.port, Options { interval: std::time::Duration::from_millis(20), ..options() });
    let (log, uploads) = open(&folder.path().join("log"), &bucket);
    fill(&log, 0..5);
    let until = std::time::Instant::now() + PATIENCE;
    while uploads.uploaded() != Some(5) {
        assert!(std::time::Instant::now() < until, "{uploads:?}");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    drop(log);
}
