//! Finds the client behind proxies.
//!
//! A proxy appends the address of its peer to a header. A client may send such a header too, so the header is read from
//! the right: each address was written by the proxy that follows it. The first address that does not belong to a
//! trusted proxy is the client (trace 52).

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, HeaderName, header};
use clap::ValueEnum;
use ipnet::IpNet;
use rfc7239::{NodeIdentifier, NodeName};

use super::ClientAddress;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The header in which the trusted proxies write the client's address. All other headers are ignored, because a proxy
/// passes them on as the client sent them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum AddressHeader {
    /// `X-Forwarded-For`: addresses, separated by commas.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// The proxies whose header is believed.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies {
    networks: Vec<IpNet>,
    header: AddressHeader,
}

/// The client that sent a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// The client's address is known.
    Known(ClientAddress),
    /// A trusted proxy wrote something that is not an address, for example `unknown`.
    Hidden,
    /// The peer is in a private network, is not a trusted proxy, and sent the header of a proxy. Probably it is a proxy
    /// that the settings do not list, so all its clients have its address.
    BehindUnlistedProxy(ClientAddress),
}

impl Sender {
    /// The client's address, if it is known.
    pub fn address(self) -> Option<ClientAddress> {
        match self {
            Self::Known(address) => Some(address),
            Self::Hidden | Self::BehindUnlistedProxy(_) => None,
        }
    }
}

impl TrustedProxies {
    /// Believes `header` if the peer is in one of the networks.
    pub fn new(networks: Vec<IpNet>, header: AddressHeader) -> Self {
        Self { networks, header }
    }

    /// Whether the address belongs to a trusted proxy.
    pub fn contains(&self, address: ClientAddress) -> bool {
        self.networks.iter().any(|network| network.contains(&address.ip()))
    }

    /// The client that sent a request with these headers over a connection from `peer`.
    pub fn sender(&self, peer: ClientAddress, headers: &HeaderMap) -> Sender {
        if !self.contains(peer) {
            let has_header =
                [X_FORWARDED_FOR, header::FORWARDED].iter().any(|name| headers.contains_key(name));
            return if has_header && peer.is_private() {
                Sender::BehindUnlistedProxy(peer)
            } else {
                Sender::Known(peer)
            };
        }
        let mut client = peer;
        for hop in self.hops(headers).into_iter().rev() {
            let Some(address) = hop else { return Sender::Hidden };
            client = address;
            if !self.contains(address) {
                break;
            }
        }
        Sender::Known(client)
    }

    /// The addresses in the header, in the order of the header. `None` for an entry that is not an address.
    fn hops(&self, headers: &HeaderMap) -> Vec<Option<ClientAddress>> {
        let name = match self.header {
            AddressHeader::XForwardedFor => X_FORWARDED_FOR,
            AddressHeader::Forwarded => header::FORWARDED,
        };
        let lines = headers.get_all(name).iter().map(|line| line.to_str().unwrap_or("not text"));
        match self.header {
            AddressHeader::XForwardedFor => {
                lines.flat_map(|line| line.split(',')).map(|entry| parse(entry.trim())).collect()
            }
            AddressHeader::Forwarded => lines.flat_map(forwarded_for).collect(),
        }
    }
}

/// Parses an entry of `X-Forwarded-For`. Some proxies add the port, and some write an IPv6 address in brackets.
fn parse(entry: &str) -> Option<ClientAddress> {
    let bare = entry.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(entry);
    let address = bare.parse::<IpAddr>().or_else(|_| entry.parse::<SocketAddr>().map(|address| address.ip()));
    address.ok().map(ClientAddress::from)
}

/// The `for` parameters of one `Forwarded` header. A malformed header is one entry that is not an address.
fn forwarded_for(line: &str) -> Vec<Option<ClientAddress>> {
    let entries: Result<Vec<_>, _> = rfc7239::parse(line).collect();
    let Ok(entries) = entries else { return vec![None] };
    let address = |node: NodeIdentifier<'_>| match node.name {
        NodeName::Ip(address) => Some(ClientAddress::from(address)),
        _ => None,
    };
    entries.into_iter().map(|entry| entry.forwarded_for.and_then(address)).collect()
}

/// The peers that seem to be proxies, although the settings do not list them. The limit for one address does not apply
/// to their connections, because it would apply to all their clients together.
#[derive(Default)]
pub(super) struct UnlistedProxies(Mutex<HashMap<ClientAddress, Instant>>);

impl UnlistedProxies {
    /// The largest number of peers that are remembered.
    const MOST: usize = 256;
    /// A peer is forgotten after this time. If it then sends such a header again, it is remembered again, with a new
    /// warning.
    const REMEMBERED: Duration = Duration::from_secs(600);

    pub(super) fn contains(&self, peer: ClientAddress) -> bool {
        self.peers().get(&peer).is_some_and(|noted| noted.elapsed() < Self::REMEMBERED)
    }

