//! What it may do, who vouches for it, how it is installed, and what is known.

use maud::{Markup, html};
use url::Url;
use vak_types::{KeyId, LimitSettings, Right};

use super::super::publisher_link;
use super::Package;
use crate::cut::{Text, cut};
use crate::head::{counted, number, size, time};

/// Bytes of HTML for rights. A package that asks for more than fits says so where
/// nobody overlooks it.
const RIGHTS_BYTES_MAX: usize = 12_000;

/// Signers that are listed.
const SIGNERS_MAX: usize = 16;

impl Package<'_> {
    /// What it may do, if whoever installs it agrees.
    pub(super) fn may(&self) -> Markup {
        let rights = self.manifest.grants.rights();
        let (told, left) = told(&rights);
        html! {
            section .card .may .asks[!rights.is_empty()] aria-labelledby="may" {
                h2 #may { "What it may do" }
                @if rights.is_empty() {
                    p .nothing { strong { "Nothing but answer." } }
                    p { "It asks for no rights. It sees what a call gives it, and reaches no file, no network, no secret, no memory and no clock." }
                } @else {
                    p { "If you grant what it asks for, it may" }
                    ul .rights { @for right in told { li { (right) } } }
                    @if left > 0 {
                        p .warn { strong { "It asks for " (counted(left, "more right", "more rights")) " than fit here." } " Read " a href=(self.manifest_path()) { "its manifest" } " before you grant anything." }
                    }
                    p .by { "You choose which of these it gets. Whatever else it tries is not there for it." }
                }
            }
        }
    }

    /// Whose signatures the marketplace has verified.
    pub(super) fn vouched(&self) -> Markup {
        let (entry, release) = (self.entry, self.release);
        html! {
            section .card .vouched aria-labelledby="vouched" {
                h2 #vouched { "Who vouches for it" }
                ul .signers {
                    @for key in release.signers.iter().take(SIGNERS_MAX) { li { (self.signer(*key)) } }
                    @if release.signers.is_empty() { li .warn { "Nobody: the index names no signature." } }
                    @if release.signers.len() > SIGNERS_MAX { li { "and " (counted(release.signers.len() - SIGNERS_MAX, "more", "more")) } }
                }
                p .by {
                    "Published by " (publisher_link(&entry.publisher)) " on " (time(release.published))
                    ". The signatures are over the component and what it asks for; " code { "vak" } " verifies them again."
                }
            }
        }
    }

    fn signer(&self, key: KeyId) -> Markup {
        let shown = self.shown;
        let has = |keys: &[vak_trust::PublicKey]| keys.iter().any(|public| public.id() == key);
        let owner = shown.publishers.publishers.iter().find(|(_, publisher)| has(&publisher.keys));
        html! {
            strong {
                @match owner {
                    _ if shown.index.header().key.id() == key => { (shown.index.header().name) " " span .tag .good { "this marketplace" } },
                    Some((name, _)) if *name == self.entry.publisher => { (publisher_link(name)) " " span .tag { "publisher" } },
                    Some((name, _)) => { (publisher_link(name)) " " span .tag { "somebody else" } },
                    None => "A key that nobody has now",
                }
            }
            @if shown.withdrawn.keys.contains_key(&key) { " " span .tag .bad { "in the wrong hands" } }
            code .long .small { (key) }
        }
    }

    pub(super) fn install(&self) -> Markup {
        let (entry, release) = (self.entry, self.release);
        let is_current = entry.current().is_some_and(|current| current.version == release.version);
        let (name, version) = (&entry.name, &release.version);
        html! {
            section .install aria-labelledby="install" {
                h2 #install { "Install" }
                @match &release.withdrawn {
                    Some(withdrawn) => p { "It can’t be installed, since it is " (withdrawn.kind) "." },
                    None => pre tabindex="0" { code { "vak add " (name) @if !is_current { "@=" (version) } } },
                }
            }
        }
    }

    pub(super) fn facts(&self) -> Markup {
        let (manifest, release) = (self.manifest, self.release);
        let registry = self.shown.registry();
        html! {
            section aria-labelledby="facts" {
                h2 #facts { "Facts" }
                dl .facts {
                    dt { "Licence" } dd { (Text(&cut(&manifest.license, 600).told())) }
                    dt { "Sources" } dd { (source(manifest.source.as_deref())) }
                    dt { "Interface" } dd { code .long { (Text(&manifest.interface)) } }
                    dt { "Component" } dd { (size(release.component.size)) ", " code .long { (release.component.digest) } }
                    dt { "Manifest" } dd { a href=(self.manifest_path()) { (size(release.manifest.len() as u64)) } ", " code .long { (release.manifest_blob().digest) } }
                    dt { "Image" } dd { code .long { @if let Some(place) = registry { (Text(&cut(place, 500).told())) "/" } (self.entry.name) "@" (release.image.digest) } }
                }
            }
        }
    }

    pub(super) fn limits(&self) -> Markup {
        let LimitSettings {
            memory_bytes_max,
            table_elements_max,
            fuel_max,
            wall_ms_max,
            output_bytes_max,
            host_calls_max,
        } = self.manifest.limits;
        let bytes = |limit: Option<u64>| limit.map(size);
        let count = |limit: Option<u64>, unit: &str| limit.map(|limit| format!("{}{unit}", number(limit)));
        let rows = [
            ("Memory", bytes(memory_bytes_max)),
            ("Time", count(wall_ms_max, " ms")),
            ("Instructions", count(fuel_max, "")),
            ("Output", bytes(output_bytes_max)),
            ("Calls to the host", count(host_calls_max, "")),
            ("Table elements", count(table_elements_max, "")),
        ];
        html! {
            section aria-labelledby="limits" {
                h2 #limits { "Limits of a call" }
                @if rows.iter().all(|(_, limit)| limit.is_none()) {
                    p { "It asks for no others than its kind has." }
                } @else {
                    p { "It asks for these; all others are those of its kind." }
                    dl .facts { @for (what, limit) in rows { @if let Some(limit) = limit { dt { (what) } dd { (limit) } } } }
                }
            }
        }
    }
}

