//! Slows down guesses of passwords. The rules are in [`crate::domain::login_brake`]. This module applies them to counters
//! in the store, which all nodes share.
//!
//! An attempt that must wait is answered at once, with the time after which it may be sent again. The issuer does not
//! hold the request instead: a stranger could then keep many connections open with little work. The answer is the same
//! for every name, because an unknown name is counted like the name of an account.

use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::clients::ClientAddress;
use crate::domain::Subject;
use crate::domain::login_brake::{Braked, Counted, Counters, Flow, Streak, Taken};
use crate::secret::MasterSecrets;
use crate::store::{Store, StoreError, Tallies, TallyChange, TallyName};

/// Largest number of attempts to change the counters. Each conflict means that another login has changed one of them.
/// Only a few hundred logins at the same time can do so before the counters refuse the next ones.
const ATTEMPTS: usize = 512;

/// See the [module](self).
pub struct LoginBrake {
    store: Arc<dyn Store>,
    key: Zeroizing<[u8; 32]>,
}

/// One login with a password.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// The name of the account. It may be unknown.
    pub sub: &'a Subject,
    /// The client's address, if it is known.
    pub address: Option<ClientAddress>,
    /// The number of the device, if the account knows it.
    pub device: Option<u64>,
}

impl LoginBrake {
    /// Counts in `store`. The names of the counters depend on the current master secret, so that the store does not
    /// show which accounts and addresses were counted.
    pub fn new(store: Arc<dyn Store>, secrets: &MasterSecrets) -> Self {
        Self { store, key: secrets.current().derive("login brake", &[]) }
    }

    /// Counts an attempt before its password is checked. The caller must not check the password if the attempt is
    /// refused.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the attempt could not be counted.
    pub async fn begin(&self, attempt: Attempt<'_>) -> Result<Result<Taken, Braked>, StoreError> {
        self.change(&self.layout(attempt), Counters::take).await
    }

    /// The password was right.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the counters could not be changed. They then count one attempt too many.
    pub async fn succeeded(&self, attempt: Attempt<'_>, taken: Taken) -> Result<(), StoreError> {
        self.change(&self.layout(attempt), |counters, now| counters.succeeded(taken, now)).await
    }

    /// The password was not checked.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the counters could not be changed. They then count one attempt too many.
    pub async fn unchecked(&self, attempt: Attempt<'_>, taken: Taken) -> Result<(), StoreError> {
        self.change(&self.layout(attempt), |counters, now| counters.unchecked(taken, now)).await
    }

    /// An operator gave the account a new password: attempts so far no longer delay its owner.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the counters could not be changed.
    pub async fn clear_account(&self, sub: &Subject) -> Result<(), StoreError> {
        let layout = self.layout(Attempt { sub, address: None, device: None });
        self.change(&layout, |counters, _| counters.clear_account()).await
    }

    async fn change<T>(
        &self,
        layout: &Layout,
        change: impl Fn(&mut Counters, u64) -> T,
    ) -> Result<T, StoreError> {
        for _ in 0..ATTEMPTS {
            let read = self.store.tallies(&layout.names).await?;
            let mut counters = layout.decode(&read);
            let outcome = change(&mut counters, read.now.as_secs());
            let changes = layout.changes(read, &counters);
            if changes.is_empty() || self.store.swap_tallies(changes).await? {
                return Ok(outcome);
            }
        }
        Err(StoreError::Unavailable("too many logins at the same time".to_owned()))
    }

    fn layout(&self, attempt: Attempt<'_>) -> Layout {
        let account = attempt.sub.as_str();
        let networks: Vec<_> = attempt.address.iter().flat_map(|address| address.networks()).collect();
        let of_networks = |account| {
            networks.iter().map(move |(network, _)| self.name("network", account, &network.to_string()))
        };
        let names = std::iter::once(self.name("account", account, ""))
            .chain(of_networks(account))
            .chain(of_networks(""))
            .chain(attempt.device.map(|device| self.name("device", account, &device.to_string())));
        let factors = networks.iter().map(|(_, factor)| u32::try_from(*factor).unwrap_or(u32::MAX));
        Layout { names: names.collect(), factors: factors.collect(), has_device: attempt.device.is_some() }
    }

    fn name(&self, kind: &str, account: &str, of: &str) -> TallyName {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.as_slice()).expect("HMAC takes any key length");
        for part in [kind, account, of] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        let digest: [u8; 32] = mac.finalize().into_bytes().into();
        std::array::from_fn(|at| digest[at])
    }
}

/// The names of an attempt's counters: the account, its networks together with the account, its networks, its device.
struct Layout {
    names: Vec<TallyName>,
    factors: Vec<u32>,
    has_device: bool,
}

impl Layout {
    fn decode(&self, tallies: &Tallies) -> Counters {
        let mut values = tallies.values.iter().map(Vec::as_slice);
        let mut next = || values.next().unwrap_or_default();
        Counters {
            account: flow(next()),
            pairs: self.factors.iter().map(|&factor| Counted { counter: streak(next()), factor }).collect(),
            networks: self.factors.iter().map(|&factor| Counted { counter: flow(next()), factor }).collect(),
            device: self.has_device.then(|| streak(next())),
        }
    }

    fn changes(&self, read: Tallies, counters: &Counters) -> Vec<TallyChange> {
        let values = std::iter::once(encode(&counters.account))
            .chain(counters.pairs.iter().map(|pair| encode(&pair.counter)))
            .chain(counters.networks.iter().map(|network| encode(&network.counter)))
            .chain(counters.device.as_ref().map(encode));
        let changes = self.names.iter().zip(read.values).zip(values);
        let changes = changes.map(|((name, expected), value)| TallyChange { name: *name, expected, value });
        changes.filter(|change| change.expected != change.value).collect()
    }
}

/// A counter that cannot be read counts as new, because nothing else depends on it.
fn flow(bytes: &[u8]) -> Flow {
    serde_json::from_slice(bytes).unwrap_or_default()
}

fn streak(bytes: &[u8]) -> Streak {
    serde_json::from_slice(bytes).unwrap_or_default()
}

/// A new counter has no bytes.
fn encode<T: serde::Serialize + Default + PartialEq>(counter: &T) -> Vec<u8> {
    if *counter == T::default() {
        return Vec::new();
    }
    serde_json::to_vec(counter).expect("numbers can be written as JSON")
}
