//! `vak list`

use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use vak::{Config, Name};
use vak_trust::{Manifest, TrustPolicy, Unsigned};
use vak_types::{Digest, Timestamp};

use crate::words::quoted;
use crate::{Configured, now};

/// Exit codes: 0 all verify, 1 one is damaged or not trusted any more, 2 the
/// store cannot be read.
#[derive(Args)]
pub(crate) struct List {
    #[command(flatten)]
    configured: Configured,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// An installed package.
#[derive(Serialize)]
struct Listed {
    name: Name,
    version: Option<String>,
    kind: Option<String>,
    component: Option<Digest>,
    /// The names of those whose signatures count.
    signers: Vec<String>,
    /// Why it would not be loaded.
    problem: Option<String>,
}

impl List {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let config = self.configured.load()?;
        let trust = config.trust_policy()?;
        let now = now()?;
        let names = config.store().list()?;
        let listed: Vec<_> = names.into_iter().map(|name| Listed::of(name, &config, &trust, now)).collect();
        match self.json {
            true => println!("{}", serde_json::to_string_pretty(&listed)?),
            false => print(&listed),
        }
        Ok(ExitCode::from(u8::from(listed.iter().any(|listed| listed.problem.is_some()))))
    }
}

impl Listed {
    fn of(name: Name, config: &Config, trust: &TrustPolicy, now: Timestamp) -> Self {
        let fails = |name, problem: &str| Self {
            name,
            version: None,
            kind: None,
            component: None,
            signers: Vec::new(),
            problem: Some(quoted(problem)),
        };
        let package = match config.store().get(&name) {
            Ok(package) => package,
            Err(error) => return fails(name, &error.to_string()),
        };
        let about = |manifest: &Manifest, component| Self {
            name: manifest.name.clone(),
            version: Some(manifest.version.to_string()),
            kind: Some(manifest.kind.to_string()),
            component: Some(component),
            signers: Vec::new(),
            problem: None,
        };
        let (component, _) = package.digests();
        let manifest = Manifest::from_packed(&package.manifest);
        match (trust.verify(package, Unsigned::Refuse, now), manifest) {
            (Ok(verified), _) => {
                let keys = config.trust.keys.iter();
                let keys = keys.filter(|key| verified.signers().contains(&key.public.id()));
                Self {
                    signers: keys.map(|key| key.name.to_string()).collect(),
                    ..about(&verified.get().manifest, component)
                }
            }
            (Err(error), Ok(manifest)) => {
                Self { problem: Some(quoted(&error.to_string())), ..about(&manifest, component) }
            }
            (Err(_), Err(error)) => fails(name, &error.to_string()),
        }
    }
}

fn print(listed: &[Listed]) {
    let rows = listed.iter().map(|listed| {
        let or_unknown = |text: &Option<String>| text.clone().unwrap_or_else(|| "?".to_owned());
        let signers = if listed.signers.is_empty() { "-".to_owned() } else { listed.signers.join(",") };
        let component = listed.component.map_or_else(|| "?".to_owned(), |digest| digest.to_string());
        [listed.name.to_string(), or_unknown(&listed.version), or_unknown(&listed.kind), signers, component]
    });
    let rows: Vec<_> = rows.collect();
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or_default();
    let widths = [0, 1, 2, 3].map(width);
    for (row, listed) in rows.iter().zip(listed) {
        let [name, version, kind, signers, component] = row;
        let [first, second, third, fourth] = widths;
        println!("{name:first$}  {version:second$}  {kind:third$}  {signers:fourth$}  {component}");
        if let Some(problem) = &listed.problem {
            println!("  NOT LOADABLE: {problem}");
        }
    }
}
