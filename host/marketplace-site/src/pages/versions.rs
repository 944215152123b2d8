//! All versions of a package.

use maud::{Markup, html};
use vak_marketplace::{Entry, Release};
use vak_registry::WithdrawalKind;

use super::Part;
use crate::cut::{Text, cut};
use crate::head::{Page, counted, size, time};
use crate::shown::Shown;

const PER_PAGE: usize = 50;

/// A part of them, newest first.
pub(crate) fn versions(shown: &Shown, stale: bool, entry: &Entry, number: usize) -> String {
    let part = Part { number, len: PER_PAGE };
    let title = format!("Versions of {}", entry.name);
    let main = html! {
        p .kicker { a href=(format!("/packages/{}", entry.name)) { (entry.name) } }
        h1 { (title) }
        p .count { (counted(entry.releases.len(), "version", "versions")) }
        (table(entry, entry.releases.iter().rev().skip(part.skip()).take(part.len)))
        (part.links(entry.releases.len(), &format!("/packages/{}/versions?page=", entry.name)))
    };
    Page { shown, stale, title: &title, query: "", searches: false, main }.html()
}

/// Some versions with what became of them.
pub(super) fn table<'a>(entry: &Entry, releases: impl Iterator<Item = &'a Release>) -> Markup {
    html! {
        table .versions {
            thead {
                tr { th scope="col" { "Version" } th scope="col" { "Published" } th scope="col" { "Size" } th scope="col" { "SHA-256 of the component" } th scope="col" { "State" } }
            }
            tbody { @for release in releases { (row(entry, release)) } }
        }
    }
}

fn row(entry: &Entry, release: &Release) -> Markup {
    let advisories = entry.advisories_of(&release.version).count();
    html! {
        tr {
            th scope="row" { a href=(format!("/packages/{}/{}", entry.name, release.version)) { (release.version) } }
            td { (time(release.published)) }
            td { (size(release.component.size)) }
            td { code .long .small { (release.component.digest.to_hex()) } }
            td {
                @match &release.withdrawn {
                    Some(withdrawn) => {
                        span class=(if withdrawn.kind == WithdrawalKind::Revoked { "tag bad" } else { "tag wary" }) { (withdrawn.kind) }
                        " " small { (Text(&cut(withdrawn.reason.as_str(), 140).told())) }
                    },
                    None if advisories > 0 => span .tag .bad { (counted(advisories, "advisory", "advisories")) },
                    None => span .tag .good { "available" },
                }
            }
        }
    }
}
