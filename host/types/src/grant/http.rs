//! Rights to send HTTP requests.

use std::collections::BTreeSet;
use std::fmt;
// Addresses, which `core` has without sockets.
use core::net::Ipv6Addr;

use serde::{Deserialize, Serialize};

use super::names::GrantTextError;

/// The longest host name that DNS has.
const HOST_BYTES_MAX: usize = 253;

/// A request method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// `GET`
    Get,
    /// `HEAD`
    Head,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
    /// `OPTIONS`
    Options,
}

impl Method {
    /// How it is written in a request.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
        }
    }
}

/// Names of hosts: one (`api.example.org`, `192.0.2.1`, `[2001:db8::1]`), all
/// below a domain (`*.example.org`), or all (`*`). Lower case, without a dot at
/// the end, other scripts in their `xn--` form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HostPattern(String);

/// What may be sent to a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpAccess {
    /// With which methods; `GET` if it is left out.
    pub methods: BTreeSet<Method>,
    /// To which ports; 443 if it is left out.
    pub ports: BTreeSet<u16>,
    /// Also without TLS.
    #[serde(skip_serializing_if = "super::is_false")]
    pub plain: bool,
}

/// What an operator lets be sent to a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpGrant {
    /// With which methods; `GET` if it is left out.
    pub methods: BTreeSet<Method>,
    /// To which ports; 443 if it is left out.
    pub ports: BTreeSet<u16>,
    /// Also without TLS.
    pub plain: bool,
    /// Also where the name leads to an address that is not on the public
    /// internet: this machine, its network, a cloud's metadata.
    pub private: bool,
}

/// Requests that may be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRule {
    /// To which hosts.
    pub host: HostPattern,
    /// How.
    pub access: HttpAccess,
    /// Also to addresses that are not on the public internet.
    pub private: bool,
}

impl Default for HttpAccess {
    fn default() -> Self {
        Self { methods: BTreeSet::from([Method::Get]), ports: BTreeSet::from([443]), plain: false }
    }
}

impl Default for HttpGrant {
    fn default() -> Self {
        let HttpAccess { methods, ports, plain } = HttpAccess::default();
        Self { methods, ports, plain, private: false }
    }
}

impl HttpAccess {
    /// Whether everything that `other` allows is allowed here too.
    pub(super) fn covers(&self, other: &Self) -> bool {
        self.methods.is_superset(&other.methods) && self.ports.is_superset(&other.ports) && self.plain >= other.plain
    }
}

impl HttpGrant {
    /// What is both granted here, for `granted`, and asked for `wanted`.
    pub(super) fn to(&self, granted: &HostPattern, wanted: &HostPattern, access: &HttpAccess) -> Option<HttpRule> {
        let host = granted.narrower(wanted)?.clone();
        let access = HttpAccess {
            methods: self.methods.intersection(&access.methods).copied().collect(),
            ports: self.ports.intersection(&access.ports).copied().collect(),
            plain: self.plain && access.plain,
        };
        let nothing = access.methods.is_empty() || access.ports.is_empty();
        (!nothing).then_some(HttpRule { host, access, private: self.private })
    }
}

impl HttpRule {
    /// Whether a request may be sent. `host` as in a URL, in lower case.
    pub fn allows(&self, host: &str, port: u16, method: &str, tls: bool) -> bool {
        self.host.matches(host)
            && self.access.ports.contains(&port)
            && self.access.methods.iter().any(|allowed| allowed.as_str() == method)
            && (tls || self.access.plain)
    }
}

impl HostPattern {
    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it names `host`, which is in lower case.
    pub fn matches(&self, host: &str) -> bool {
        match self.0.strip_prefix('*') {
            Some("") => !host.is_empty(),
            // The dot is in it, and something has to be before it.
            Some(domain) => host.len() > domain.len() && host.ends_with(domain),
            None => host == self.0,
        }
    }

    /// Whether it names all that `other` names.
    pub(super) fn covers(&self, other: &Self) -> bool {
        match (self.0.strip_prefix('*'), other.0.strip_prefix('*')) {
            (Some(""), _) => true,
            (Some(domain), Some(of_other)) => of_other.ends_with(domain),
            (_, None) => self.matches(&other.0),
            (None, Some(_)) => false,
        }
    }

    fn narrower<'a>(&'a self, other: &'a Self) -> Option<&'a Self> {
        match (self.covers(other), other.covers(self)) {
            (true, _) => Some(other),
            (false, true) => Some(self),
            (false, false) => None,
        }
    }
}

