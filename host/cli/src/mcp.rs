//! `vak mcp`

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use tokio::signal::unix::{SignalKind, signal};
use vak::{Config, Host};
use vak_server::mcp::Pins;
use vak_types::{Digest, Name};

use crate::reload::reload;
use crate::{Configured, block_on};

/// `vak mcp --config vak.toml -- COMMAND…`. Reads the configuration again at
/// SIGHUP; one that does not load leaves the old one deciding.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Mcp {
    #[command(subcommand)]
    tools: Option<Tools>,
    #[command(flatten)]
    configured: Configured,
    /// Serve streamable HTTP at `/mcp` of this address instead of standard input
    /// and output. One of this machine alone, such as `127.0.0.1:8080`.
    #[arg(long, value_name = "ADDRESS", requires = "token")]
    listen: Option<SocketAddr>,
    /// The file with the bearer token that clients have to send.
    #[arg(long, value_name = "FILE", requires = "listen")]
    token: Option<PathBuf>,
    /// The MCP server to govern: a program and its arguments. Beside those of
    /// `[[mcp.upstreams]]`, or instead of them.
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// How the upstreams describe their tools.
#[derive(Subcommand)]
enum Tools {
    /// List the tools that were seen, and how those are described now that have
    /// changed since they were accepted.
    Tools {
        #[command(flatten)]
        configured: Configured,
    },
    /// Accept how a tool is described now. Until then a tool that has changed is
    /// neither shown nor called.
    Accept {
        #[command(flatten)]
        configured: Configured,
        /// Which one, such as `files/read_file`.
        #[arg(value_name = "UPSTREAM/TOOL")]
        tool: String,
        /// Only if this is the digest of its definition, as `tools` prints it.
        #[arg(long)]
        digest: Option<Digest>,
    },
}

impl Tools {
    fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Tools { configured } => {
                let config = configured.load()?;
                for upstream in config.mcp.iter().flat_map(vak::config::Mcp::names) {
                    for (tool, pin) in Pins::at(&config.state, upstream).read()? {
                        let name = vak_types::printable(&tool, NAME_BYTES_MAX);
                        println!("{upstream}/{name}\t{}", pin.accepted);
                        if let Some(changed) = pin.changed {
                            println!("  changed to {}: {}", changed.digest, changed.description);
                        }
                    }
                }
            }
            Self::Accept { configured, tool, digest } => {
                let config = configured.load()?;
                let (upstream, tool) = of(&config, &tool)?;
                println!("accepted {}", Pins::at(&config.state, &upstream).accept(tool, digest)?);
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Longest name of a tool that is printed, in bytes: any that can be called.
const NAME_BYTES_MAX: usize = 256;

fn of<'t>(config: &Config, tool: &'t str) -> anyhow::Result<(Name, &'t str)> {
    let (upstream, tool) = tool.split_once('/').context("write it as `UPSTREAM/TOOL`, such as `files/read_file`")?;
    let mut names = config.mcp.iter().flat_map(vak::config::Mcp::names);
    let upstream = names.find(|name| name.as_str() == upstream);
    Ok((upstream.context("`[mcp]` has no upstream that is called so")?.clone(), tool))
}

impl Mcp {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        if let Some(tools) = self.tools {
            return tools.run();
        }
        let host = Arc::new(Host::builder(self.configured.load()?).build()?);
        let (configured, command) = (self.configured, self.command);
        block_on(async {
            let hangups = signal(SignalKind::hangup())?;
            let reloading = tokio::spawn(reload(Arc::clone(&host), configured, hangups));
            let served = match (self.listen, self.token) {
                (Some(address), Some(token)) => listen(host, &command, address, &token).await,
                _ => Ok(vak_server::mcp::serve_stdio(host, command).await?),
            };
            reloading.abort();
            served
        })??;
        Ok(ExitCode::SUCCESS)
    }
}

async fn listen(host: Arc<Host>, command: &[OsString], address: SocketAddr, token: &Path) -> anyhow::Result<()> {
    let listening = vak_server::mcp::http::listen(host, command, address, token).await?;
    eprintln!("serving MCP at http://{}/mcp", listening.address()?);
    Ok(listening.serve().await?)
}
