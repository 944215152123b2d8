//! What can go wrong with images, as a caller can act on it.

use std::path::PathBuf;
use std::time::Duration;

use vak_types::Digest;

/// Why an image or a blob could not be read or written. Texts that a registry
/// sent are shortened and have no control characters.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OciError {
    /// The name is no repository of OCI.
    #[error(
        "`{0}` cannot be a name in a registry: use lower-case letters and digits, and `-`, `_` or `.` between them"
    )]
    Name(String),
    /// The version is too long for a tag.
    #[error("the version `{0}` is longer than the 128 characters of a tag")]
    Version(String),
    /// The credentials or the authorities are not usable.
    #[error("{0}")]
    Settings(String),
    /// The registry cannot be reached, or the connection broke.
    #[error("the registry `{host}` cannot be reached: {why}")]
    Unreachable {
        /// Whom the connection was to.
        host: String,
        /// What the network said.
        why: String,
    },
    /// Nothing came, or nothing was taken, for too long.
    #[error("the registry `{host}` did nothing for {}s", idle.as_secs_f32())]
    Idle {
        /// Whom the connection was to.
        host: String,
        /// For how long.
        idle: Duration,
    },
    /// All of it together took too long.
    #[error("it took longer than {}s", .0.as_secs_f32())]
    TooSlow(Duration),
    /// The registry wants credentials, or others.
    #[error("the registry does not accept who asks for {what}: {detail}; give it other credentials")]
    Unauthorized {
        /// What was asked for.
        what: String,
        /// What the registry said.
        detail: String,
    },
    /// The credentials do not suffice.
    #[error("the registry forbids {what}: {detail}")]
    Forbidden {
        /// What was asked for.
        what: String,
        /// What the registry said.
        detail: String,
    },
    /// It is not there.
    #[error("{0} is not there")]
    NotFound(String),
    /// The registry has too much to do, and went on having so.
    #[error("the registry has too much to do for {what}{}", wait.map(|wait| format!("; try again in {}s", wait.as_secs())).unwrap_or_default())]
    Busy {
        /// What was asked for.
        what: String,
        /// When to come back, if it said so.
        wait: Option<Duration>,
    },
    /// The registry answered with a status that means nothing here.
    #[error("the registry answered {status} for {what}: {detail}")]
    Status {
        /// What was asked for.
        what: String,
        /// The status of HTTP.
        status: u16,
        /// What the registry said.
        detail: String,
    },
    /// It asks for credentials in a way that is not followed.
    #[error("how the registry asks for credentials is not usable: {0}")]
    Challenge(String),
    /// It redirects to where nobody goes.
    #[error("the registry redirects to where nothing is fetched from: {0}")]
    Redirect(String),
    /// The body is compressed, which nobody asked for and which hides its size.
    #[error("the registry sent {what} with the encoding `{encoding}`")]
    Encoded {
        /// What was asked for.
        what: String,
        /// The encoding of HTTP.
        encoding: String,
    },
    /// There is more than there may be. For a blob that is its size.
    #[error("{what} is larger than {bytes_max} bytes")]
    TooLarge {
        /// What was read.
        what: String,
        /// The most it may have.
        bytes_max: u64,
    },
    /// There is less than there should be.
    #[error("{what} has {actual} bytes instead of {expected}")]
    TooShort {
        /// What was read.
        what: String,
        /// Its size.
        expected: u64,
        /// What came.
        actual: u64,
    },
    /// The bytes are others than those that were asked for.
    #[error("{what} has other bytes: they are {actual}")]
    WrongDigest {
        /// What was read; a blob is named by the digest that was expected.
        what: String,
        /// What was expected.
        expected: Digest,
        /// What came.
        actual: Digest,
    },
    /// A document does not say what it must.
    #[error("{what} is malformed: {why}")]
    Malformed {
        /// Which document.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// A tag is on another image already.
    #[error("`{tag}` is {present} already, and not {pushed}; publish a new version")]
    Moved {
        /// `NAME:TAG`.
        tag: String,
        /// The image it is on.
        present: Digest,
        /// The image that was to be pushed.
        pushed: Digest,
    },
    /// Others change the list of what refers to an image all the time.
    #[error("what refers to {0} was changed by others at the same time; try again")]
    Contended(Digest),
    /// An image has not exactly one manifest and one signature file.
    #[error("{image} has {count} referrers of the type `{artifact_type}` instead of one")]
    Referrers {
        /// The image.
        image: Digest,
        /// The type.
        artifact_type: &'static str,
        /// How many there are.
        count: usize,
    },
    /// Something on this machine's disk could not be read or written.
    #[error("`{}`: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is a link, or something else that was not put there by us.
    #[error("`{}` is no plain {what}", path.display())]
    NotPlain {
        /// Where.
        path: PathBuf,
        /// What it should be.
        what: &'static str,
    },
}

impl OciError {
    /// Whether the same might go well a moment later: the connection broke, or
    /// the registry has too much to do. Refusals and wrong bytes stay what they are.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Idle { .. } | Self::Busy { .. } | Self::TooShort { .. } => true,
            Self::Status { status, .. } => *status >= 500 || *status == 408,
            _ => false,
        }
    }
}
