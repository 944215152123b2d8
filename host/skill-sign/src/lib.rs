//! Signing and verifying packages as commands, for `vak key` and `vak sign`,
//! and for publishers who want a program that can do nothing else: it links
//! neither the engine nor an async runtime, runs no component and knows no
//! network.
//!
//! Every command prints text for people, or with `--json` one object for each
//! file it was given. Exit codes: 0 fine, 1 a package does not verify or is not
//! signed, 2 something went wrong and nothing was said about it.
//!
//! ```
//! use clap::Parser as _;
//!
//! #[derive(clap::Parser)]
//! struct Cli {
//!     #[command(subcommand)]
//!     command: vak_skill_sign::Command,
//! }
//!
//! let cli = Cli::try_parse_from(["vak-skill-sign", "info", "no-such.wasm"])?;
//! assert!(cli.command.run().is_err());
//! # Ok::<(), clap::Error>(())
//! ```

#![forbid(unsafe_code)]

mod files;
mod info;
mod keygen;
mod passphrase;
mod public;
mod sign;
mod time;
mod verify;

use std::process::ExitCode;

use clap::Subcommand;

pub use info::Info;
pub use keygen::Keygen;
pub use passphrase::PassphraseSource;
pub use public::Public;
pub use sign::Sign;
pub use verify::Verify;

/// What `vak-skill-sign` can do.
#[derive(Subcommand)]
pub enum Command {
    Keygen(Keygen),
    Sign(Sign),
    Verify(Verify),
    Info(Info),
    Public(Public),
}

impl Command {
    /// Runs it.
    ///
    /// # Errors
    /// It could not be done: exit code 2.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Keygen(command) => command.run(),
            Self::Sign(command) => command.run(),
            Self::Verify(command) => command.run(),
            Self::Info(command) => command.run(),
            Self::Public(command) => command.run(),
        }
    }
}
