//! The address of a client in one form, and the networks that it belongs to.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// The well-known prefix of NAT64 (RFC 6052 §2.1). The last 32 bits are an IPv4 address.
const NAT64: [u16; 6] = [0x64, 0xff9b, 0, 0, 0, 0];

/// The address of a client. An IPv4 address that is written inside an IPv6 address is stored as IPv4. Otherwise all
/// IPv4 clients of a listener on `[::]`, or of a NAT64 gateway, would seem to be in one IPv6 network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientAddress(IpAddr);

impl From<IpAddr> for ClientAddress {
    fn from(address: IpAddr) -> Self {
        let IpAddr::V6(v6) = address.to_canonical() else { return Self(address.to_canonical()) };
        let [rest @ .., high, low] = v6.segments();
        if rest == NAT64 {
            let [a, b] = high.to_be_bytes();
            let [c, d] = low.to_be_bytes();
            return Self(Ipv4Addr::new(a, b, c, d).into());
        }
        Self(v6.into())
    }
}

impl ClientAddress {
    /// The address itself.
    pub fn ip(self) -> IpAddr {
        self.0
    }

    /// The networks whose clients are counted together, each with a factor for the limit. An IPv4 address is counted
    /// alone. A provider gives an IPv6 client a /64, and often a /56 or a /48, so these are counted too (trace 52).
    pub fn networks(self) -> impl Iterator<Item = (IpNet, usize)> {
        let tiers: &[(u8, usize)] = match self.0 {
            IpAddr::V4(_) => &[(32, 1)],
            IpAddr::V6(_) => &[(64, 1), (56, 2), (48, 4)],
        };
        tiers.iter().map(move |&(length, factor)| {
            let network = IpNet::new(self.0, length).expect("the length fits the family");
            (network.trunc(), factor)
        })
    }

    /// Whether the address is of this machine or of a private network: the usual place of a proxy.
    pub fn is_private(self) -> bool {
        match self.0 {
            IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
            IpAddr::V6(v6) => v6 == Ipv6Addr::LOCALHOST || v6.is_unique_local() || v6.is_unicast_link_local(),
        }
    }
}

impl fmt::Display for ClientAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> ClientAddress {
        text.parse::<IpAddr>().expect("an address").into()
    }

    fn networks(text: &str) -> Vec<String> {
        address(text).networks().map(|(network, factor)| format!("{network} x{factor}")).collect()
    }

    #[test]
    fn trace_52_an_ipv4_address_inside_ipv6_is_ipv4() {
        for text in ["192.0.2.7", "::ffff:192.0.2.7", "64:ff9b::192.0.2.7"] {
            assert_eq!(address(text).to_string(), "192.0.2.7", "{text}");
            assert_eq!(networks(text), ["192.0.2.7/32 x1"], "{text}");
        }
        assert_eq!(address("64:ff9b:1::c000:207").to_string(), "64:ff9b:1::c000:207");
    }

    #[test]
    fn trace_52_an_ipv6_address_is_counted_in_three_networks() {
        let expected = ["2001:db8:1:203::/64 x1", "2001:db8:1:200::/56 x2", "2001:db8:1::/48 x4"];
        assert_eq!(networks("2001:db8:1:203:4:5:6:7"), expected);
    }

    #[test]
    fn the_addresses_of_proxies_are_private() {
        for text in ["127.0.0.9", "10.1.2.3", "192.168.0.1", "::1", "fd00::1", "fe80::1", "::ffff:127.0.0.1"]
        {
            assert!(address(text).is_private(), "{text}");
        }
        for text in ["192.0.2.7", "8.8.8.8", "2001:db8::1", "::"] {
            assert!(!address(text).is_private(), "{text}");
        }
    }
}
