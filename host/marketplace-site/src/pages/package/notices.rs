//! What has to be read before anything else.

use maud::{Markup, html};
use vak_registry::WithdrawalKind;

use super::Package;
use crate::cut::{Text, cut};
use crate::head::{counted, time};

impl Package<'_> {
    /// What is wrong with this version or this package, worst first.
    pub(super) fn notices(&self) -> Markup {
        html! {
            (self.withdrawn())
            (self.lost_keys())
            (self.affected())
            (self.older())
        }
    }

    fn withdrawn(&self) -> Markup {
        let (entry, release) = (self.entry, self.release);
        let Some(withdrawn) = &release.withdrawn else { return Markup::default() };
        let current = entry.current().map(|release| &release.version);
        let revoked = withdrawn.kind == WithdrawalKind::Revoked;
        html! {
            aside .notice .bad role="note" {
                h2 {
                    @match (revoked, current) {
                        (true, Some(_)) => "This version is revoked",
                        (true, None) => "This version is revoked, and no other can be used",
                        (false, Some(_)) => "This version is yanked",
                        (false, None) => "This version is yanked, and no other can be used",
                    }
                }
                p .told dir="auto" { (Text(&cut(withdrawn.reason.as_str(), 1_500).told())) }
                p .by {
                    "Since " (time(withdrawn.since)) ". "
                    @if revoked { "It is dangerous: it is not installed, and where it runs it is stopped at the next decision." }
                    @else { "Its publisher took it back: it is not installed anew." }
                    @if let Some(id) = &withdrawn.advisory { " See advisory " (id) "." }
                }
                @if let Some(version) = current {
                    p { a href=(format!("/packages/{}", entry.name)) { "Version " (version) " can be used" } "." }
                }
            }
        }
    }

    /// That a key which signed this version is in the wrong hands.
    fn lost_keys(&self) -> Markup {
        let lost = self.release.signers.iter().filter_map(|key| Some((key, self.shown.withdrawn.keys.get(key)?)));
        html! {
            @for (key, reason) in lost.take(4) {
                aside .notice .bad role="note" {
                    h2 { "A key that signed this version is in the wrong hands" }
                    p { code .long { (key) } }
                    p .told dir="auto" { (Text(&cut(reason.as_str(), 600).told())) }
                    p .by { "Nothing that it signed counts." }
                }
            }
        }
    }

    fn affected(&self) -> Markup {
        let count = self.entry.advisories_of(&self.release.version).count();
        let worst = self.entry.advisories_of(&self.release.version).max_by_key(|advisory| advisory.severity);
        html! {
            @if let Some(worst) = worst {
                aside .notice .bad role="note" {
                    h2 { (counted(count, "advisory affects", "advisories affect")) " this version" }
                    p .told dir="auto" { strong { (worst.severity) ": " } (Text(&cut(&worst.title, 800).told())) }
                    p { a href="#advisories" { "Read more" } }
                }
            }
        }
    }

    fn older(&self) -> Markup {
        let (entry, release) = (self.entry, self.release);
        let newer = entry.current().filter(|current| current.version > release.version);
        html! {
            @if let (Some(newer), None) = (newer, &release.withdrawn) {
                p .notice { "There is a newer version: " a href=(format!("/packages/{}", entry.name)) { (newer.version) } "." }
            }
        }
    }
}
