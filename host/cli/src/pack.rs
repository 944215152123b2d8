//! `vak pack`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use vak_trust::Manifest;
use vak_workbench::described;

/// Make a package of what a compiler produced. `vak build` does it by itself.
#[derive(Args)]
pub(crate) struct Pack {
    /// The compiler's `.wasm` file: a core module or a component.
    wasm: PathBuf,
    /// The manifest.
    #[arg(long, default_value = "vak-component.toml")]
    manifest: PathBuf,
    /// The folder that the package is written to, as `NAME.wasm`.
    #[arg(long, short, default_value = ".")]
    output: PathBuf,
}

impl Pack {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let Self { wasm, manifest, output } = self;
        let read = |path: &Path| std::fs::read(path).with_context(|| format!("reading `{}`", path.display()));
        let text = String::from_utf8(read(&manifest)?).with_context(|| format!("reading `{}`", manifest.display()))?;
        let package = described(vak_author::pack(&read(&wasm)?, &text)?, None)?;
        let name = Manifest::from_packed(&package.manifest)?.name;
        let path = output.join(format!("{name}.wasm"));
        std::fs::create_dir_all(&output).with_context(|| format!("making `{}`", output.display()))?;
        package.write(&path)?;
        println!("packed {} ({} bytes)", path.display(), package.component.len());
        Ok(ExitCode::SUCCESS)
    }
}
