//! `vak build`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use vak_author::{Builder, Built};
use vak_workbench::{COMPILED, described};

/// Build and pack the component in a folder, with the tools of its language.
/// Tools that are missing are installed into the folder.
#[derive(Args)]
pub(crate) struct Build {
    /// The project.
    #[arg(default_value = ".")]
    project: PathBuf,
    /// The folder that the package is written to, as `NAME.wasm`; `dist` in the
    /// project if not given.
    #[arg(long, short, value_name = "DIR")]
    output: Option<PathBuf>,
    /// A `node_modules` folder with the tools for JavaScript, to install none.
    #[arg(long, value_name = "DIR", env = "VAK_NODE_MODULES")]
    node_modules: Option<PathBuf>,
    /// A virtual environment with the tools for Python, to install none.
    #[arg(long, value_name = "DIR", env = "VAK_VENV")]
    venv: Option<PathBuf>,
}

impl Build {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let Self { project, output, node_modules, venv } = self;
        let builder = Builder { node_modules, venv };
        let Built { name, package } = builder.build(&project, &|step| eprintln!("{step}"))?;
        let output = output.unwrap_or_else(|| project.join("dist"));
        std::fs::create_dir_all(&output).with_context(|| format!("making `{}`", output.display()))?;
        let path = output.join(format!("{name}.wasm"));
        let package = described(package, Some(&output.join(COMPILED)))?;
        package.write(&path)?;
        println!("built {} ({} bytes)", path.display(), package.component.len());
        Ok(ExitCode::SUCCESS)
    }
}
