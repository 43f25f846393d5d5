//! Counts the places that clients use, for example connections, and limits them for each address and in all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ipnet::IpNet;

use super::ClientAddress;

/// An address with fewer places than this may use the reserved places.
const FEW: usize = 4;

/// The numbers of places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Places in all.
    pub in_all: usize,
    /// Places of one IPv4 address or one IPv6 /64. A /56 has twice as many, a /48 four times as many.
    pub per_address: usize,
    /// Places that only addresses with very few places may take. They keep the issuer reachable for operators and
    /// health probes, even if many addresses together take all other places.
    pub reserved: usize,
}

/// Why no place is free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// This client, or its network, uses all places that it may use.
    Address,
    /// All clients together use all places.
    Issuer,
}

/// Places, and who uses them. The memory is bounded by the number of places in use.
pub struct Shares {
    sizes: Sizes,
    used: Mutex<Used>,
}

#[derive(Default)]
struct Used {
    in_all: usize,
    by_network: HashMap<IpNet, usize>,
}

/// A place. It becomes free again when this is dropped.
pub struct Share {
    shares: Arc<Shares>,
    address: Option<ClientAddress>,
}

impl Shares {
    /// Creates places that are all free.
    pub fn new(sizes: Sizes) -> Self {
        Self { sizes, used: Mutex::default() }
    }

    /// The numbers of places.
    pub fn sizes(&self) -> Sizes {
        self.sizes
    }

    /// Takes a place. `address` is `None` for a client whose address is unknown. Only the limit in all applies to it.
    ///
    /// # Errors
    ///
    /// [`Full`] if the client may not have a further place.
    pub fn take(self: &Arc<Self>, address: Option<ClientAddress>) -> Result<Share, Full> {
        let Sizes { in_all, per_address, reserved } = self.sizes;
        let mut used = self.used();
        let has_few = match address {
            Some(address) => {
                let mut counts = address.networks().map(|(network, factor)| (used.of(&network), factor));
                if counts.any(|(count, factor)| count >= per_address.saturating_mul(factor)) {
                    return Err(Full::Address);
                }
                address.networks().all(|(network, _)| used.of(&network) < FEW)
            }
            None => false,
        };
        if used.in_all >= if has_few { in_all } else { in_all.saturating_sub(reserved) } {
            return Err(Full::Issuer);
        }
        used.in_all += 1;
        for (network, _) in address.iter().flat_map(|address| address.networks()) {
            *used.by_network.entry(network).or_default() += 1;
        }
        Ok(Share { shares: Arc::clone(self), address })
    }

    /// A panic cannot leave the counts in the middle of a change, so they are used even after one.
    fn used(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Used {
    fn of(&self, network: &IpNet) -> usize {
        self.by_network.get(network).copied().unwrap_or_default()
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut used = self.shares.used();
        used.in_all -= 1;
        for (network, _) in self.address.iter().flat_map(|address| address.networks()) {
            if let Some(count) = used.by_network.get_mut(&network) {
                *count -= 1;
                if *count == 0 {
                    used.by_network.remove(&network);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn shares(in_all: usize, per_address: usize, reserved: usize) -> Arc<Shares> {
        Arc::new(Shares::new(Sizes { in_all, per_address, reserved }))
    }

    fn address(text: &str) -> Option<ClientAddress> {
        Some(text.parse::<IpAddr>().expect("an address").into())
    }

    fn take(shares: &Arc<Shares>, text: &str) -> Result<Share, Full> {
        shares.take(address(text))
    }

    #[test]
    fn b11_one_address_gets_only_its_own_places() {
        let shares = shares(10, 2, 0);
        let first = take(&shares, "192.0.2.1").expect("free");
        let _second = take(&shares, "192.0.2.1").expect("free");
        assert_eq!(take(&shares, "192.0.2.1").err(), Some(Full::Address));
        assert!(take(&shares, "192.0.2.2").is_ok());
        drop(first);
        assert!(take(&shares, "192.0.2.1").is_ok());
    }

    #[test]
    fn trace_52_many_addresses_of_one_ipv6_network_share_places() {
        let shares = shares(100, 2, 0);
        let in_64: Vec<_> = (0..2).map(|n| take(&shares, &format!("2001:db8::{n}")).expect("free")).collect();
        assert_eq!(take(&shares, "2001:db8::ffff").err(), Some(Full::Address));
        // The /56 has four places. Two are in use.
        let in_56: Vec<_> =
            (1..3).map(|n| take(&shares, &format!("2001:db8:0:{n}::1")).expect("free")).collect();
        assert_eq!(take(&shares, "2001:db8:0:3::1").err(), Some(Full::Address));
        // The /48 has eight places. Four are in use.
        let in_48: Vec<_> =
            (1..5).map(|n| take(&shares, &format!("2001:db8:0:{n}00::1")).expect("free")).collect();
        assert_eq!(take(&shares, "2001:db8:0:500::1").err(), Some(Full::Address));
        assert!(take(&shares, "2001:db8:1::1").is_ok());
        drop((in_64, in_56, in_48));
        assert!(shares.used().by_network.is_empty());
    }

    #[test]
    fn b11_the_reserved_places_are_for_addresses_with_few_places() {
        let shares = shares(10, 8, 4);
        let mut held: Vec<_> = (0..6).map(|_| take(&shares, "192.0.2.1").expect("free")).collect();
        assert_eq!(take(&shares, "192.0.2.1").err(), Some(Full::Issuer));
        assert_eq!(shares.take(None).err(), Some(Full::Issuer));
        held.extend((0..4).map(|_| take(&shares, "192.0.2.2").expect("reserved")));
        assert_eq!(take(&shares, "192.0.2.3").err(), Some(Full::Issuer));
    }

    #[test]
    fn a_client_without_a_known_address_has_no_limit_of_its_own() {
        let shares = shares(10, 1, 0);
        let held: Vec<_> = (0..10).map(|_| shares.take(None).expect("free")).collect();
        assert_eq!(shares.take(None).err(), Some(Full::Issuer));
        drop(held);
        assert_eq!(shares.used().in_all, 0);
    }
}
