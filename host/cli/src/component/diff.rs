//! `vak component diff`

use std::collections::BTreeSet;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use serde::Serialize;
use vak::Config;
use vak_trust::{Manifest, TrustPolicy};
use vak_types::Timestamp;

use super::about::{Trust, limits};
use super::imports::Interfaces;
use super::subject::{Known, Subject};
use crate::now;
use crate::table::Table;
use crate::words::sentences;

#[derive(Args)]
pub(crate) struct Diff {
    /// The old version: a component, `NAME.wasm`, or the name of an installed
    /// package.
    old: String,
    /// The new version, likewise.
    new: String,
    #[command(flatten)]
    known: Known,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What a new version would change.
#[derive(Serialize)]
struct Changes {
    old: Version,
    new: Version,
    /// What the new one asks for beyond the old one.
    widens: Vec<String>,
    /// What it asks for no more.
    drops: Vec<String>,
    /// Other parts that differ.
    changed: Vec<Changed>,
    imports_added: Vec<String>,
    imports_removed: Vec<String>,
}

#[derive(Serialize)]
struct Version {
    name: String,
    version: String,
    verifies: bool,
    /// Why it does not verify.
    problem: Option<String>,
}

/// A part that differs, with both values where they can be shown.
#[derive(Serialize)]
struct Changed {
    part: String,
    old: Option<String>,
    new: Option<String>,
}

/// A package with everything that is compared.
struct Side {
    manifest: Manifest,
    imports: BTreeSet<String>,
    exports: BTreeSet<String>,
    trust: Trust,
}

impl Diff {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let config = self.known.config()?;
        let trust = self.known.trust(config.as_ref())?;
        let now = now()?;
        let side = |text: &str| Side::read(text, config.as_ref(), &trust, now).with_context(|| format!("`{text}`"));
        let changes = Changes::between(&side(&self.old)?, &side(&self.new)?);
        match self.json {
            true => println!("{}", serde_json::to_string_pretty(&changes)?),
            false => print!("{}", changes.table()),
        }
        Ok(ExitCode::from(u8::from(!changes.widens.is_empty())))
    }
}

impl Side {
    fn read(text: &str, config: Option<&Config>, trust: &TrustPolicy, now: Timestamp) -> anyhow::Result<Self> {
        let Subject { package, .. } = Subject::read(text, config)?;
        let Interfaces { imports, exports } = Interfaces::read(&package.component)?;
        Ok(Self {
            manifest: Manifest::from_packed(&package.manifest)?,
            imports: imports.into_iter().map(|import| import.name).collect(),
            exports: exports.into_iter().collect(),
            trust: Trust::of(&package, trust, now),
        })
    }

    fn version(&self) -> Version {
        Version {
            name: self.manifest.name.to_string(),
            version: self.manifest.version.to_string(),
            verifies: self.trust.verifies,
            problem: self.trust.problem.clone(),
        }
    }

    /// Everything besides rights and imports that somebody may care about.
    fn parts(&self) -> Vec<(String, Option<String>)> {
        let Manifest { name, version, kind, interface, description, license, source, .. } = &self.manifest;
        let list = |words: &BTreeSet<String>| Some(words.iter().cloned().collect::<Vec<_>>().join(", "));
        let signers = self.trust.signers().into_iter().collect();
        let texts = [
            ("name", Some(name.to_string())),
            ("version", Some(version.to_string())),
            ("kind", Some(kind.to_string())),
            ("interface", Some(interface.clone())),
            ("exports", list(&self.exports)),
            ("licence", Some(license.clone())),
            ("source", source.clone()),
            ("description", Some(description.clone())),
            ("signed by", list(&signers)),
        ];
        let limits = limits(&self.manifest.limits).map(|(name, limit)| (name, limit.map(|limit| limit.to_string())));
        texts.into_iter().chain(limits).map(|(part, value)| (part.to_owned(), value)).collect()
    }

    /// Parts that are too long to be shown.
    fn long_parts(&self) -> Vec<(&'static str, Option<String>)> {
        let Manifest { config_schema, tool, .. } = &self.manifest;
        let tool = tool.as_ref();
        let json = |json: &vak::Json| json.as_str().to_owned();
        vec![
            ("config schema", config_schema.as_ref().map(json)),
            ("tool text", tool.map(|tool| tool.description.clone())),
            ("tool input", tool.map(|tool| json(&tool.input_schema))),
            ("tool output", tool.and_then(|tool| tool.output_schema.as_ref()).map(json)),
        ]
    }
}

impl Changes {
    fn between(old: &Side, new: &Side) -> Self {
        let differ = |((part, old), (_, new)): ((String, Option<String>), (String, Option<String>))| {
            (old != new).then_some(Changed { part, old, new })
        };
        let long = old.long_parts().into_iter().zip(new.long_parts()).filter(|((_, old), (_, new))| old != new);
        let long = long.map(|((part, _), _)| Changed { part: part.to_owned(), old: None, new: None });
        let beyond = |one: &Side, other: &Side| one.imports.difference(&other.imports).cloned().collect();
        Self {
            old: old.version(),
            new: new.version(),
            widens: sentences(&new.manifest.widens(&old.manifest)),
            drops: sentences(&old.manifest.widens(&new.manifest)),
            changed: old.parts().into_iter().zip(new.parts()).filter_map(differ).chain(long).collect(),
            imports_added: beyond(new, old),
            imports_removed: beyond(old, new),
        }
    }

    fn table(&self) -> Table {
        let mut table = Table::default();
        for (label, Version { name, version, problem, .. }) in [("old", &self.old), ("new", &self.new)] {
            let verifies = match problem {
                None => "verifies".to_owned(),
                Some(problem) => format!("DOES NOT VERIFY: {problem}"),
            };
            table.add(label, [format!("{name} {version}, {verifies}")]);
        }
        let nothing = self.widens.is_empty().then(|| "nothing".to_owned());
        table.add("WIDENS", self.widens.iter().cloned().chain(nothing));
        table.add("drops", self.drops.clone());
        for Changed { part, old, new } in &self.changed {
            let or_none = |value: &Option<String>| value.clone().unwrap_or_else(|| "not given".to_owned());
            let lines = match (old, new) {
                (None, None) => vec!["changed".to_owned()],
                _ => vec![format!("was  {}", or_none(old)), format!("is   {}", or_none(new))],
            };
            table.add(part, lines);
        }
        let added = self.imports_added.iter().map(|import| format!("new  {import}"));
        let removed = self.imports_removed.iter().map(|import| format!("gone {import}"));
        table.add("imports", added.chain(removed));
        table
    }
}
