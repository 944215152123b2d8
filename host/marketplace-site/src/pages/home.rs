//! The first page.

use maud::html;

use super::item;
use crate::head::{Page, counted, search_form};
use crate::shown::Shown;

/// A search, and what is new.
pub(crate) fn home(shown: &Shown, stale: bool) -> String {
    let main = html! {
        section .hero {
            h1 { "Signed skills, and what they may do" }
            p .lede {
                (counted(shown.packages.len(), "package", "packages")) " by "
                (counted(shown.owned.len(), "publisher", "publishers"))
                ". Each says in plain words what it asks for and who vouches for it, before you install it."
            }
            (search_form(""))
            p .kinds {
                "Or look through "
                @for (at, (kind, many)) in [("skill", "skills"), ("policy", "policies"), ("adapter", "adapters"), ("scorer", "scorers")].iter().enumerate() {
                    @if at > 0 { ", " }
                    a href=(format!("/search?q={kind}")) { (many) }
                }
                "."
            }
        }
        section aria-labelledby="new" {
            h2 #new { "Newly published" }
            @if shown.newest.is_empty() { p { "Nothing is published yet." } }
            ol .packages .two { @for (since, line) in &shown.newest { li { (item(line, Some(*since))) } } }
        }
    };
    Page { shown, stale, title: "Packages", query: "", searches: true, main }.html()
}
