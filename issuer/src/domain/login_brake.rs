//! The login brake: how many passwords a stranger may try, and how long an owner waits because of strangers.
//!
//! An attempt is counted before its password is checked, so that parallel attempts cannot pass a counter together. Three
//! counters apply, and a device that the account knows has a counter of its own (trace 51):
//!
//! - account and network: [`FREE`] attempts without a wait, then waits that double, [`TRIES`] attempts in all. After
//!   that the network waits up to an hour.
//! - network, all accounts: [`NETWORK_BURST`] attempts, then one per [`NETWORK_SECS`].
//! - account, all unknown devices: [`ACCOUNT_BURST`] attempts, then one per [`ACCOUNT_SECS`]. The first [`FREE`] attempts
//!   of a network wait at most [`LONGEST_WAIT_SECS`].
//! - known device: as account and network. After [`TRIES`] attempts it counts as an unknown device.
//!
//! A right password gives the attempt back and clears the counter of its own account and network, and no other counter.
//! So a login into another account between two guesses changes nothing for the guesser.
//!
//! **Why a place is reserved.** If each client simply tried again after its wait, a stranger with many addresses could
//! take each free place before the owner. So a network that must wait gets a place of its own, at a time that no other
//! network can take.
//!
//! **Why there are two ceilings for one account.** Before the password is checked, an owner on an unknown device and a
//! stranger look the same. If the owner is served within a fixed time, however many strangers there are, then each
//! stranger in a network of his own is served too. So no rule can have both a fixed number of guesses for any number of
//! networks and a fixed longest wait. Here the longest wait always holds for the first [`FREE`] attempts of a network.
//! The price is that each network adds up to [`FREE`] guesses an hour to the ceiling of the account.

mod counters;

pub use counters::{Flow, Streak};

/// A streak ends this many seconds after its last attempt.
pub const HOUR_SECS: u64 = 3600;
/// Attempts of one network on one account, or of a known device, without a wait.
pub const FREE: u32 = 3;
/// Attempts of one network on one account, or of a known device, before the streak must end.
pub const TRIES: u32 = 10;
/// Attempts of one network on all accounts together before it must wait.
pub const NETWORK_BURST: u64 = 100;
/// After that, one attempt of this network is allowed per this many seconds.
pub const NETWORK_SECS: u64 = 36;
/// Attempts of all unknown devices on one account before they must wait.
pub const ACCOUNT_BURST: u64 = 20;
/// After that, one attempt on this account is allowed per this many seconds.
pub const ACCOUNT_SECS: u64 = 30;
/// Strangers can make an unknown device wait at most this long.
pub const LONGEST_WAIT_SECS: u64 = 60;
/// A reserved place is kept for this long after its time, because the user must enter the password again.
pub const RESERVED_SECS: u64 = 300;

/// The counters that one attempt needs, as they were read. All times are in seconds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counters {
    /// The account's unknown devices.
    pub account: Flow,
    /// The account together with each network of the client, the smallest network first. Empty if the client's address
    /// is not known.
    pub pairs: Vec<Counted<Streak>>,
    /// Each network of the client, for all accounts together.
    pub networks: Vec<Counted<Flow>>,
    /// The known device, if the client proved that it is one.
    pub device: Option<Streak>,
}

/// A counter and the factor for its limit. Larger networks have larger limits (trace 52).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted<T> {
    /// The counter.
    pub counter: T,
    /// The limit is multiplied by this number.
    pub factor: u32,
}

/// An attempt that was counted. It says which counters the attempt is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// The counter of a known device.
    Device,
    /// The counters of an unknown device. `from_account` is false if the attempt used a reserved place.
    Unknown {
        /// Whether the attempt is in the counter of the account.
        from_account: bool,
    },
}

/// The attempt is refused, and its password must not be checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Braked {
    /// The same client may try again after this many seconds, at least 1.
    pub wait_secs: u64,
}

