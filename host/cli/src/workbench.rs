//! `vak test` and `vak bench`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use clap::Args;
use serde_json::json;
use vak_trust::{Manifest, Package};
use vak_workbench::{COMPILED, Case, Workbench};

/// A component and its cases.
#[derive(Args)]
struct Subject {
    /// The component's folder, with its `vak-component.toml`.
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// The component, if it is not `dist/NAME.wasm` in that folder.
    #[arg(long, value_name = "FILE")]
    component: Option<PathBuf>,
    /// The folder of the cases, if it is not `tests` in that folder.
    #[arg(long, value_name = "FOLDER")]
    cases: Option<PathBuf>,
    /// Only the case of this name; repeatable.
    #[arg(long, value_name = "NAME")]
    case: Vec<String>,
}

/// Run a component against the cases in a folder, in the engine of a host. Exit
/// codes: 0 each answers as expected, 1 one does not, 2 not tried.
///
/// A case is a folder: `input.json`, `expected.json`, and where it takes them
/// `config.toml` and `host.json` (`secrets`, `memory`, `directories`, `time_ns`).
#[derive(Args)]
pub(crate) struct Test {
    #[command(flatten)]
    subject: Subject,
    /// Write down what is answered as what is expected.
    #[arg(long)]
    record: bool,
    /// One JSON object a case.
    #[arg(long)]
    json: bool,
}

/// Measure how long calls of a component take, each in a fresh instance.
#[derive(Args)]
pub(crate) struct Bench {
    #[command(flatten)]
    subject: Subject,
    /// How many calls for each case.
    #[arg(long, default_value_t = 1_000)]
    calls: usize,
}

impl Subject {
    fn open(&self) -> anyhow::Result<(Workbench, Vec<Case>)> {
        let component = match &self.component {
            Some(component) => component.clone(),
            None => {
                let path = self.folder.join("vak-component.toml");
                let text = std::fs::read_to_string(&path).with_context(|| format!("reading `{}`", path.display()))?;
                self.folder.join("dist").join(format!("{}.wasm", Manifest::from_toml(&text)?.name))
            }
        };
        let package = Package::read(&component).context("build the component first, with `vak build`")?;
        let cache = component.with_file_name(COMPILED);
        let cases = self.cases.clone().unwrap_or_else(|| self.folder.join("tests"));
        let mut cases = Case::read_all(&cases)?;
        if !self.case.is_empty() {
            cases.retain(|case| self.case.contains(&case.name));
            ensure!(!cases.is_empty(), "there is no case of that name");
        }
        Ok((Workbench::new(package, Some(&cache))?, cases))
    }
}

impl Test {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let (workbench, cases) = self.subject.open()?;
        let mut failed = 0;
        for case in &cases {
            let answer = workbench.answer(case).with_context(|| format!("case `{}`", case.name))?;
            if self.record {
                case.record(&answer)?;
                println!("recorded  {}", case.name);
                continue;
            }
            let differences = case.compare(&answer);
            let passed = differences.as_ref().is_some_and(Vec::is_empty);
            failed += usize::from(!passed);
            if self.json {
                let differences = differences.map(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>());
                println!(
                    "{}",
                    json!({ "case": case.name, "passed": passed, "answer": answer, "differences": differences })
                );
                continue;
            }
            println!("{}  {}", if passed { "ok    " } else { "FAILED" }, case.name);
            match differences {
                Some(differences) => differences.iter().for_each(|difference| println!("        {difference}")),
                None => println!("        it has no expected.json; it answers {answer}; write that down with --record"),
            }
        }
        if !self.record && !self.json {
            println!("{} passed, {failed} failed", cases.len() - failed);
        }
        Ok(ExitCode::from(u8::from(failed > 0)))
    }
}

impl Bench {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let (workbench, cases) = self.subject.open()?;
        for case in &cases {
            let answer = workbench.answer(case)?;
            // A benchmark of an error would be fast and mean nothing.
            if !case.compare(&answer).is_some_and(|differences| differences.is_empty()) {
                eprintln!("warning: `{}` answers {answer}, which is not what is expected", case.name);
            }
            let pace = workbench.pace(case, self.calls)?;
            println!("{}: {pace} ({} calls)", case.name, pace.calls());
        }
        Ok(ExitCode::SUCCESS)
    }
}
