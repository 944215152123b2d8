//! `vak memory`

use std::process::ExitCode;

use clap::Subcommand;
use vak::{AgentId, Name};

use crate::Configured;

/// Show and remove what agents remember.
#[derive(Subcommand)]
pub(crate) enum Memory {
    /// List the scopes with something in them.
    List {
        #[command(flatten)]
        configured: Configured,
    },
    /// Remove what an agent remembers. A call that is working on it fails.
    Forget {
        #[command(flatten)]
        configured: Configured,
        /// Whose memory.
        agent: AgentId,
        /// Only this scope of it.
        #[arg(long)]
        scope: Option<Name>,
    },
}

impl Memory {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::List { configured } => {
                for held in configured.load()?.memory().held()? {
                    let (agent, scope, values, bytes) = (held.agent, held.scope, held.values, held.bytes);
                    println!("{agent}  {scope}  {values} values  {bytes} bytes");
                }
            }
            Self::Forget { configured, agent, scope } => {
                let values = configured.load()?.memory().forget(&agent, scope.as_ref())?;
                println!("forgot {values} values of `{agent}`");
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
