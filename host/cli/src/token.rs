//! `vak token`

use std::collections::BTreeSet;
use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};
use vak::config::{self, Scope};
use vak::{AgentId, Person};
use vak_types::{Digest, Name, Pattern};

/// Random bytes in a token: nobody guesses one of 2^256.
const TOKEN_BYTES: usize = 32;

/// Make tokens for clients of `vak serve`.
#[derive(Subcommand)]
pub(crate) enum Token {
    /// Make a token, and print it and its lines for the configuration, which have
    /// its digest. It is shown once and kept nowhere: give it to the client.
    New {
        /// Its name: ids and sessions belong to it.
        name: Name,
        /// What it is good for; repeatable.
        #[arg(long = "scope", value_enum, default_values = ["decide"])]
        scopes: Vec<ScopeName>,
        /// An agent that its holder may act as, or several, such as `team-*`;
        /// repeatable.
        #[arg(long = "agent", value_name = "AGENT")]
        agents: Vec<Pattern<AgentId>>,
        /// The person who sits before the MCP client that has it, and whose yes counts.
        #[arg(long)]
        person: Option<Person>,
    },
}

/// A scope on the command line.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum ScopeName {
    /// Ask for decisions, and say what came of them.
    Decide,
    /// Have the host run skills and call tools.
    Execute,
    /// Speak MCP at `/mcp`, as the one agent that is named.
    Mcp,
    /// Read the metrics.
    Metrics,
    /// Answer as a person, by the token's name, what was escalated.
    Approve,
}

impl From<ScopeName> for Scope {
    fn from(name: ScopeName) -> Self {
        match name {
            ScopeName::Decide => Self::Decide,
            ScopeName::Execute => Self::Execute,
            ScopeName::Mcp => Self::Mcp,
            ScopeName::Metrics => Self::Metrics,
            ScopeName::Approve => Self::Approve,
        }
    }
}

impl Token {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let Self::New { name, scopes, agents, person } = self;
        let scopes: BTreeSet<_> = scopes.into_iter().map(Scope::from).collect();
        if agents.is_empty() && scopes != BTreeSet::from([Scope::Metrics]) {
            anyhow::bail!("say whom its holder may act as, such as `--agent ada` or `--agent 'team-*'`");
        }
        let (token, digest) = fresh()?;
        let line = config::Token { name, digest, scopes, agents, person };
        line.check()?;
        println!("{token}\n\n[[server.tokens]]\n{}", toml::to_string(&line)?.trim_end());
        Ok(ExitCode::SUCCESS)
    }
}

/// A new token, and its digest.
pub(crate) fn fresh() -> anyhow::Result<(String, Digest)> {
    let mut bytes = [0; TOKEN_BYTES];
    getrandom::fill(&mut bytes)?;
    let token = format!("vak_{}", Digest::from_bytes(bytes).to_hex());
    let digest = Digest::of(token.as_bytes());
    Ok((token, digest))
}