impl TryFrom<String> for HostPattern {
    type Error = GrantTextError;

    fn try_from(text: String) -> Result<Self, GrantTextError> {
        let valid = match text.strip_prefix("*.") {
            Some(domain) => is_name(domain),
            None => text == "*" || is_name(&text) || is_ipv6(&text),
        };
        match valid && text.len() <= HOST_BYTES_MAX {
            true => Ok(Self(text)),
            false => Err(GrantTextError::new(&text, "a host such as `api.example.org`, `*.example.org` or `*`")),
        }
    }
}

fn is_name(text: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
    text.split('.').all(|label| !label.is_empty() && label.bytes().all(letter))
}

/// In its one canonical spelling, which is how it is compared.
fn is_ipv6(text: &str) -> bool {
    let address = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    address.is_some_and(|address| address.parse::<Ipv6Addr>().is_ok_and(|parsed| parsed.to_string() == address))
}

impl From<HostPattern> for String {
    fn from(pattern: HostPattern) -> String {
        pattern.0
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> HostPattern {
        text.to_owned().try_into().unwrap()
    }

    #[test]
    fn a_domain_has_an_edge() {
        let cases = [
            ("api.example.org", "api.example.org", true),
            ("api.example.org", "api.example.org.", false),
            ("api.example.org", "example.org", false),
            ("*.example.org", "api.example.org", true),
            ("*.example.org", "a.b.example.org", true),
            ("*.example.org", "example.org", false),
            ("*.example.org", ".example.org", false),
            ("*.example.org", "evilexample.org", false),
            ("*.example.org", "example.org.evil.com", false),
            ("*", "anything", true),
            ("*", "", false),
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "2130706433", false),
        ];
        for (text, host, matches) in cases {
            assert_eq!(pattern(text).matches(host), matches, "{text} {host}");
        }
    }

    #[test]
    fn patterns_have_one_spelling() {
        let bad = ["", "A.org", "a..b", "a.org.", ".a.org", "*a.org", "a.*.org", "*.", "a:80", "а.org", "[::0]", "[]"];
        for text in bad {
            assert!(HostPattern::try_from(text.to_owned()).is_err(), "{text}");
        }
        for text in ["localhost", "[::1]", "*.a.org", "xn--bcher-kva.example", "_dmarc.a.org"] {
            pattern(text);
        }
        assert!(HostPattern::try_from("a".repeat(HOST_BYTES_MAX + 1)).is_err());
    }

    #[test]
    fn the_narrower_of_two_hosts_counts() {
        let cases = [
            ("*", "a.org", Some("a.org")),
            ("*.b.org", "*", Some("*.b.org")),
            ("*.b.org", "*.a.b.org", Some("*.a.b.org")),
            ("*.b.org", "b.org", None),
            ("*.b.org", "*.org", Some("*.b.org")),
            ("*.b.org", "*.c.org", None),
            ("a.org", "b.org", None),
        ];
        for (one, other, narrower) in cases {
            let (one, other) = (pattern(one), pattern(other));
            for (one, other) in [(&one, &other), (&other, &one)] {
                assert_eq!(one.narrower(other).map(HostPattern::as_str), narrower, "{one} {other}");
            }
        }
    }

    #[test]
    fn methods_ports_and_plain_text_are_cut_to_both() {
        let grant: HttpGrant =
            serde_json::from_str(r#"{"methods": ["GET", "POST"], "ports": [443, 8443], "plain": true}"#).unwrap();
        let asked: HttpAccess = serde_json::from_str(r#"{"methods": ["POST", "PUT"], "ports": [443, 80]}"#).unwrap();
        let rule = grant.to(&pattern("*"), &pattern("a.org"), &asked).unwrap();
        assert!(rule.allows("a.org", 443, "POST", true));
        for (host, port, method, tls) in [
            ("b.org", 443, "POST", true),
            ("a.org", 8443, "POST", true),
            ("a.org", 80, "POST", true),
            ("a.org", 443, "GET", true),
            ("a.org", 443, "PUT", true),
            ("a.org", 443, "post", true),
            ("a.org", 443, "POST", false),
        ] {
            assert!(!rule.allows(host, port, method, tls), "{host} {port} {method} {tls}");
        }
        assert!(HttpGrant::default().to(&pattern("*"), &pattern("a.org"), &asked).is_none());
    }
}