    /// Remembers a peer, and warns if the peer is new.
    pub(super) fn note(&self, peer: ClientAddress) {
        let mut peers = self.peers();
        if peers.get(&peer).is_some_and(|noted| noted.elapsed() < Self::REMEMBERED) {
            return;
        }
        peers.retain(|_, noted| noted.elapsed() < Self::REMEMBERED);
        if peers.len() < Self::MOST {
            peers.insert(peer, Instant::now());
            drop(peers);
            tracing::warn!(
                %peer,
                "requests from this address have the header of a proxy, but the address is not trusted: all clients \
                 of this proxy look like one client, so the limits per address are off for them; if it is your proxy, \
                 add it to --trusted-proxies (DOORLIST_TRUSTED_PROXIES)"
            );
        }
    }

    fn peers(&self) -> std::sync::MutexGuard<'_, HashMap<ClientAddress, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn address(text: &str) -> ClientAddress {
        text.parse::<IpAddr>().expect("an address").into()
    }

    fn known(text: &str) -> Sender {
        Sender::Known(address(text))
    }

    fn trusting(header: AddressHeader) -> TrustedProxies {
        let networks = ["10.0.0.0/8", "fd00::/8"].map(|network| network.parse().expect("a network"));
        TrustedProxies::new(networks.to_vec(), header)
    }

    fn headers(name: &'static str, lines: &[&'static str]) -> HeaderMap {
        lines.iter().map(|line| (HeaderName::from_static(name), HeaderValue::from_static(line))).collect()
    }

    fn x_forwarded_for(peer: &str, lines: &[&'static str]) -> Sender {
        trusting(AddressHeader::XForwardedFor).sender(address(peer), &headers("x-forwarded-for", lines))
    }

    fn forwarded(peer: &str, lines: &[&'static str]) -> Sender {
        trusting(AddressHeader::Forwarded).sender(address(peer), &headers("forwarded", lines))
    }

    #[test]
    fn trace_52_the_header_is_read_from_the_right() {
        assert_eq!(x_forwarded_for("10.0.0.1", &["203.0.113.9"]), known("203.0.113.9"));
        // The client sent the first address itself.
        assert_eq!(x_forwarded_for("10.0.0.1", &["1.1.1.1, 203.0.113.9"]), known("203.0.113.9"));
        assert_eq!(x_forwarded_for("10.0.0.1", &["1.1.1.1", "203.0.113.9, 10.0.0.2"]), known("203.0.113.9"));
        assert_eq!(x_forwarded_for("10.0.0.1", &["garbage, 203.0.113.9"]), known("203.0.113.9"));
        // The client is in a trusted network itself, or the proxy sent a request of its own.
        assert_eq!(x_forwarded_for("10.0.0.1", &["10.0.0.3, 10.0.0.2"]), known("10.0.0.3"));
        assert_eq!(x_forwarded_for("10.0.0.1", &[]), known("10.0.0.1"));
    }

    #[test]
    fn an_address_may_have_a_port_or_brackets() {
        for (line, expected) in [
            ("203.0.113.9:4711", "203.0.113.9"),
            ("[2001:db8::1]:4711", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
            ("::ffff:203.0.113.9", "203.0.113.9"),
        ] {
            assert_eq!(x_forwarded_for("fd00::1", &[line]), known(expected), "{line}");
        }
    }

    #[test]
    fn what_is_not_an_address_hides_the_client() {
        for line in ["unknown", "", "203.0.113.9, ", "203.0.113.9, _proxy"] {
            assert_eq!(x_forwarded_for("10.0.0.1", &[line]), Sender::Hidden, "{line}");
        }
        for line in ["for=unknown", "for=_secret", "proto=https", "for=\"", ";;"] {
            assert_eq!(forwarded("10.0.0.1", &[line]), Sender::Hidden, "{line}");
        }
    }

    #[test]
    fn the_standard_header_is_understood() {
        assert_eq!(
            forwarded("10.0.0.1", &["for=1.1.1.1, for=203.0.113.9;proto=https"]),
            known("203.0.113.9")
        );
        assert_eq!(forwarded("10.0.0.1", &["For=\"[2001:db8::1]:4711\""]), known("2001:db8::1"));
    }

    #[test]
    fn trace_52_only_the_named_header_is_read() {
        let both: HeaderMap = headers("forwarded", &["for=1.1.1.1"])
            .into_iter()
            .chain(headers("x-forwarded-for", &["203.0.113.9"]))
            .filter_map(|(name, value)| Some((name?, value)))
            .collect();
        let proxies = trusting(AddressHeader::XForwardedFor);
        assert_eq!(proxies.sender(address("10.0.0.1"), &both), known("203.0.113.9"));
    }

    #[test]
    fn the_header_of_an_untrusted_peer_is_ignored() {
        assert_eq!(x_forwarded_for("203.0.113.1", &["1.1.1.1"]), known("203.0.113.1"));
        let behind = Sender::BehindUnlistedProxy(address("192.168.0.1"));
        assert_eq!(x_forwarded_for("192.168.0.1", &["1.1.1.1"]), behind);
        assert_eq!(x_forwarded_for("192.168.0.1", &[]), known("192.168.0.1"));
    }

    #[test]
    fn the_number_of_remembered_peers_is_limited() {
        let unlisted = UnlistedProxies::default();
        for n in 0..1000_u32 {
            unlisted.note(address(&std::net::Ipv4Addr::from(0x0a00_0000 + n).to_string()));
        }
        assert_eq!(unlisted.peers().len(), UnlistedProxies::MOST);
        assert!(unlisted.contains(address("10.0.0.7")));
    }
}
