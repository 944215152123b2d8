//! How the audit log is kept.

use std::path::PathBuf;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use vak_audit::EntryKind;

/// The audit log.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Audit {
    /// The log's name, such as `example.org/agents`. In every entry.
    pub origin: String,
    /// The private key that signs its checkpoints. Not encrypted: a host starts by
    /// itself, and its environment is no place for a passphrase.
    pub key: PathBuf,
    /// When a verdict may leave the host.
    #[serde(default)]
    pub release: Release,
    /// How the log is kept.
    #[serde(default)]
    pub store: Store,
    /// Where arguments, attributes and labels stand.
    #[serde(default)]
    pub payloads: Payloads,
    /// Kinds of entries that get a signature of their own, beside the
    /// checkpoint's, which covers all: `decision`, `outcome`, `key-rotation`,
    /// `configuration`, `drop`, `shadow`, `approval`.
    #[serde(default, deserialize_with = "kinds", serialize_with = "words")]
    pub signed: Vec<EntryKind>,
    /// Where it is uploaded while it is written.
    pub archive: Option<Archive>,
}

/// How the log is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Store {
    /// In an SQLite file, `audit.sqlite` in the state folder.
    #[default]
    Sqlite,
    /// In a folder of append-only segments, `audit` in the state folder. The
    /// fastest.
    Segments,
}

/// Where arguments, attributes and labels stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Payloads {
    /// In their entries, up to 16 KiB each. Nobody can take them out again.
    #[default]
    Inline,
    /// Beside the log, so that they can be erased. Their entries have salted
    /// commitments to them.
    Erasable,
}

fn kinds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<EntryKind>, D::Error> {
    let words = Vec::<String>::deserialize(deserializer)?;
    words.iter().map(|word| word.parse().map_err(serde::de::Error::custom)).collect()
}

fn words<S: Serializer>(kinds: &[EntryKind], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(kinds.iter().map(ToString::to_string))
}

/// When a verdict may leave the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Release {
    /// When its entry has a place in the queue. A crash can lose the last
    /// milliseconds.
    Accepted,
    /// When its entry is on disk under a signed checkpoint.
    #[default]
    Durable,
}

/// A bucket that gets the log while it is written. A program of its own uploads
/// it, `vak-audit-s3`, which never sees the private key; its credentials are
/// `AWS_ACCESS_KEY_ID` and the like in the host's environment.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Archive {
    /// The bucket.
    pub bucket: String,
    /// What the name of every object begins with.
    #[serde(default)]
    pub prefix: String,
    /// The region.
    pub region: Option<String>,
    /// The URL of a server that is not Amazon's.
    pub endpoint: Option<String>,
    /// Days for which no object can be changed or deleted.
    pub lock_days: Option<u32>,
    /// Who may shorten that.
    #[serde(default)]
    pub lock_mode: LockMode,
    /// Encrypt with keys that S3 manages.
    #[serde(default)]
    pub sse_s3: bool,
    /// Encrypt with the key that has this id.
    pub sse_kms: Option<String>,
    /// The storage class of segments.
    pub storage_class: Option<String>,
    /// How long entries wait, however few they are.
    #[serde(default = "interval_s")]
    pub interval_s: u32,
    /// How many of the newest entries stay on disk once the bucket has them; all
    /// if it is not given. For `store = "segments"`.
    pub keep_entries: Option<u64>,
    /// The program, if it lies neither beside `vak` nor on the path.
    pub program: Option<PathBuf>,
}

/// Who may shorten a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LockMode {
    /// Nobody.
    #[default]
    Compliance,
    /// Whoever has a right of its own for that.
    Governance,
}

/// An upload makes about ten objects: with a minute, 15,000 a day.
fn interval_s() -> u32 {
    60
}
