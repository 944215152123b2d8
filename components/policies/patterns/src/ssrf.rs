//! URLs that reach what only the host's own network should reach.

mod host;

use url::{Host, Url};

use crate::arguments::{Part, Text};
use crate::guard::{Call, Guard, Hit, Kind, Pattern, Reaction};

/// What is fixed about this guard.
pub(crate) static KIND: Kind = Kind { name: "ssrf", default: Reaction::Forbid, redactable: false, patterns: PATTERNS };

const PATTERNS: &[Pattern] = &[
    Pattern { id: "ssrf/loopback", finds: "a URL to the own machine" },
    Pattern { id: "ssrf/private", finds: "a URL into a private network" },
    Pattern { id: "ssrf/link-local", finds: "a URL to a link-local address" },
    Pattern { id: "ssrf/metadata", finds: "a URL to a cloud's metadata service" },
    Pattern { id: "ssrf/reserved", finds: "a URL to an address that is not public" },
    Pattern { id: "ssrf/local-name", finds: "a URL to a name without a public meaning" },
    Pattern { id: "ssrf/scheme", finds: "a URL with a scheme that is not of the web" },
    Pattern { id: "ssrf/unparsable", finds: "a URL that cannot be examined" },
];

/// A URL in use is shorter; parsing takes some hundred instructions a byte.
const URL_BYTES_MAX: usize = 4_096;

/// More than anybody passes in one call, and each takes fuel.
const URLS_MAX: usize = 256;

/// The guard.
pub(crate) struct Ssrf {
    allow_hosts: Vec<Host<String>>,
}

/// Hosts that are never a finding.
pub(crate) fn hosts(names: &[String]) -> Result<Vec<Host<String>>, String> {
    let host =
        |name: &String| Host::parse(name).map_err(|_| format!("`{name}` is no host; write a name or an address"));
    names.iter().map(host).collect()
}

impl Ssrf {
    pub(crate) fn new(allow_hosts: Vec<Host<String>>) -> Self {
        Self { allow_hosts }
    }

    /// The id for one URL, if it is a finding.
    fn judge(&self, candidate: &str) -> Option<&'static str> {
        if candidate.len() > URL_BYTES_MAX {
            return Some("ssrf/unparsable");
        }
        let url = match Url::parse(candidate) {
            Ok(url) => url,
            // A scheme and nothing behind it is a mention: `http://`.
            Err(_) if candidate.ends_with("//") => return None,
            // Something a laxer parser may still open.
            Err(_) => return Some("ssrf/unparsable"),
        };
        if host::is_dangerous_scheme(url.scheme()) {
            return Some("ssrf/scheme");
        }
        // Of a scheme that it does not know, the URL standard leaves the host as
        // it is written: `redis://2130706433`.
        let host = Host::parse(url.host_str()?).ok()?;
        match self.allow_hosts.contains(&host) {
            true => None,
            // The name in `s3://bucket` is none of a machine.
            false => host::judge(&host).filter(|id| *id != "ssrf/local-name" || is_web(url.scheme())),
        }
    }
}

impl Guard for Ssrf {
    fn look(&self, call: &Call<'_>, hits: &mut Vec<Hit>) {
        let mut count = 0;
        for (at, text) in call.arguments.texts.iter().enumerate() {
            if text.part == Part::Number {
                continue;
            }
            for span in candidates(text) {
                count += 1;
                if count > URLS_MAX {
                    let hit = Hit::part("ssrf/unparsable", at, text, span).unexamined();
                    hits.push(hit.detail(format!("more than {URLS_MAX} URLs")));
                    return;
                }
                if let Some(id) = self.judge(&text.text[span.clone()]) {
                    let hit = Hit::part(id, at, text, span);
                    hits.push(if id == "ssrf/unparsable" { hit.unexamined() } else { hit });
                }
            }
            // `{"host": "169.254.169.254"}` and `{"url": "localhost:8080"}`.
            if text.part == Part::Value
                && is_host_name(&text.name)
                && !text.text.contains("://")
                && let Some(id) = self.judge(&format!("http://{}", text.text.trim().trim_start_matches('/')))
                && id != "ssrf/unparsable"
            {
                hits.push(Hit::part(id, at, text, 0..text.text.len()));
            }
        }
    }
}

fn is_host_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["url", "uri", "host", "hostname", "endpoint", "webhook", "address", "server", "base_url", "target"]
        .iter()
        .any(|word| name == *word || name.ends_with(&format!("_{word}")))
}

/// Where `text` has something with a scheme.
fn candidates(text: &Text) -> Vec<std::ops::Range<usize>> {
    let mut found = Vec::new();
    let mut done = 0;
    for (colon, _) in text.text.match_indices(':') {
        if colon < done {
            continue;
        }
        let before = &text.text[done..colon];
        let is_scheme = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
        let length = before.bytes().rev().take(32).take_while(|byte| is_scheme(*byte)).count();
        let scheme = before[before.len() - length..].trim_start_matches(|first: char| !first.is_ascii_alphabetic());
        let after = &text.text[colon + 1..];
        // Browsers and some clients take one slash, or a backslash, for two.
        let slashed = after.starts_with(['/', '\\']) && (after[1..].starts_with(['/', '\\']) || is_web(scheme));
        // And no slash at all: `http:127.0.0.1`.
        let slashed =
            slashed || is_web(scheme) && after.starts_with(|first: char| first.is_ascii_digit() || first == '[');
        if scheme.is_empty()
            || !(slashed || host::is_dangerous_scheme(scheme) && !after.starts_with(char::is_whitespace))
        {
            continue;
        }
        let ends = |character: char| {
            character.is_whitespace() || matches!(character, '"' | '\'' | '<' | '>' | '`' | '|' | ')' | '}')
        };
        let end = after.find(ends).map_or(text.text.len(), |end| colon + 1 + end);
        // The end of a sentence, but not the dot of a host: that is parsed away.
        let end = colon + 1 + text.text[colon + 1..end].trim_end_matches([',', ';', '!']).len();
        if end > colon + 1 {
            found.push(colon - scheme.len()..end);
            done = end;
        }
    }
    found
}

fn is_web(scheme: &str) -> bool {
    ["http", "https", "ws", "wss", "ftp"].iter().any(|web| web.eq_ignore_ascii_case(scheme))
}
