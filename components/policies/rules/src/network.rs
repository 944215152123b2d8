//! Networks of IP addresses.

use std::net::{IpAddr, Ipv6Addr};

/// Addresses that share their first bits. IPv4 lies where IPv6 maps it, so that
/// `::ffff:10.0.0.1` is in `10.0.0.0/8` and no way of writing gets around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Network {
    first: u128,
    /// Of the 128 bits, those which are compared.
    mask: u128,
    v4: bool,
}

/// Where IPv4 begins in IPv6.
const MAPPED_BITS: u32 = 96;

impl Network {
    /// Reads `10.0.0.0/8`, `fc00::/7` or a single address.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no network; write it like `10.0.0.0/8` or `fc00::/7`");
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let before = if address.is_ipv4() { MAPPED_BITS } else { 0 };
        let bits = match bits {
            None => u128::BITS,
            Some(bits) if bits.bytes().all(|byte| byte.is_ascii_digit()) => {
                let bits: u32 = bits.parse().map_err(|_| wrong())?;
                bits.checked_add(before).filter(|bits| *bits <= u128::BITS).ok_or_else(wrong)?
            }
            Some(_) => return Err(wrong()),
        };
        let mask = u128::MAX.checked_shl(u128::BITS - bits).unwrap_or(0);
        let first = bits_of(address);
        match first & !mask {
            0 => Ok(Self { first, mask, v4: is_v4(first) && bits >= MAPPED_BITS }),
            _ => Err(format!("`{text}` has bits set behind the prefix, so it names no network")),
        }
    }

    /// Whether the address is in it.
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        let bits = bits_of(address);
        // `::/0` means every IPv6 address and no IPv4 address.
        self.v4 == is_v4(bits) && bits & self.mask == self.first
    }
}

fn bits_of(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    }
    .to_bits()
}

fn is_v4(bits: u128) -> bool {
    Ipv6Addr::from_bits(bits).to_ipv4_mapped().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contains_its_addresses() {
        let cases = [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.0.0.0/8", "::ffff:10.1.2.3", true),
            ("10.0.0.0/8", "::10.1.2.3", false),
            ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.3", "10.1.2.4", false),
            ("0.0.0.0/0", "255.255.255.255", true),
            ("0.0.0.0/0", "::1", false),
            ("::/0", "::1", true),
            ("::/0", "1.2.3.4", false),
            ("::/0", "::ffff:1.2.3.4", false),
            ("fc00::/7", "fdff::1", true),
            ("fc00::/7", "fe00::1", false),
            ("::ffff:10.0.0.0/104", "10.1.2.3", true),
            ("::ffff:10.0.0.0/104", "11.1.2.3", false),
            ("::1", "0:0:0:0:0:0:0:1", true),
        ];
        for (network, address, expected) in cases {
            let contains = Network::parse(network).unwrap().contains(address.parse().unwrap());
            assert_eq!(contains, expected, "{address} in {network}");
        }
    }

    #[test]
    fn refuses_what_is_no_network() {
        for text in ["", "10.0.0.1/8", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/+8", "10.0.0/8", "a"] {
            assert!(Network::parse(text).is_err(), "{text}");
        }
    }
}