/// As many rights as there is room for, and how many more there are.
fn told(rights: &[Right]) -> (Vec<Markup>, usize) {
    let (mut told, mut bytes) = (Vec::new(), 0);
    for right in rights {
        let sentence = sentence(&right.to_string());
        bytes += sentence.0.len() + "<li></li>".len();
        if bytes > RIGHTS_BYTES_MAX {
            break;
        }
        told.push(sentence);
    }
    let left = rights.len() - told.len();
    (told, left)
}

/// A right in words, with what is quoted in it set apart. A quote within a quote
/// could end it early, so then it stays as it is written.
fn sentence(right: &str) -> Markup {
    match right.split('`').collect::<Vec<_>>()[..] {
        [before, quoted, after] => html! { (before) code { (Text(quoted)) } (after) },
        _ => html! { (Text(right)) },
    }
}

/// A link if it is one that leads to a page, and otherwise a text.
fn source(source: Option<&str>) -> Markup {
    let Some(text) = source else { return html! { "not told" } };
    let url = Url::parse(text).ok().filter(|url| {
        ["http", "https"].contains(&url.scheme())
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
    });
    html! {
        @match url {
            // As a browser would write it: other letters than ASCII's in a host are
            // spelled out.
            Some(url) => a .long rel="nofollow noopener noreferrer external" href=(url) { (Text(&cut(url.as_str(), 1_500).told())) },
            None => span .long { (Text(&cut(text, 1_500).told())) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_are_links() {
        for text in [
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            " javascript:alert(1)",
            "java\tscript:alert(1)",
            "data:text/html,x",
            "//example.org",
            "example.org/a",
            "https://ada:secret@example.org/",
            "ftp://example.org/",
            "https:",
            "",
        ] {
            let html = source(Some(text)).into_string();
            assert!(!html.contains("<a"), "{html}");
        }
        let html = source(Some("https://exаmple.org/\"><script>")).into_string();
        assert!(html.contains("href=\"https://xn--exmple-4nf.org/%22%3E%3Cscript%3E\""), "{html}");
    }

    #[test]
    fn a_quote_within_a_quote_does_not_end_it() {
        assert_eq!(sentence("read files in `/a`").0, "read files in <code><bdi>/a</bdi></code>");
        assert_eq!(sentence("read files in `/a` only, `").0, "<bdi>read files in `/a` only, `</bdi>");
    }
}
