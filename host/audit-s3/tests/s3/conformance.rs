//! The suite that every kind of storage passes, read back from the bucket: on
//! both servers, with spools of every kind.

use vak_audit::{FileStore, MemoryStore, OpenError, Source, SqliteStore, StorageError, Store};
use vak_audit_s3::{Bucket, S3Source, S3Store};

use crate::common::Storage;
use crate::servers::{Files, Kind, Moto};
use crate::site::*;
use crate::suite::{conformance, writing};

conformance!(s3s_fs_from_segments: Uploaded::to_files(segments()));
conformance!(s3s_fs_from_memory: Uploaded::to_files(memory()));
conformance!(moto_from_sqlite: Uploaded::to_moto(sqlite()));

#[test]
fn a_log_has_one_writer() {
    writing::a_log_has_one_writer(&Uploaded::to_files(segments()));
    writing::a_log_has_one_writer(&Uploaded::to_moto(sqlite()));
}

/// Opens what the log is written to first, the same each time.
type Spool = Box<dyn Fn() -> Result<Box<dyn Store>, StorageError>>;

fn memory() -> Spool {
    let store = MemoryStore::new();
    Box::new(move || Ok(Box::new(store.clone())))
}

/// Short ones.
fn segments() -> Spool {
    let folder = tempfile::tempdir().unwrap();
    Box::new(move || Ok(Box::new(FileStore::with_segments(&folder.path().join("log"), 50_000)?)))
}

fn sqlite() -> Spool {
    let folder = tempfile::tempdir().unwrap();
    Box::new(move || Ok(Box::new(SqliteStore::open(&folder.path().join("log.db"))?)))
}

/// A log that is written to its spool and read from its bucket.
struct Uploaded {
    spool: Spool,
    bucket: Bucket,
    /// Ends with this.
    _server: Option<Files>,
}

impl Uploaded {
    fn to_files(spool: Spool) -> Self {
        let server = Files::start();
        Self { spool, bucket: bucket(server.port, options()), _server: Some(server) }
    }

    /// To a bucket with versions, which that server has.
    fn to_moto(spool: Spool) -> Self {
        let moto = Moto::get();
        let bucket = bucket_named(moto.port, &moto.bucket(Kind::Versioned), options());
        Self { spool, bucket, _server: None }
    }
}

impl Storage for Uploaded {
    fn try_store(&self) -> Result<Box<dyn Store>, OpenError> {
        Ok(Box::new(S3Store::new((self.spool)()?, self.bucket.clone())))
    }

    /// Of what was uploaded when the log was closed.
    fn source(&self) -> Box<dyn Source> {
        Box::new(S3Source::open(self.bucket.clone()).unwrap())
    }
}
