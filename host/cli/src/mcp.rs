//! `vak mcp`

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use tokio::signal::unix::{SignalKind, signal};
use vak::{Config, Described, Host};
use vak_server::mcp::{PROMPTS, Pins};
use vak_types::Digest;

use crate::reload::Reloading;
use crate::{Configured, block_on};

/// `vak mcp --config vak.toml -- COMMAND…`. Reads the configuration again
/// when it or something that it names has changed, and at SIGHUP; one that does not
/// load leaves the old one deciding.
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

/// How the upstreams describe their tools and prompts.
#[derive(Subcommand)]
enum Tools {
    /// List the tools and prompts that were seen, and how those are described now that
    /// have changed since they were accepted.
    Tools {
        #[command(flatten)]
        configured: Configured,
    },
    /// Accept how a tool or prompt is described now. Until then one that has changed is
    /// neither shown nor asked for. The host records it before it counts.
    Accept {
        #[command(flatten)]
        configured: Configured,
        /// Which one, such as `files/read_file` or `files/prompts/greet`.
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
                    print(&Pins::at(&config.state, upstream, Described::Tool), &format!("{upstream}/"))?;
                    print(&Pins::at(&config.state, upstream, Described::Prompt), &format!("{upstream}/{PROMPTS}"))?;
                }
            }
            Self::Accept { configured, tool, digest } => {
                let config = configured.load()?;
                let (pins, name) = of(&config, &tool)?;
                println!("accepted {}", pins.accept(name, digest)?);
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Longest name of a tool that is printed, in bytes: any that can be called.
const NAME_BYTES_MAX: usize = 256;

fn print(pins: &Pins, before: &str) -> anyhow::Result<()> {
    for (name, pin) in pins.read()? {
        let name = vak_types::printable(&name, NAME_BYTES_MAX);
        println!("{before}{name}\t{}", pin.accepted);
        if let Some(changed) = pin.changed {
            println!("  changed to {}: {}", changed.digest, changed.description);
        }
    }
    Ok(())
}

/// Where its description is accepted, and its name there.
fn of<'t>(config: &Config, path: &'t str) -> anyhow::Result<(Pins, &'t str)> {
    let (upstream, name) = path.split_once('/').context("write it as `UPSTREAM/TOOL`, such as `files/read_file`")?;
    let mut names = config.mcp.iter().flat_map(vak::config::Mcp::names);
    let upstream = names.find(|name| name.as_str() == upstream);
    let upstream = upstream.context("`[mcp]` has no upstream that is called so")?;
    let (what, name) = match name.strip_prefix(PROMPTS) {
        Some(prompt) => (Described::Prompt, prompt),
        None => (Described::Tool, name),
    };
    Ok((Pins::at(&config.state, upstream, what), name))
}

impl Mcp {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        if let Some(tools) = self.tools {
            return tools.run();
        }
        let (config, reloading) = Reloading::start(self.configured)?;
        let (host, command) = (Arc::new(Host::builder(config).build()?), self.command);
        block_on(async {
            let hangups = signal(SignalKind::hangup())?;
            let reloading = tokio::spawn(reloading.run(Arc::clone(&host), hangups));
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
