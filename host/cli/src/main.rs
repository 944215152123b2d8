//! The `vak` command: reads arguments, calls the libraries, prints.

#![forbid(unsafe_code)]

mod add;
mod audit;
mod audit_skills;
mod build;
mod component;
mod config;
mod decide;
mod explain;
mod hook;
mod install;
mod key;
mod list;
mod marketplace;
mod markets;
mod mcp;
mod memory;
mod mirror;
mod new;
mod pack;
mod policy;
mod reload;
mod search;
mod serve;
mod skill;
mod table;
mod token;
mod words;
mod workbench;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use vak::{Config, Override};
use vak_types::Timestamp;

/// Govern what AI agents do, with signed policies and a verifiable log.
#[derive(Parser)]
#[command(name = "vak", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Stand between an MCP client on stdio and an MCP server.
    Mcp(mcp::Mcp),
    Serve(serve::Serve),
    Hook(hook::Hook),
    /// Make tokens for clients of `vak serve`.
    #[command(subcommand)]
    Token(token::Token),
    /// Decide one action, given as JSON on standard input.
    Decide(decide::Decide),
    Explain(explain::Explain),
    #[command(subcommand)]
    Policy(policy::Policy),
    /// Run skills.
    #[command(subcommand)]
    Skill(skill::Skill),
    /// Start a component in a new folder.
    New(new::New),
    /// Build and pack the component in a folder.
    Build(build::Build),
    Pack(pack::Pack),
    /// Show and check components.
    #[command(subcommand)]
    Component(component::Component),
    Test(workbench::Test),
    Bench(workbench::Bench),
    /// Install a package: verify it and put it into the store, where a
    /// configuration finds it as `package = "NAME"`.
    Install(install::Install),
    /// Remove an installed package.
    Remove(install::Remove),
    /// List the installed packages.
    List(list::List),
    Search(search::Search),
    Add(add::Add),
    Update(add::Update),
    AuditSkills(audit_skills::AuditSkills),
    Mirror(mirror::Mirror),
    Publish(marketplace::Publish),
    Yank(marketplace::Yank),
    #[command(subcommand)]
    Marketplace(marketplace::MarketplaceCommand),
    /// Show and remove what agents remember.
    #[command(subcommand)]
    Memory(memory::Memory),
    /// Make and show keys.
    #[command(subcommand)]
    Key(key::Key),
    Sign(vak_skill_sign::Sign),
    /// Verify and read the audit log.
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Check configurations.
    #[command(subcommand)]
    Config(config::ConfigCommand),
}

/// Where the configuration comes from.
#[derive(Args)]
struct Configured {
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = Self::DEFAULT, env = "VAK_CONFIG")]
    config: PathBuf,
    /// Replace one setting, such as `audit.release=accepted`; repeatable. On
    /// top of environment variables such as VAK__AUDIT__RELEASE.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
}

impl Configured {
    /// The configuration, if none is named.
    const DEFAULT: &str = "vak.toml";

    fn load(&self) -> anyhow::Result<Config> {
        let mut overrides = Override::from_environment();
        for flag in &self.set {
            overrides.push(Override::from_flag(flag)?);
        }
        Ok(Config::load(&self.config, &overrides)?)
    }

    /// What was added from marketplaces, beside the configuration.
    fn lock(&self) -> PathBuf {
        self.config.with_file_name("vak.lock")
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    // Standard output is for results, and under `vak mcp` for the protocol.
    // The MCP library warns of every error that is answered; the log has those.
    let filter = tracing_subscriber::EnvFilter::try_from_env("VAK_LOG");
    let filter = filter.unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn,rmcp=error"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let done = match cli.command {
        Command::Mcp(command) => command.run(),
        Command::Serve(command) => command.run(),
        Command::Hook(command) => Ok(command.run()),
        Command::Token(command) => command.run(),
        Command::Decide(command) => command.run(),
        Command::Explain(command) => command.run(),
        Command::Policy(command) => command.run(),
        Command::Skill(command) => command.run(),
        Command::New(command) => command.run(),
        Command::Build(command) => command.run(),
        Command::Pack(command) => command.run(),
        Command::Component(command) => command.run(),
        Command::Test(command) => command.run(),
        Command::Bench(command) => command.run(),
        Command::Install(command) => command.run(),
        Command::Remove(command) => command.run(),
        Command::List(command) => command.run(),
        Command::Search(command) => command.run(),
        Command::Add(command) => command.run(),
        Command::Update(command) => command.run(),
        Command::AuditSkills(command) => command.run(),
        Command::Mirror(command) => command.run(),
        Command::Publish(command) => command.run(),
        Command::Yank(command) => command.run(),
        Command::Marketplace(command) => command.run(),
        Command::Memory(command) => command.run(),
        Command::Key(command) => command.run(),
        Command::Sign(command) => command.run(),
        Command::Audit(command) => command.run(),
        Command::Config(command) => command.run(),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {}", words::lines(&explain(&error)));
            ExitCode::from(2)
        }
    }
}

/// An error and those causes that it does not quote already.
fn explain(error: &anyhow::Error) -> String {
    let mut text = error.to_string().trim_end().to_owned();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.contains(cause.trim_end()) {
            text = format!("{text}: {}", cause.trim_end());
        }
    }
    text
}

/// Runs a future to its end, on this thread: a tool call passes through a
/// dozen tasks, each with microseconds of work, and waking another thread for
/// one costs more than that. What takes long has threads of its own.
fn block_on<T>(future: impl Future<Output = T>) -> anyhow::Result<T> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(future))
}

/// What time it is.
fn now() -> anyhow::Result<Timestamp> {
    let since =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).context("the clock is before 1970")?;
    Ok(Timestamp::from_nanos(u64::try_from(since.as_nanos())?))
}
