//! Pages for when there is none.

use maud::html;

use crate::cut::Text;
use crate::head::Page;
use crate::shown::Shown;

/// That there is nothing, in words such as "no package `x`".
pub(crate) fn missing(shown: &Shown, stale: bool, what: &str) -> String {
    let main = html! {
        h1 { "Not found" }
        p .lede { "There is " (Text(what)) " here." }
        p { "Names are told apart by case. Search above, or " a href="/search" { "look through all packages" } "." }
    };
    Page { shown, stale, title: "Not found", query: "", searches: false, main }.html()
}

/// That it can't be answered now.
pub(crate) fn busy(shown: &Shown, stale: bool) -> String {
    let main = html! {
        h1 { "Busy" }
        p .lede { "Too many ask at the moment, or the index is being replaced. Try again in some seconds." }
    };
    Page { shown, stale, title: "Busy", query: "", searches: false, main }.html()
}
