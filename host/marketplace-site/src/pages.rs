//! The pages.

mod advisories;
mod home;
mod missing;
mod package;
mod publisher;
mod results;
mod versions;

use maud::{Markup, html};
use vak_marketplace::{Line, Severity};
use vak_types::Name;

pub(crate) use advisories::{advisories, of_package};
pub(crate) use home::home;
pub(crate) use missing::{busy, missing};
pub(crate) use package::package;
pub(crate) use publisher::publisher;
pub(crate) use results::results;
pub(crate) use versions::versions;

use crate::cut::{Text, cut};

/// Longest query, in bytes.
pub(crate) const QUERY_BYTES_MAX: usize = 256;

/// Packages on a page of results.
pub(crate) const PER_PAGE: usize = 20;

/// Which part of a long list is shown, from 1 on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) number: usize,
    pub(crate) len: usize,
}

impl Part {
    pub(crate) fn skip(self) -> usize {
        (self.number - 1).saturating_mul(self.len)
    }

    /// How many parts a list of `count` has.
    pub(crate) fn of(self, count: usize) -> usize {
        count.div_ceil(self.len).max(1)
    }

    /// Links to the parts before and after. `address` ends where a number
    /// follows.
    fn links(self, count: usize, address: &str) -> Markup {
        let last = self.of(count);
        html! {
            @if last > 1 {
                nav .parts aria-label="Pages" {
                    @if self.number > 1 { a rel="prev" href=(format!("{address}{}", (self.number - 1).min(last))) { "← Previous" } }
                    span { "Page " (crate::head::number(self.number as u64)) " of " (crate::head::number(last as u64)) }
                    @if self.number < last { a rel="next" href=(format!("{address}{}", self.number + 1)) { "Next →" } }
                }
            }
        }
    }
}

/// Packages, a line each.
fn list<'a>(lines: impl Iterator<Item = &'a Line>) -> Markup {
    html! { ol .packages { @for line in lines { li { (item(line, None)) } } } }
}

fn item(line: &Line, since: Option<jiff::Timestamp>) -> Markup {
    html! {
        article {
            h3 {
                a href=(format!("/packages/{}", line.name)) { (line.name) }
                @match &line.version {
                    Some(version) => span .version { (version) },
                    None => span .tag .bad { "withdrawn" },
                }
                span .tag { (line.kind) }
            }
            p .told dir="auto" { (Text(&cut(&line.description, 320).told())) }
            p .by { "by " (publisher_link(&line.publisher)) @if let Some(since) = since { " · " (crate::head::time(since)) } }
        }
    }
}

/// The publisher's name, which is a link unless it reads as a path.
fn publisher_link(name: &Name) -> Markup {
    match name.as_str() {
        "." | ".." => html! { bdi { (name) } },
        text => html! { a href=(format!("/publishers/{text}")) { (text) } },
    }
}

fn severity(severity: Severity) -> Markup {
    let class = match severity {
        Severity::Low => "tag",
        Severity::Medium => "tag wary",
        Severity::High | Severity::Critical => "tag bad",
    };
    html! { span class=(class) { (severity) } }
}
