//! Hosts that are not public.

use std::net::{Ipv4Addr, Ipv6Addr};

use url::Host;

/// Addresses of metadata services: the common one, ECS, Alibaba, Oracle.
const METADATA_V4: [Ipv4Addr; 4] = [
    Ipv4Addr::new(169, 254, 169, 254),
    Ipv4Addr::new(169, 254, 170, 2),
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(192, 0, 0, 192),
];

/// EC2's, ECS's and Google's over IPv6.
const METADATA_V6: [Ipv6Addr; 3] = [
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23),
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
];

const METADATA_NAMES: [&str; 5] =
    ["metadata.google.internal", "metadata", "metadata.azure.internal", "instance-data", "instance-data.ec2.internal"];

/// Names that resolve to an address in them; services that do it for anybody.
const ECHO_DOMAINS: [&str; 6] = ["nip.io", "sslip.io", "xip.io", "localtest.me", "lvh.me", "vcap.me"];

/// RFC 6761, RFC 6762, RFC 8375, and what private networks use.
const LOCAL_DOMAINS: [&str; 9] =
    ["localhost", "localdomain", "local", "internal", "intranet", "lan", "home", "corp", "home.arpa"];

/// Schemes that reach files or let any bytes be sent to any port.
pub(crate) fn is_dangerous_scheme(scheme: &str) -> bool {
    const SCHEMES: [&str; 16] = [
        "file",
        "gopher",
        "dict",
        "ldap",
        "ldaps",
        "tftp",
        "sftp",
        "jar",
        "netdoc",
        "phar",
        "php",
        "expect",
        "smb",
        "telnet",
        "view-source",
        "unix",
    ];
    SCHEMES.iter().any(|dangerous| dangerous.eq_ignore_ascii_case(scheme))
}

/// The id for a host, as the URL standard reads it: decimal, octal and hex
/// addresses and full-width digits are addresses by now.
pub(crate) fn judge(host: &Host<String>) -> Option<&'static str> {
    match host {
        Host::Ipv4(address) => v4(*address),
        Host::Ipv6(address) => v6(*address),
        Host::Domain(name) => domain(name),
    }
}

fn v4(address: Ipv4Addr) -> Option<&'static str> {
    let [first, second, third, _] = address.octets();
    match (first, second, third) {
        _ if METADATA_V4.contains(&address) => Some("ssrf/metadata"),
        // `0.0.0.0` reaches the own machine on most systems.
        (0 | 127, ..) => Some("ssrf/loopback"),
        (10, ..) | (172, 16..=31, _) | (192, 168, _) => Some("ssrf/private"),
        (169, 254, _) => Some("ssrf/link-local"),
        // RFC 6890: carriers, protocols, documentation, benchmarks, multicast.
        (100, 64..=127, _) | (192, 0, 0 | 2) | (198, 18..=19, _) | (198, 51, 100) | (203, 0, 113) | (224..=255, ..) => {
            Some("ssrf/reserved")
        }
        _ => None,
    }
}

fn v6(address: Ipv6Addr) -> Option<&'static str> {
    let segments = address.segments();
    if METADATA_V6.contains(&address) {
        return Some("ssrf/metadata");
    }
    if let Some(inner) = embedded(segments) {
        // `::` and `::1` are read as `0.0.0.0` and `0.0.0.1`: loopback.
        return v4(inner);
    }
    match segments[0] {
        0xfc00..=0xfdff => Some("ssrf/private"),
        0xfe80..=0xfebf => Some("ssrf/link-local"),
        0xfec0..=0xfeff => Some("ssrf/private"),
        0xff00..=0xffff | 0x0100 => Some("ssrf/reserved"),
        0x2001 if segments[1] == 0xdb8 => Some("ssrf/reserved"),
        _ => None,
    }
}

/// The IPv4 address in an IPv6 one: mapped, compatible, translated (NAT64,
/// also its local prefix) or 6to4.
fn embedded(segments: [u16; 8]) -> Option<Ipv4Addr> {
    let from = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    match segments {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0, 0, 0, 0, 0xffff, 0, high, low] => Some(from(high, low)),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x64, 0xff9b, 1, _, _, _, high, low] => Some(from(high, low)),
        [0x2002, high, low, ..] => Some(from(high, low)),
        _ => None,
    }
}

fn domain(name: &str) -> Option<&'static str> {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let within = |domain: &str| name == domain || name.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
    if METADATA_NAMES.contains(&&*name) {
        return Some("ssrf/metadata");
    }
    if within("localhost") || within("localdomain") || ECHO_DOMAINS[3..].iter().any(|domain| within(domain)) {
        return Some("ssrf/loopback");
    }
    if LOCAL_DOMAINS.iter().any(|domain| within(domain)) || !name.contains('.') {
        return Some("ssrf/local-name");
    }
    // The address of `10.0.0.1.nip.io` or `app-10-0-0-1.nip.io`.
    ECHO_DOMAINS.iter().any(|domain| within(domain)).then_some("ssrf/local-name")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_spellings_of_an_address_are_one() {
        for (host, expected) in [
            ("127.0.0.1", Some("ssrf/loopback")),
            ("2130706433", Some("ssrf/loopback")),
            ("0x7f.1", Some("ssrf/loopback")),
            ("0177.0.0.1", Some("ssrf/loopback")),
            ("１２７.0.0.1", Some("ssrf/loopback")),
            ("[::1]", Some("ssrf/loopback")),
            ("[::ffff:10.0.0.1]", Some("ssrf/private")),
            ("[64:ff9b::a9fe:a9fe]", Some("ssrf/metadata")),
            ("[fd00:ec2::254]", Some("ssrf/metadata")),
            ("LOCALHOST.", Some("ssrf/loopback")),
            ("example.com", None),
            ("8.8.8.8", None),
            ("[2606:4700::1111]", None),
        ] {
            assert_eq!(judge(&Host::parse(host).unwrap()), expected, "{host}");
        }
    }
}
