//! The Verifiable Agent Kernel as a library: what stands between an agent and
//! everything it can do.
//!
//! A [`Host`] is built from a [`Config`]. Each thing an agent wants to do is
//! an [`Action`]; [`Host::decide`] asks the limits and every policy, records
//! the verdict and returns it. Nothing is allowed that no policy permits, and
//! no verdict is released that is not in the log.
//!
//! ```
//! use vak::{ActionRequest, Config, Expected, Host, Outcome, PrivateKey, open_source, verify_all};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let components = std::env::var("VAK_COMPONENTS")?;
//! # let publisher = std::fs::read_to_string(format!("{components}/publisher.pub"))?;
//! # let publisher = publisher.trim();
//! # let temporary = tempfile::tempdir()?;
//! # let folder = temporary.path();
//! // What may happen: rules, baked into a signed component when it is loaded.
//! std::fs::write(folder.join("rules.toml"), r#"
//!     [[rule]]
//!     id = "read-work"
//!     effect = "permit"
//!     operations = ["files/read_*"]
//!     when = [{ argument = "/path", within = "/work" }]
//! "#)?;
//! PrivateKey::generate()?.write(&folder.join("log.key"))?;
//! std::fs::write(folder.join("vak.toml"), format!(r#"
//!     state = "state"
//!     trust.keys = [{{ name = "publisher", public = "{publisher}", may_permit = true }}]
//!     audit = {{ origin = "example.org/agents", key = "log.key" }}
//!
//!     [[policies]]
//!     name = "files"
//!     component = "{components}/rules.wasm"
//!     config = "rules.toml"
//!     may_permit = true
//! "#))?;
//! let host = Host::builder(Config::load(&folder.join("vak.toml"), &[])?).build()?;
//!
//! let request: ActionRequest = serde_json::from_str(r#"{
//!     "agent": "ada", "session": "s1",
//!     "operation": "files/read_file", "resource": "mcp:files/read_file",
//!     "arguments": {"path": "/work/notes.txt"}
//! }"#)?;
//! let action = host.stamp(request)?;
//! let decided = host.decide(&action).await;
//! assert!(decided.verdict.is_allow());
//!
//! // Do it, and say what came of it.
//! host.record_outcome(&action, decided, Outcome::succeeded(b"the text")).await?;
//!
//! // What no policy permits is denied, and the denial is in the log too.
//! let request: ActionRequest = serde_json::from_str(r#"{
//!     "agent": "ada", "session": "s1", "operation": "shell/run", "resource": "shell"
//! }"#)?;
//! let decided = host.decide(&host.stamp(request)?).await;
//! let why = decided.verdict.deciding().map(ToString::to_string);
//! assert_eq!(why.as_deref(), Some("host: no policy permits this action"));
//!
//! // Anybody who has the public key can check the log, without the host.
//! let (log, key) = (host.log(), host.verifier_key().clone());
//! host.close()?;
//! let report = verify_all(&*open_source(&log)?, &Expected::of(&key), |_, _| ())?;
//! assert_eq!((report.decisions, report.outcomes), (2, 1));
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

mod approvals;
mod archiver;
mod begun;
mod builder;
mod changes;
mod clock;
pub mod config;
mod frameworks;
mod host;
mod installation;
mod inventory;
mod kept;
mod ledger;
mod limiter;
mod lookout;
mod names;
mod outcome;
mod overlay;
mod refused;
mod reloads;
mod running;
mod sessions;
mod shadow;
mod trusted;
mod verdicts;

pub use approvals::{ApprovalError, Asker, Standing, Waiting};
pub use archiver::program_of_s3;
pub use begun::Begun;
pub use builder::{BuildError, Checked, HostBuilder};
pub use changes::{Changes, Waiter};
pub use config::{Config, ConfigError};
pub use frameworks::{Framework, Statistics};
pub use host::{
    Called, Caller, Decided, DecidedBefore, Ended, Host, InvokeError, Message, MessageError, RecordError, Settled,
    SkillCall, refusal,
};
pub use installation::Installation;
pub use kept::KeptError;
pub use ledger::{LogError, open as open_log};
pub use limiter::LimitsError;
pub use lookout::LookoutError;
pub use names::StampError;
pub use outcome::Outcome;
pub use overlay::Override;
pub use refused::RefusedConfig;
pub use reloads::Reloads;
pub use running::{PrepareError, Prepared, SwitchError};
pub use trusted::Trusted;

pub use vak_audit::{Acceptance, Described, Expected, ReadError, Receipt, VerifierKey, open_source, verify_all};
pub use vak_memory::{Held, Memory, MemoryError};
pub use vak_pipeline::Able;
pub use vak_plugin::{AdapterError, Answer, EndedCall, Ending, Info, Intake, Wanted};
pub use vak_trust::PrivateKey;
pub use vak_types::{
    Action, ActionId, ActionRequest, AgentId, Decision, Json, Label, Name, Obligation, Person, SessionId, Verdict,
};
