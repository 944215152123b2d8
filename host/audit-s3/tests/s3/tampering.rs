//! Every object that is altered or taken away is missed.

use vak_audit::Payloads;
use vak_audit_s3::{S3Error, S3Source};

use crate::servers::Files;
use crate::site::*;

#[test]
fn altering_or_removing_any_object_is_found() {
    let (server, folder) = (Files::start(), tempfile::tempdir().unwrap());
    let bucket = bucket(server.port, options());
    let (log, uploads) = open(&folder.path().join("log"), &bucket);
    uploads.flush(PATIENCE).unwrap();
    fill(&log, 0..256);
    append(&log, decision(256, "secret", Payloads::Erasable)).unwrap();
    uploads.flush(PATIENCE).unwrap();
    fill(&log, 257..260);
    log.close().unwrap();
    let check = || -> Result<(), S3Error> { Ok(verify(&S3Source::open(bucket.clone())?).map(drop)?) };
    assert_eq!(check(), Ok(()));

    let last = |folder: &str| server.names(folder).pop().unwrap();
    let tiles = ["tile/entries/000", "tile/entries/001.p/4", "tile/0/000", "tile/0/001.p/4", "tile/1/000.p/1"];
    let names = tiles.map(str::to_owned).into_iter().chain(["segments", "times", "payloads"].map(last));
    for name in names.chain(["checkpoint".to_owned()]) {
        let bytes = std::fs::read(server.path(&name)).unwrap();
        std::fs::remove_file(server.path(&name)).unwrap();
        assert!(check().is_err(), "`{name}` was removed");
        if !bytes.is_empty() {
            let mut altered = bytes.clone();
            let last = altered.len() - 1;
            altered[last / 2] ^= 1;
            server.alter(&name, &altered);
            assert!(check().is_err(), "`{name}` was altered");
            server.alter(&name, &bytes[..last]);
            assert!(check().is_err(), "`{name}` was cut");
        }
        server.alter(&name, &bytes);
        assert_eq!(check(), Ok(()), "{name}");
    }
}

#[test]
fn a_wrong_time_and_a_wrong_checkpoint_are_found() {
    let (server, folder) = (Files::start(), tempfile::tempdir().unwrap());
    let bucket = bucket(server.port, options());
    let (log, uploads) = open(&folder.path().join("log"), &bucket);
    uploads.flush(PATIENCE).unwrap();
    fill(&log, 0..3);
    uploads.flush(PATIENCE).unwrap();
    fill(&log, 3..6);
    log.close().unwrap();
    let check = || Ok::<_, S3Error>(verify(&S3Source::open(bucket.clone())?)?);
    // So that who asks for a later time does not look there.
    let name = server.names("times").pop().unwrap();
    let other = format!("{}{:020}", &name[..name.len() - 20], 4 * SECOND);
    std::fs::rename(server.path(&name), server.path(&other)).unwrap();
    assert!(check().unwrap_err().to_string().contains("times/"));
    std::fs::rename(server.path(&other), server.path(&name)).unwrap();
    check().unwrap();
    // An old checkpoint put back.
    let copies = server.names("checkpoints");
    let newest = std::fs::read(server.path("checkpoint")).unwrap();
    server.alter("checkpoint", &std::fs::read(server.path(&copies[1])).unwrap());
    assert!(check().unwrap_err().to_string().contains("it was put back"));
    server.alter("checkpoint", &newest);
    check().unwrap();
    // The newest checkpoint put in the place of an older one's copy.
    server.alter(&copies[1], &newest);
    assert!(check().unwrap_err().to_string().contains(&copies[1]));
}
