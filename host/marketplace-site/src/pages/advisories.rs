//! What is known to be wrong, of all packages or of one.

use maud::{Markup, html};
use vak_marketplace::{Advisory, Entry};
use vak_types::Name;

use super::{Part, severity};
use crate::cut::{Paragraph, Text, cut};
use crate::head::{Page, counted, time};
use crate::shown::Shown;

/// Advisories on a page with their whole texts: a page of text each.
const WHOLE_PER_PAGE: usize = 5;

/// Advisories on a page with the beginnings of their texts.
const PER_PAGE: usize = 20;

/// Bytes of HTML for a whole text. None has more that is written for people.
const TEXT_BYTES_MAX: usize = 12_000;

/// All advisories, newest first.
pub(crate) fn advisories(shown: &Shown, stale: bool, number: usize) -> String {
    let part = Part { number, len: PER_PAGE };
    let all = &shown.advisories;
    let main = html! {
        h1 { "Advisories" }
        p .lede { "What is known to be wrong with some versions. " code { "vak audit-skills" } " tells which of them you have." }
        h2 .count { (counted(all.len(), "advisory", "advisories")) }
        ol .advisories {
            @for (name, advisory) in all.iter().skip(part.skip()).take(part.len) { li { (one(advisory, Some(name), 900)) } }
        }
        (part.links(all.len(), "/advisories?page="))
    };
    Page { shown, stale, title: "Advisories", query: "", searches: false, main }.html()
}

/// Those of a package, newest first and whole.
pub(crate) fn of_package(shown: &Shown, stale: bool, entry: &Entry, number: usize) -> String {
    let part = Part { number, len: WHOLE_PER_PAGE };
    let mut all: Vec<_> = entry.advisories.iter().collect();
    all.sort_by_key(|advisory| std::cmp::Reverse(advisory.published));
    let title = format!("Advisories of {}", entry.name);
    let main = html! {
        p .kicker { a href=(format!("/packages/{}", entry.name)) { (entry.name) } }
        h1 { (title) }
        h2 .count { (counted(all.len(), "advisory", "advisories")) }
        ol .advisories {
            @for advisory in all.iter().skip(part.skip()).take(part.len) { li { (one(advisory, None, TEXT_BYTES_MAX)) } }
        }
        (part.links(all.len(), &format!("/packages/{}/advisories?page=", entry.name)))
    };
    Page { shown, stale, title: &title, query: "", searches: false, main }.html()
}

/// An advisory, with as much of its text as has `bytes_max` in HTML.
pub(super) fn one(advisory: &Advisory, about: Option<&Name>, bytes_max: usize) -> Markup {
    let Advisory { id, severity: how_bad, affected, title, text, published } = advisory;
    let affected = affected.to_string();
    html! {
        article {
            h3 { (severity(*how_bad)) " " (Text(&cut(title, 800).told())) }
            p .by {
                @if let Some(name) = about { a href=(format!("/packages/{name}/advisories")) { (name) } " · " }
                "affects " code .long { (Text(&cut(&affected, 300).told())) } " · " (id) " · " (time(*published))
            }
            (Paragraph(&cut(text, bytes_max).told()))
        }
    }
}
