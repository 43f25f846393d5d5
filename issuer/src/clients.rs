//! The address of each client, and how much of the issuer one client may use at the same time.
//!
//! A client is known by its address only. The address is the peer of the connection, or the address that a trusted
//! proxy wrote into a header.

mod address;
mod proxies;
mod shares;

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::HeaderMap;

pub use address::ClientAddress;
pub use proxies::{AddressHeader, Sender, TrustedProxies};
pub use shares::{Full, Share, Shares, Sizes};

use proxies::UnlistedProxies;

/// The limits for clients, and what clients use now.
pub struct Clients {
    trusted: TrustedProxies,
    unlisted: UnlistedProxies,
    connections: Arc<Shares>,
    requests: Arc<Shares>,
}

impl Clients {
    /// Applies `sizes` to the connections. Applies the limit for one address to the requests in flight too.
    pub fn new(trusted: TrustedProxies, sizes: Sizes) -> Self {
        // The number of connections already limits the number of requests. Therefore only the limit for one address
        // applies here. It matters where several clients share the connections of one proxy.
        let requests = Sizes { in_all: usize::MAX, reserved: 0, ..sizes };
        Self {
            trusted,
            unlisted: UnlistedProxies::default(),
            connections: Arc::new(Shares::new(sizes)),
            requests: Arc::new(Shares::new(requests)),
        }
    }

    /// Logs the limits.
    pub fn report(&self) {
        let Sizes { in_all, per_address, .. } = self.connections.sizes();
        tracing::info!(
            connections = in_all,
            per_address,
            "the largest numbers of connections, in all and per address"
        );
    }

    /// Takes a place for a connection from `peer`.
    ///
    /// # Errors
    ///
    /// [`Full`] if no place is free for this address. Close the connection in that case.
    pub fn connect(&self, peer: IpAddr) -> Result<Share, Full> {
        let address = ClientAddress::from(peer);
        let is_proxy = self.trusted.contains(address) || self.unlisted.contains(address);
        Shares::take(&self.connections, (!is_proxy).then_some(address))
    }

    /// The client that sent a request with these headers over a connection from `peer`. Warns if `peer` seems to be a
    /// proxy that is not listed.
    pub fn sender(&self, peer: IpAddr, headers: &HeaderMap) -> Sender {
        let sender = self.trusted.sender(peer.into(), headers);
        if let Sender::BehindUnlistedProxy(proxy) = sender {
            self.unlisted.note(proxy);
        }
        sender
    }

    /// Takes a place for a request. Hold it until the whole answer is sent.
    ///
    /// # Errors
    ///
    /// [`Full`] if this client has too many requests in flight.
    pub fn request(&self, sender: Sender) -> Result<Share, Full> {
        Shares::take(&self.requests, sender.address())
    }
}
