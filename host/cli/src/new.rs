//! `vak new`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use vak_author::{Language, NewProject, ProjectName};
use vak_types::Kind;

/// Start a component in a new folder: a source that works, the interfaces, pinned
/// tools and a first test.
#[derive(Args)]
pub(crate) struct New {
    /// What the component will be.
    kind: KindArgument,
    /// What it is called, and its folder: lower-case words between hyphens.
    name: ProjectName,
    /// The language to write it in.
    #[arg(long)]
    lang: LanguageArgument,
    /// Where the new folder is made.
    #[arg(long, value_name = "DIR", default_value = ".")]
    path: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum KindArgument {
    /// May this action happen?
    Policy,
    /// How good is this step?
    Scorer,
    /// What does this framework's message mean?
    Adapter,
    /// A tool that agents can call.
    Skill,
}

#[derive(Clone, Copy, ValueEnum)]
enum LanguageArgument {
    Rust,
    Js,
    Python,
}

impl New {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let kind = match self.kind {
            KindArgument::Policy => Kind::Policy,
            KindArgument::Scorer => Kind::Scorer,
            KindArgument::Adapter => Kind::Adapter,
            KindArgument::Skill => Kind::Skill,
        };
        let language = match self.lang {
            LanguageArgument::Rust => Language::Rust,
            LanguageArgument::Js => Language::JavaScript,
            LanguageArgument::Python => Language::Python,
        };
        let folder = NewProject { kind, language, name: self.name }.write(&self.path)?;
        println!("wrote {}; build it with `vak build {0}`", folder.display());
        Ok(ExitCode::SUCCESS)
    }
}
