//! Where a request goes, read strictly.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::uri::{Authority, Scheme};
use vak_types::HttpRule;
use wasmtime_wasi_http::WasiBody;

use super::Refusal;

/// Where a request goes that a rule allows.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Destination {
    /// In lower case; an IPv6 address in brackets, in its canonical spelling.
    pub(super) host: String,
    /// If the host is an address.
    pub(super) address: Option<IpAddr>,
    pub(super) port: u16,
    pub(super) tls: bool,
    /// Also where it is not on the public internet.
    pub(super) private: bool,
}

impl Destination {
    /// Reads it from the request and looks for a rule.
    pub(super) fn of(request: &http::Request<WasiBody>, rules: &[HttpRule]) -> Result<Self, Refusal> {
        let tls = request.uri().scheme() != Some(&Scheme::HTTP);
        let authority = request.uri().authority().ok_or(Refusal::Spelling)?;
        let (host, address, port) = read(authority).ok_or(Refusal::Spelling)?;
        let port = port.unwrap_or(if tls { 443 } else { 80 });
        let method = request.method().as_str();
        let mut allowing = rules.iter().filter(|rule| rule.allows(&host, port, method, tls)).peekable();
        if allowing.peek().is_none() {
            return Err(Refusal::NotGranted { method: method.to_owned(), host, port, tls });
        }
        let private = allowing.any(|rule| rule.private);
        Ok(Self { host, address, port, tls, private })
    }

    /// The `Host` header.
    pub(super) fn header(&self) -> String {
        match (self.tls, self.port) {
            (true, 443) | (false, 80) => self.host.clone(),
            (_, port) => format!("{}:{port}", self.host),
        }
    }
}

/// Host and port, if there is one way to read them. Whatever one resolver or
/// library takes for an address and another for a name is not read: such
/// differences are how filters are passed by.
fn read(authority: &Authority) -> Option<(String, Option<IpAddr>, Option<u16>)> {
    let host = authority.host().to_ascii_lowercase();
    let port = authority.port_u16();
    // Nothing beside the two: no user, no empty port, no leading zeros.
    let whole = port.map_or_else(|| host.clone(), |port| format!("{host}:{port}"));
    if authority.as_str().to_ascii_lowercase() != whole {
        return None;
    }
    if let Some(inside) = host.strip_prefix('[') {
        let address: Ipv6Addr = inside.strip_suffix(']')?.parse().ok()?;
        return Some((format!("[{address}]"), Some(address.into()), port));
    }
    if let Ok(address) = host.parse::<Ipv4Addr>() {
        return Some((host, Some(address.into()), port));
    }
    (is_name(&host) && !is_number(host.rsplit('.').next()?)).then_some((host, None, port))
}

/// Letters, digits, `-` and `_` between single dots, none at the end.
fn is_name(host: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    host.len() <= 253 && host.split('.').all(|label| matches!(label.len(), 1..=63) && label.bytes().all(letter))
}

/// A host whose last part is a number is an IPv4 address to most resolvers: in
/// octal, in hexadecimal, with parts left out (WHATWG URL, “ends in a number”).
fn is_number(label: &str) -> bool {
    let digits = label.bytes().all(|byte| byte.is_ascii_digit());
    digits || label.strip_prefix("0x").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt as _, Empty};
    use vak_types::{Granted, Requested};

    use super::*;

    fn rules() -> Vec<HttpRule> {
        let requested: Requested =
            serde_json::from_str(r#"{"http": {"*": {"plain": true, "ports": [80, 443, 8080]}}}"#).unwrap();
        let granted: Granted = serde_json::from_str(
            r#"{"http": {"*": {"plain": true, "ports": [80, 443]},
                         "[::1]": {"ports": [443], "private": true},
                         "a.org": {"ports": [8080], "plain": true, "methods": ["GET"]}}}"#,
        )
        .unwrap();
        granted.to(&requested).http().to_vec()
    }

    fn destination(method: &str, uri: &str) -> Result<Destination, Refusal> {
        let body = Empty::new().map_err(|error| match error {}).boxed_unsync();
        let request = http::Request::builder().method(method).uri(uri).body(body).unwrap();
        Destination::of(&request, &rules())
    }

    #[test]
    fn there_is_one_way_to_write_a_host() {
        let good = [
            ("https://a.org/x", "a.org", 443, "a.org"),
            ("https://A.ORG:443/", "a.org", 443, "a.org"),
            ("http://a.org:8080/", "a.org", 8080, "a.org:8080"),
            ("http://127.0.0.1/", "127.0.0.1", 80, "127.0.0.1"),
            ("https://[0:0::1]/", "[::1]", 443, "[::1]"),
            ("https://x-_1.example/", "x-_1.example", 443, "x-_1.example"),
        ];
        for (uri, host, port, header) in good {
            let found = destination("GET", uri).unwrap();
            assert_eq!((found.host.as_str(), found.port, found.header().as_str()), (host, port, header), "{uri}");
            assert_eq!(found.private, host == "[::1]", "{uri}");
        }
        let bad = [
            "https://a.org./",
            "https://user@a.org/",
            "https://user:pw@a.org/",
            "https://a.org:/",
            "https://a.org:0443/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://0x7f000001/",
            "https://017700000001/",
            "https://127.1/",
            "https://127.0.0.01/",
            "https://0177.0.0.1/",
            "https://1.2.3.4.5/",
            "https://a.org.0x7f/",
            "https://a..org/",
            "https://.a.org/",
            "https://[::1%25lo]/",
            "https://[127.0.0.1]/",
            "https://a%2eorg/",
        ];
        for uri in bad {
            // Some of them the parser of URIs refuses already.
            if uri.parse::<http::Uri>().is_ok() {
                assert!(matches!(destination("GET", uri), Err(Refusal::Spelling)), "{uri}");
            }
        }
    }

    #[test]
    fn without_a_rule_there_is_no_destination() {
        for (method, uri) in [("POST", "https://a.org/"), ("GET", "https://b.org:8080/"), ("CONNECT", "https://a.org/")]
        {
            assert!(matches!(destination(method, uri), Err(Refusal::NotGranted { .. })), "{method} {uri}");
        }
    }
}
