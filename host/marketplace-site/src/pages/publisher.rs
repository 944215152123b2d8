//! A publisher: whose keys count, and what they publish.

use maud::html;
use vak_types::Name;

use super::{PER_PAGE, Part, list};
use crate::head::{Page, counted};
use crate::shown::Shown;

/// Most keys that are listed.
const KEYS_MAX: usize = 32;

/// None if there is no such publisher.
pub(crate) fn publisher(shown: &Shown, stale: bool, name: &Name, number: usize) -> Option<String> {
    let publisher = shown.publishers.publishers.get(name);
    let owned = shown.owned.get(name).map(Vec::as_slice).unwrap_or_default();
    if publisher.is_none() && owned.is_empty() {
        return None;
    }
    let part = Part { number, len: PER_PAGE };
    let keys = publisher.map(|publisher| publisher.keys.as_slice()).unwrap_or_default();
    let main = html! {
        p .kicker { "Publisher" }
        h1 { (name) }
        section aria-labelledby="keys" {
            h2 #keys { "Keys" }
            @if keys.is_empty() {
                p .warn { "No key counts as theirs now: nothing new can be published under this name." }
            } @else {
                p { "A package of theirs counts only with a signature by one of these keys, and the marketplace’s beside it." }
                ul .keys {
                    @for key in keys.iter().take(KEYS_MAX) { li { code .long { (key.id()) } } }
                    @if keys.len() > KEYS_MAX { li { "and " (counted(keys.len() - KEYS_MAX, "more", "more")) } }
                }
            }
        }
        section aria-labelledby="packages" {
            h2 #packages { "Packages" }
            p .count { (counted(owned.len(), "package", "packages")) }
            (list(owned.iter().skip(part.skip()).take(part.len).filter_map(|place| shown.packages.get(*place))))
            (part.links(owned.len(), &format!("/publishers/{name}?page=")))
        }
    };
    Some(Page { shown, stale, title: name.as_str(), query: "", searches: false, main }.html())
}