impl Counters {
    /// Counts an attempt, or refuses it. A refusal may reserve a place, so the counters must be stored in both cases.
    ///
    /// # Errors
    ///
    /// [`Braked`] with the time to wait.
    pub fn take(&mut self, now: u64) -> Result<Taken, Braked> {
        self.normalize(now);
        if let Some(device) = &mut self.device {
            match device.wait_secs(now, 1) {
                0 => {
                    device.count(now);
                    return Ok(Taken::Device);
                }
                wait_secs if !device.is_used_up(1) => return Err(Braked { wait_secs }),
                // The device has no attempts left. Its owner can still log in as from an unknown device.
                _ => {}
            }
        }
        let of_pairs = self.pairs.iter().map(|pair| pair.counter.wait_secs(now, pair.factor));
        let of_networks = self.networks.iter().map(|network| {
            let factor = u64::from(network.factor);
            network.counter.wait_secs(now, NETWORK_SECS / factor, NETWORK_BURST * factor)
        });
        let wait_secs = of_pairs.chain(of_networks).max().unwrap_or(0);
        if wait_secs > 0 {
            return Err(Braked { wait_secs });
        }
        let from_account = self.take_place(now)?;
        for pair in &mut self.pairs {
            pair.counter.count(now);
        }
        for network in &mut self.networks {
            network.counter.add(now, NETWORK_SECS / u64::from(network.factor));
        }
        Ok(Taken::Unknown { from_account })
    }

    /// Takes a place of the account. Returns false if the place was reserved earlier.
    fn take_place(&mut self, now: u64) -> Result<bool, Braked> {
        let Some(pair) = self.pairs.first_mut().map(|pair| &mut pair.counter) else {
            // The clients of this account cannot be told apart, so no place can be reserved for one of them.
            let wait_secs = self.account.wait_secs(now, ACCOUNT_SECS, ACCOUNT_BURST);
            if wait_secs > 0 {
                return Err(Braked { wait_secs });
            }
            self.account.add(now, ACCOUNT_SECS);
            return Ok(true);
        };
        if pair.reserved > now {
            return Err(Braked { wait_secs: pair.reserved - now });
        }
        if pair.reserved > 0 && now - pair.reserved <= RESERVED_SECS {
            pair.reserved = 0;
            return Ok(false);
        }
        let wait_secs = self.account.wait_secs(now, ACCOUNT_SECS, ACCOUNT_BURST);
        if wait_secs > LONGEST_WAIT_SECS {
            if pair.attempts < FREE {
                pair.reserve(now, now + LONGEST_WAIT_SECS);
                return Err(Braked { wait_secs: LONGEST_WAIT_SECS });
            }
            return Err(Braked { wait_secs });
        }
        self.account.add(now, ACCOUNT_SECS);
        if wait_secs == 0 {
            return Ok(true);
        }
        pair.reserve(now, now + wait_secs);
        Err(Braked { wait_secs })
    }

    /// The password was right: the attempt was no guess.
    pub fn succeeded(&mut self, taken: Taken, now: u64) {
        self.give_back(taken, now);
        match taken {
            Taken::Device => self.device = self.device.map(Streak::cleared),
            Taken::Unknown { .. } => {
                if let Some(pair) = self.pairs.first_mut() {
                    pair.counter = pair.counter.cleared();
                }
            }
        }
    }

    /// The password was not checked.
    pub fn unchecked(&mut self, taken: Taken, now: u64) {
        self.give_back(taken, now);
    }

    fn give_back(&mut self, taken: Taken, now: u64) {
        self.normalize(now);
        match taken {
            Taken::Device => {
                if let Some(device) = &mut self.device {
                    device.uncount();
                }
            }
            Taken::Unknown { from_account } => {
                for pair in &mut self.pairs {
                    pair.counter.uncount();
                }
                for network in &mut self.networks {
                    network.counter.remove(NETWORK_SECS / u64::from(network.factor));
                }
                if from_account {
                    self.account.remove(ACCOUNT_SECS);
                }
            }
        }
    }

    /// An operator cleared the way for the account's owner: nothing that was counted before applies any more.
    pub fn clear_account(&mut self) {
        self.account = Flow { full_until: 0, era: self.account.era.wrapping_add(1) };
    }

    /// Drops what no longer counts. A store's clock may go back after a failover; no time may then be so far in the
    /// future that a wait is longer than the longest one.
    fn normalize(&mut self, now: u64) {
        self.account.normalize(now, ACCOUNT_SECS * ACCOUNT_BURST + LONGEST_WAIT_SECS);
        let era = self.account.era;
        for pair in &mut self.pairs {
            pair.counter.normalize(now, era);
        }
        if let Some(device) = &mut self.device {
            device.normalize(now, era);
        }
        for network in &mut self.networks {
            network.counter.normalize(now, NETWORK_SECS * NETWORK_BURST + NETWORK_SECS);
        }
    }
}

#[cfg(test)]
mod tests;
