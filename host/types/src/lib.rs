//! The words every VAK crate shares: what an agent asks for ([`Action`]), what
//! the host answers ([`Verdict`]), who is involved (ids, [`ComponentRef`]) and
//! what a component may touch ([`Granted`]).
//!
//! Values are checked where they are made, so holding one is proof that it is
//! well formed. There is no I/O, no clock and no randomness in this crate.
//!
//! ```
//! use vak_types::{ActionRequest, Timestamp};
//!
//! let request: ActionRequest = serde_json::from_str(
//!     r#"{"agent": "ada", "session": "s1", "operation": "files/read_file",
//!         "resource": "mcp:files/read_file", "arguments": {"path": "/tmp/a"}}"#,
//! )?;
//! let action = request.at("a-1".parse()?, Timestamp::from_nanos(1_700_000_000_000_000_000));
//! assert_eq!(action.operation.as_str(), "files/read_file");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

mod action;
mod component;
mod digest;
mod grant;
mod json;
mod limits;
mod obligation;
mod parsed;
mod pattern;
mod session;
mod text;
mod time;
mod verdict;

pub use action::{Action, ActionRequest, AttributeValue};
pub use component::{ComponentRef, KeyId, Kind};
pub use digest::{Digest, DigestError};
pub use grant::{
    Access, Capability, Directory, Effective, GrantTextError, Granted, GuestPath, HostPattern, HttpAccess, HttpGrant,
    HttpRule, Method, Need, Requested, Right, VariableName,
};
pub use json::{Json, JsonError};
pub use limits::LimitSettings;
pub use obligation::{Obligation, ObligationError, UnmetError, Wanted};
pub use pattern::{Pattern, PatternError};
pub use session::{Forgotten, Past, PastMark, Step, Tally, Told};
pub use text::{
    ActionId, AdvisoryId, AgentId, Grounds, Label, LimitName, Name, Operation, Person, Resource, SessionId, TextError,
    printable,
};
pub use time::Timestamp;
pub use verdict::{Decision, Effect, Failure, FailureKind, Reason, Source, Verdict};
