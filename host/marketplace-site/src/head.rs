//! What all pages have around them.

use jiff::Timestamp;
use maud::{DOCTYPE, Markup, html};
use vak_types::Digest;

use crate::cut::Text;
use crate::shown::Shown;

/// The one style sheet.
pub(crate) const STYLE: &str = include_str!("style.css");

/// What it adds to the weight of a page, in bytes.
pub const STYLE_BYTES: usize = STYLE.len();

/// Where it is: another one has another address, so it is fetched once.
pub(crate) fn style_path() -> &'static str {
    static PATH: std::sync::LazyLock<String> =
        std::sync::LazyLock::new(|| format!("/style-{}.css", &Digest::of(STYLE.as_bytes()).to_hex()[..16]));
    &PATH
}

/// A page: its title and what is in it.
pub(crate) struct Page<'a> {
    pub(crate) shown: &'a Shown,
    /// Whether the folder has something that does not verify.
    pub(crate) stale: bool,
    pub(crate) title: &'a str,
    /// What was searched for.
    pub(crate) query: &'a str,
    /// Whether the search is the page's own, and not above all else.
    pub(crate) searches: bool,
    pub(crate) main: Markup,
}

impl Page<'_> {
    /// The whole document.
    pub(crate) fn html(self) -> String {
        let Self { shown, stale, title, query, searches, main } = self;
        let name = &shown.index.header().name;
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (title) " · " (name) }
                    link rel="stylesheet" href=(style_path());
                }
                body {
                    a .skip href="#main" { "Skip to content" }
                    header .top {
                        div .wide {
                            a .mark href="/" { span .seal aria-hidden="true" {} (name) }
                            @if !searches { (search_form(query)) }
                            nav aria-label="Site" {
                                a href="/search" { "Browse" }
                                a href="/advisories" { "Advisories" }
                            }
                        }
                    }
                    main #main .wide { (main) }
                    footer .bottom { div .wide { (about(shown, stale)) } }
                }
            }
        };
        page.into_string()
    }
}

/// Where one asks for packages.
pub(crate) fn search_form(query: &str) -> Markup {
    html! {
        form .search role="search" action="/search" method="get" {
            label for="q" { "Search packages" }
            input #q type="search" name="q" value=(crate::cut::visible(query)) maxlength=(crate::pages::QUERY_BYTES_MAX)
                placeholder="Name, publisher or what it does" autocomplete="off" spellcheck="false";
            button type="submit" { "Search" }
        }
    }
}

/// Why nobody has to believe this page.
fn about(shown: &Shown, stale: bool) -> Markup {
    let header = shown.index.header();
    let expires = shown.index.expires();
    html! {
        @if stale {
            p .warn { strong { "There is a newer index that does not verify." } " What you see is the last one that did." }
        }
        @if expires < Timestamp::now() {
            p .warn {
                strong { "This index has expired." } " It was to be renewed by " (time(expires))
                "; something may have been withdrawn since that is not told here."
            }
        }
        p {
            "You need not trust this page: it shows a signed index, valid until " (time(expires)) ", that "
            code { "vak" } " verifies by itself when you install. "
            a href="/index/metadata/root.json" { "Root of trust" } ", "
            a href="/index/metadata/timestamp.json" { "timestamp" } "."
        }
        p { "Packages are signed with this marketplace’s key " code .long { (header.key.id()) } @if let Some(place) = shown.registry() { " and kept at " code .long { (Text(place)) } } "." }
    }
}

/// A day, and the exact time for whoever asks for it.
pub(crate) fn time(at: Timestamp) -> Markup {
    let second = at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    html! { time datetime=(second) title=(second) { (at.strftime("%-d %B %Y")) } }
}

/// How many bytes, to be read.
pub(crate) fn size(bytes: u64) -> String {
    let mut value = bytes as f64;
    for unit in ["B", "KB", "MB"] {
        match (unit, value) {
            ("B", value) if value < 1_000.0 => return format!("{bytes} B"),
            (_, value) if value < 999.5 => return format!("{value:.1} {unit}"),
            _ => value /= 1_000.0,
        }
    }
    format!("{value:.1} GB")
}

/// A number, with its digits in groups.
pub(crate) fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `count` of something.
pub(crate) fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{} {}", number(count as u64), if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_can_be_read() {
        for (bytes, text) in
            [(0, "0 B"), (999, "999 B"), (1_000, "1.0 KB"), (999_600, "1.0 MB"), (12_345_678, "12.3 MB")]
        {
            assert_eq!(size(bytes), text);
        }
        for (value, text) in [(7, "7"), (1_000, "1,000"), (123_456, "123,456"), (1_234_567, "1,234,567")] {
            assert_eq!(number(value), text);
        }
    }
}
