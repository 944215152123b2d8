//! A package: first whether it can be trusted, then what it is.

mod facts;
mod notices;

use maud::{Markup, html};
use semver::Version;
use vak_marketplace::{Entry, Release};
use vak_trust::Manifest;
use vak_types::Kind;

use super::advisories::one;
use super::{publisher_link, versions};
use crate::cut::{Text, cut};
use crate::head::{Page, counted};
use crate::schema;
use crate::shown::Shown;

/// Versions that are listed; there is a page with all.
const VERSIONS: usize = 12;

/// Advisories that are told here; there is a page with all.
const ADVISORIES: usize = 4;

/// A version, or the one that is meant when none is named. None if there is no
/// such version.
pub(crate) fn package(shown: &Shown, stale: bool, entry: &Entry, version: Option<&Version>) -> Option<String> {
    let release = match version {
        Some(version) => entry.release(version)?,
        None => entry.current().or(entry.releases.last())?,
    };
    // An entry that was read was checked, so its manifests are some.
    let manifest = release.manifest().ok()?;
    let package = Package { shown, entry, release, manifest: &manifest };
    let title = match version {
        Some(version) => format!("{} {version}", entry.name),
        None => entry.name.to_string(),
    };
    let main = package.html();
    Some(Page { shown, stale, title: &title, query: "", searches: false, main }.html())
}

struct Package<'a> {
    shown: &'a Shown,
    entry: &'a Entry,
    release: &'a Release,
    manifest: &'a Manifest,
}

impl Package<'_> {
    fn html(&self) -> Markup {
        let Self { entry, release, manifest, .. } = self;
        html! {
            div .title {
                p .kicker { (what(entry.kind)) " by " (publisher_link(&entry.publisher)) }
                h1 { (entry.name) " " span .version { (release.version) } }
                p .lede .told dir="auto" { (Text(&cut(&manifest.description, 4_000).told())) }
            }
            (self.notices())
            div .trust {
                (self.may())
                (self.vouched())
            }
            (self.install())
            (self.facts())
            (self.interface())
            (self.limits())
            (self.versions())
            (self.advisories())
        }
    }

    /// Where the whole manifest is.
    fn manifest_path(&self) -> String {
        format!("/packages/{}/{}/manifest.json", self.entry.name, self.release.version)
    }

    /// What goes in and what comes out.
    fn interface(&self) -> Markup {
        let (manifest, path) = (self.manifest, self.manifest_path());
        html! {
            @if let Some(tool) = &manifest.tool {
                @if tool.description != manifest.description {
                    section aria-labelledby="tool" {
                        h2 #tool { "What agents are told" }
                        p .told dir="auto" { (Text(&cut(&tool.description, 5_000).told())) }
                    }
                }
                (schema::section("input", "Input", &tool.input_schema.to_value(), &path))
                @match &tool.output_schema {
                    Some(output) => (schema::section("output", "Output", &output.to_value(), &path)),
                    None => section aria-labelledby="output" { h2 #output { "Output" } p { "Text; it has no schema." } },
                }
            }
            @if let Some(config) = &manifest.config_schema {
                (schema::section("configuration", "Configuration", &config.to_value(), &path))
            }
        }
    }

    fn versions(&self) -> Markup {
        let entry = self.entry;
        let count = entry.releases.len();
        html! {
            section aria-labelledby="versions" {
                h2 #versions { "Versions" }
                (versions::table(entry, entry.releases.iter().rev().take(VERSIONS)))
                @if count > VERSIONS {
                    p .more { a href=(format!("/packages/{}/versions", entry.name)) { "All " (counted(count, "version", "versions")) } }
                }
            }
        }
    }

    fn advisories(&self) -> Markup {
        let entry = self.entry;
        let of_this: Vec<_> = entry.advisories_of(&self.release.version).collect();
        let others =
            entry.advisories.iter().filter(|advisory| !of_this.iter().any(|this| std::ptr::eq(*this, *advisory)));
        html! {
            section aria-labelledby="advisories" {
                h2 #advisories { "Advisories" }
                @if entry.advisories.is_empty() { p { "None are known for any version." } }
                @if !entry.advisories.is_empty() { ol .advisories {
                    @for (at, advisory) in of_this.iter().copied().chain(others).take(ADVISORIES).enumerate() {
                        li .affects[at < of_this.len()] {
                            @if at < of_this.len() { p .kicker { "Affects this version" } }
                            (one(advisory, None, 900))
                        }
                    }
                } }
                @if !entry.advisories.is_empty() {
                    p .more { a href=(format!("/packages/{}/advisories", entry.name)) { (counted(entry.advisories.len(), "advisory", "advisories")) " in full" } }
                }
            }
        }
    }
}

/// A kind, for who sees the word for the first time.
fn what(kind: Kind) -> Markup {
    html! {
        @match kind {
            Kind::Skill => span title="A tool that agents can call" { "Skill" },
            Kind::Policy => span title="Says whether an action may happen" { "Policy" },
            Kind::Adapter => span title="Reads what a framework is about to do" { "Adapter" },
            Kind::Scorer => span title="Says how good a step is" { "Scorer" },
        }
    }
}
