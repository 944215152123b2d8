//! What can go wrong.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use rmcp::model::ErrorData;
use vak::{Described, Outcome, RecordError};
use vak_types::{Name, TextError, printable};

use super::pins::PinError;

/// Longest quote of what the upstream says in an error message, in bytes.
const QUOTE_BYTES_MAX: usize = 512;

/// Why the gateway does not run.
#[derive(Debug, thiserror::Error)]
pub enum McpError {
    /// The configuration says nothing about the gateway.
    #[error("the configuration has no `[mcp]`; add it with `agent` and `upstream`")]
    NotConfigured,
    /// Clients have to act as somebody.
    #[error("the configuration has no `mcp.agent`; say there as which agent a client of the gateway acts")]
    NoAgent,
    /// There is nothing to start.
    #[error(
        "no upstream is given; add the MCP server's command, such as `vak mcp -- files-server /work`, or `[[mcp.upstreams]]`"
    )]
    NoCommand,
    /// What is to be started has no name.
    #[error("the command is given and `mcp.upstream` is not; say there what the upstream is called")]
    NoName,
    /// The system has no threads, pipes or signals to give.
    #[error("the gateway cannot start: {0}")]
    Setup(#[from] io::Error),
    /// The system has no randomness for the session's id.
    #[error("the system gave no randomness: {0}")]
    Randomness(#[from] getrandom::Error),
    /// Never in practice: a generated session id always fits its limits.
    #[error(transparent)]
    Session(#[from] TextError),
    /// Others could reach it.
    #[error("`{0}` is not an address of this machine alone; use `127.0.0.1:PORT`")]
    NotLoopback(SocketAddr),
    /// There is no token that tells clients from others.
    #[error("the token in `{}`: {why}", path.display())]
    Token {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The client does not begin as MCP asks for.
    #[error("the client did not begin with `initialize`: {0}")]
    Client(String),
}

/// Why the upstream could not be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error("the upstream `{upstream}` could not be started: `{program}`: {source}")]
    Spawn { upstream: Name, program: String, source: io::Error },
    #[error("the upstream `{upstream}` could not be reached: {source}")]
    Pipes { upstream: Name, source: io::Error },
    #[error("the upstream `{upstream}` did not finish `initialize` within {millis} ms; see `mcp.start_ms`{stderr}")]
    TimedOut { upstream: Name, millis: u64, stderr: String },
    #[error("the upstream `{upstream}` ended before it was ready ({status}){stderr}")]
    Exited { upstream: Name, status: String, stderr: String },
    #[error("the upstream `{upstream}` answered `initialize` wrongly: {why}{stderr}")]
    Handshake { upstream: Name, why: String, stderr: String },
    #[error("the upstream `{upstream}` has no `initialize`: {why}")]
    NoInitialize { upstream: Name, why: String },
    #[error("the upstream `{upstream}` cannot be reached at its `url`: {why}")]
    Address { upstream: Name, why: String },
    #[error("the upstream `{upstream}` is not started again: what it left behind still holds its output")]
    Lingering { upstream: Name },
    #[error("the gateway is stopping")]
    Stopping,
}

/// Why the upstream gave no answer to a request.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RequestError {
    /// Nothing was sent.
    #[error(transparent)]
    NotStarted(#[from] Arc<StartError>),
    /// Nothing was sent.
    #[error("the upstream `{upstream}` has ended ({status}){stderr}")]
    Ended { upstream: Name, status: String, stderr: String },
    /// Nothing was sent.
    #[error("{why}; a call in {millis} ms or later starts it again")]
    Resting { why: String, millis: u64 },
    /// Others are not to wait longer for it.
    #[error("the upstream `{upstream}` did not say in time what tools it has; ask again later")]
    Late { upstream: Name },
    /// Nothing was sent.
    #[error("{}", changed(*.what, .upstream, .name))]
    Changed { what: Described, upstream: Name, name: String },
    /// Nothing was sent.
    #[error("the description that counts for `{operation}` is another since this was decided; ask again")]
    DescribedSince { operation: String },
    /// Nothing was sent.
    #[error("the description of the {what} `{name}` cannot be compared with the one that was accepted: {why}")]
    NotCompared { what: Described, name: String, why: String },
    /// Nothing was sent.
    #[error("that a description is accepted could not be recorded, so it does not count: {0}")]
    NotRecorded(#[from] RecordError),
    /// Nothing was sent, or a list was answered.
    #[error("{0}")]
    Pins(#[from] PinError),
    /// Nothing was sent.
    #[error("{0}; nothing was sent to the upstream")]
    NotSent(&'static str),
    /// It was sent, perhaps.
    #[error("the upstream `{upstream}` ended before it answered ({status}){stderr}")]
    Lost { upstream: Name, status: String, stderr: String },
    /// It was sent, perhaps.
    #[error("the upstream `{upstream}` gave no answer: {why}")]
    Unreachable { upstream: Name, why: String },
    /// It was sent.
    #[error("the upstream `{upstream}` did not answer within {millis} ms; see `mcp.call_ms`")]
    TimedOut { upstream: Name, millis: u64 },
    /// It was sent.
    #[error("the upstream `{upstream}` sent a line of more than {bytes_max} bytes, which was dropped")]
    LineTooLong { upstream: Name, bytes_max: usize },
    /// It was sent.
    #[error("{0} before the upstream answered")]
    Abandoned(&'static str),
    /// It was answered.
    #[error("the upstream `{upstream}` answered with something other than {wanted}")]
    Unexpected { upstream: Name, wanted: &'static str },
    /// It was answered.
    #[error("the list of {what} of the upstream `{upstream}` goes on after {most}; it is not used")]
    EndlessList { upstream: Name, what: &'static str, most: &'static str },
    /// It was answered.
    #[error("the result could not be written as JSON: {0}")]
    Unwritable(#[from] serde_json::Error),
    /// Nobody knows how far it came.
    #[error("the gateway failed while the call was under way")]
    Panicked,
    /// It was answered with an error.
    #[error("the upstream `{upstream}` answered with an error: {}", printable(&.error.message, QUOTE_BYTES_MAX))]
    Answered { upstream: Name, error: Box<ErrorData> },
}

impl RequestError {
    /// Whether it is nothing that a running upstream did.
    pub(crate) fn is_ours(&self) -> bool {
        matches!(
            self,
            Self::NotStarted(_)
                | Self::Resting { .. }
                | Self::NotSent(_)
                | Self::Abandoned(_)
                | Self::Pins(_)
                | Self::NotRecorded(_)
        )
    }

    /// Whether the upstream may have done what it was asked for.
    pub(crate) fn may_have_happened(&self) -> bool {
        match self {
            Self::NotStarted(_)
            | Self::Resting { .. }
            | Self::Ended { .. }
            | Self::Changed { .. }
            | Self::DescribedSince { .. }
            | Self::NotCompared { .. }
            | Self::Pins(_)
            | Self::NotRecorded(_)
            | Self::NotSent(_)
            | Self::Answered { .. } => false,
            Self::Lost { .. }
            | Self::Unreachable { .. }
            | Self::TimedOut { .. }
            | Self::Late { .. }
            | Self::LineTooLong { .. }
            | Self::Abandoned(_)
            | Self::Unexpected { .. }
            | Self::Unwritable(_)
            | Self::Panicked
            | Self::EndlessList { .. } => true,
        }
    }

    /// How the action ended, as far as anybody can know.
    pub(crate) fn outcome(&self) -> Outcome {
        match self.may_have_happened() {
            true => Outcome::unknown(&self.to_string()),
            false => Outcome::failed(&self.to_string()),
        }
    }

    /// The same for the client. The upstream's own error keeps its code and
    /// its data.
    pub(crate) fn into_error(self) -> ErrorData {
        let message = self.to_string();
        match self {
            Self::Answered { error, .. } => ErrorData::new(error.code, message, error.data),
            _ => ErrorData::internal_error(message, None),
        }
    }
}

/// Why what is described otherwise than before is not asked for.
pub(crate) fn changed(what: Described, upstream: &Name, name: &str) -> String {
    let name = printable(name, QUOTE_BYTES_MAX);
    let path = match what {
        Described::Tool => "",
        Described::Prompt => PROMPTS,
    };
    format!(
        "the upstream describes its {what} `{name}` otherwise than when it was accepted; \
         look at it and accept it with `vak mcp accept {upstream}/{path}{name}`"
    )
}

/// What stands before a prompt's name where tools have none. No tool is called so.
pub const PROMPTS: &str = "prompts/";

/// What a library says about the upstream, made fit for one line.
pub(crate) fn quote(error: &impl std::fmt::Display) -> String {
    printable(&error.to_string(), QUOTE_BYTES_MAX)
}
