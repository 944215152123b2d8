//! What a search found.

use maud::html;
use url::form_urlencoded::byte_serialize;
use vak_marketplace::Line;

use super::{Part, list};
use crate::cut::{Text, visible};
use crate::head::{Page, counted, search_form};
use crate::shown::Shown;

/// A part of what `query` finds, of which there are `count`.
pub(crate) fn results(shown: &Shown, stale: bool, query: &str, part: Part, lines: &[Line], count: usize) -> String {
    let encoded: String = byte_serialize(query.as_bytes()).collect();
    let seen = visible(query);
    let title = if query.is_empty() { "All packages".to_owned() } else { format!("Search: {seen}") };
    let main = html! {
        h1 { @if query.is_empty() { "All packages" } @else { "Results for " q { (Text(query)) } } }
        (search_form(query))
        div role="status" { h2 .count { (counted(count, "package", "packages")) } }
        (list(lines.iter()))
        @if count == 0 {
            p { "Every word has to be in a package’s name, kind, publisher or description. Try fewer words, or " a href="/search" { "look through all" } "." }
        } @else if lines.is_empty() {
            p { "There is no such page. " a href=(format!("/search?q={encoded}")) { "Go to the first" } "." }
        }
        (part.links(count, &format!("/search?q={encoded}&page=")))
    };
    Page { shown, stale, title: &title, query, searches: true, main }.html()
}
