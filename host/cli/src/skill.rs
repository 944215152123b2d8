//! `vak skill`

use std::io::Read as _;
use std::process::ExitCode;

use clap::Subcommand;
use vak::{AgentId, Caller, Host, InvokeError, Json, Name, SessionId};

use crate::{Configured, block_on};

/// Run skills.
#[derive(Subcommand)]
pub(crate) enum Skill {
    /// Call a skill; it is decided and recorded like any other action. Exit
    /// codes: 0 done, 1 refused or failed, 2 not tried.
    Run {
        #[command(flatten)]
        configured: Configured,
        /// On whose behalf.
        #[arg(long)]
        agent: AgentId,
        /// The agent's session.
        #[arg(long, default_value = "command-line")]
        session: SessionId,
        /// The skill's name in the configuration.
        name: Name,
        /// Its input as JSON; `-` reads standard input.
        input: String,
    },
}

impl Skill {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let Self::Run { configured, agent, session, name, input } = self;
        let input = match input.as_str() {
            "-" => {
                let mut text = String::new();
                std::io::stdin().take(Json::BYTES_MAX as u64 + 1).read_to_string(&mut text)?;
                text
            }
            _ => input,
        };
        let input = Json::parse(&input)?;
        let host = Host::builder(configured.load()?).build()?;
        let caller = Caller { agent, session, labels: Vec::new() };
        let output = block_on(host.invoke(&caller, &name, input))?;
        host.close()?;
        match output {
            Ok(output) => {
                println!("{}", output.as_str());
                Ok(ExitCode::SUCCESS)
            }
            Err(error @ (InvokeError::Refused(_) | InvokeError::Skill(_))) => {
                eprintln!("{error}");
                Ok(ExitCode::from(1))
            }
            Err(error) => Err(error.into()),
        }
    }
}
