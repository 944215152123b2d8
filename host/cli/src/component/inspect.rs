//! `vak component inspect`

use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use vak::{Config, Installation, Name};
use vak_trust::{Manifest, Package};
use vak_types::Digest;

use super::about::{Trust, limits};
use super::imports::{Interfaces, Link};
use super::subject::{Known, Place, Subject};
use crate::now;
use crate::table::Table;
use crate::words::{lines, quoted, sentences};

#[derive(Args)]
pub(crate) struct Inspect {
    /// A component, `NAME.wasm`, or the name of an installed package.
    #[arg(value_name = "FILE|NAME")]
    subject: String,
    #[command(flatten)]
    known: Known,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// All that is said of a package.
#[derive(Serialize)]
struct About {
    component: Digest,
    component_bytes: usize,
    manifest_digest: Digest,
    manifest: Option<Manifest>,
    manifest_problem: Option<String>,
    imports: Vec<Imported>,
    exports: Vec<String>,
    /// Why it is no component.
    component_problem: Option<String>,
    asks_for: Vec<String>,
    #[serde(flatten)]
    trust: Trust,
    used_by: Vec<Use>,
}

#[derive(Serialize)]
struct Imported {
    name: String,
    /// What it takes, in words.
    needs: String,
    /// Whether it is linked once what the manifest asks for is granted.
    links: bool,
}

/// A section of the configuration that uses the package.
#[derive(Serialize)]
struct Use {
    kind: String,
    name: Name,
    granted: Vec<String>,
    missing: Vec<String>,
}

impl Inspect {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let config = self.known.config()?;
        let subject = Subject::read(&self.subject, config.as_ref())?;
        let trust = Trust::of(&subject.package, &self.known.trust(config.as_ref())?, now()?);
        let about = About::of(&subject, trust, config.as_ref());
        match self.json {
            true => println!("{}", serde_json::to_string_pretty(&about)?),
            false => print!("{}", about.table()),
        }
        Ok(ExitCode::from(u8::from(!about.trust.verifies)))
    }
}

impl About {
    fn of(subject: &Subject, trust: Trust, config: Option<&Config>) -> Self {
        let Package { component: bytes, manifest, .. } = &subject.package;
        let (component, manifest_digest) = subject.package.digests();
        let manifest = Manifest::from_packed(manifest);
        let requested = manifest.as_ref().map(|manifest| manifest.grants.clone()).unwrap_or_default();
        let interfaces = Interfaces::read(bytes);
        let imports = interfaces.as_ref().map_or(&[][..], |interfaces| &interfaces.imports).iter().map(|import| {
            let (needs, links) = match import.link(&requested) {
                Link::Nothing if import.types_only => ("only types".to_owned(), true),
                Link::Nothing => ("gives no access".to_owned(), true),
                Link::StandIn => ("a stand-in that gives no access".to_owned(), true),
                Link::If(capability) => (format!("needs `{capability}`"), true),
                Link::Undeclared(capability) if manifest.is_err() => (format!("needs `{capability}`"), false),
                Link::Undeclared(capability) => {
                    (format!("needs `{capability}`, which it does not ask for: it will not load"), false)
                }
                Link::Unknown => ("this host has no such thing: it will not load".to_owned(), false),
            };
            Imported { name: import.name.clone(), needs, links }
        });
        Self {
            component,
            component_bytes: bytes.len(),
            manifest_digest,
            imports: imports.collect(),
            exports: interfaces.as_ref().map(|interfaces| interfaces.exports.clone()).unwrap_or_default(),
            component_problem: interfaces.err().map(|error| quoted(&error.to_string())),
            asks_for: sentences(&requested.rights()),
            trust,
            used_by: match (config, &manifest) {
                (Some(config), Ok(manifest)) => uses(config, &subject.place, manifest),
                _ => Vec::new(),
            },
            manifest_problem: manifest.as_ref().err().map(|error| quoted(&error.to_string())),
            manifest: manifest.ok(),
        }
    }

    fn table(&self) -> Table {
        let mut table = Table::default();
        let problem = |problem: &Option<String>| problem.as_ref().map(|problem| format!("NOT VALID: {problem}"));
        if let Some(manifest) = &self.manifest {
            table.add("name", [format!("{} {}, a {}", manifest.name, manifest.version, manifest.kind)]);
            table.add("about", lines(&manifest.description).lines());
        }
        table.add("component", [format!("{}, {} bytes", self.component, self.component_bytes)]);
        table.add("", problem(&self.component_problem));
        table.add("manifest", [self.manifest_digest.to_string()]);
        table.add("", problem(&self.manifest_problem));
        if let Some(manifest) = &self.manifest {
            table.add("interface", [&manifest.interface]);
            table.add("licence", [&manifest.license]);
            table.add("source", [manifest.source.as_deref().unwrap_or("not given")]);
        }
        let width = self.imports.iter().map(|import| import.name.len()).max().unwrap_or_default();
        let imports = self.imports.iter().map(|Imported { name, needs, .. }| format!("{name:width$}  {needs}"));
        table.add("imports", or_nothing(imports.collect()));
        table.add("exports", or_nothing(self.exports.clone()));
        if let Some(manifest) = &self.manifest {
            table.add("asks for", or_nothing(self.asks_for.clone()));
            let asked = limits(&manifest.limits).into_iter();
            let asked: Vec<_> = asked.filter_map(|(name, limit)| Some(format!("{name} = {}", limit?))).collect();
            let usual = asked.is_empty().then(|| format!("as for every {}", manifest.kind));
            table.add("limits", asked.into_iter().chain(usual));
        }
        let signed: Vec<_> = self.trust.signatures.iter().flat_map(super::about::Signed::lines).collect();
        table.add("signed by", if signed.is_empty() { vec!["nobody".to_owned()] } else { signed });
        table.add(
            "verifies",
            [match &self.trust.problem {
                None => "yes".to_owned(),
                Some(problem) => format!("NO: {problem}"),
            }],
        );
        table.add("used by", self.used_by.iter().flat_map(Use::lines));
        table
    }
}

fn or_nothing(lines: Vec<String>) -> Vec<String> {
    if lines.is_empty() { vec!["nothing".to_owned()] } else { lines }
}

/// Sections that name this package or file.
fn uses(config: &Config, place: &Place, manifest: &Manifest) -> Vec<Use> {
    let used = |installation: &Installation<'_>| match (installation.source(), place) {
        (Ok(vak::config::Source::Package { name, .. }), Place::Installed(installed)) => name == installed,
        (Ok(vak::config::Source::File(path)), Place::File(file)) => {
            matches!((path.canonicalize(), file.canonicalize()), (Ok(path), Ok(file)) if path == file)
        }
        _ => false,
    };
    let uses = config.installations().filter(used).map(|installation| {
        let effective = installation.grants().to(&manifest.grants);
        Use {
            kind: installation.kind.to_string(),
            name: installation.name.clone(),
            granted: sentences(&effective.rights()),
            missing: sentences(&effective.missing(&manifest.grants)),
        }
    });
    uses.collect()
}

impl Use {
    fn lines(&self) -> Vec<String> {
        let Self { kind, name, granted, missing } = self;
        let all = match (granted.is_empty(), missing.is_empty()) {
            (true, true) => Some("  asks for nothing and is granted nothing".to_owned()),
            _ => None,
        };
        let granted = granted.iter().map(|right| format!("  granted: {right}"));
        let missing = missing.iter().map(|right| format!("  MISSING: {right}"));
        std::iter::once(format!("{kind} `{name}`")).chain(all).chain(granted).chain(missing).collect()
    }
}
