//! The token keys: their rules ([`KeyRing`]), how they are stored, and the node's copy of them.

mod private;
mod ring;
mod sealed;

use std::sync::{Arc, RwLock};

use doorlist_verifier::{Cursor, KeyId, UnixSeconds};

pub use private::PrivateKey;
pub use ring::{Change, KeyRing, KeyState, KeyStatus, TooEarly, UnknownKey};
pub use sealed::Unreadable;

use crate::desk::{Desk, KeySwap};
use crate::secret::MasterSecrets;
use crate::store::{StoreError, Version};
use sealed::{SealedUnder, seal, unseal};

/// The node's copy of the key ring, in step with the store's.
pub struct Keys {
    desk: Arc<Desk>,
    secrets: MasterSecrets,
    held: RwLock<Held>,
}

#[derive(Clone)]
struct Held {
    version: Version,
    ring: Arc<KeyRing>,
}

/// Why the key ring could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// See [`StoreError`].
    #[error(transparent)]
    Store(#[from] StoreError),
    /// See [`Unreadable`].
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// See [`TooEarly`].
    #[error(transparent)]
    TooEarly(#[from] TooEarly),
    /// See [`UnknownKey`].
    #[error(transparent)]
    UnknownKey(#[from] UnknownKey),
}

impl Keys {
    /// Reads the ring, or makes one at a first start. Seals it anew when a previous master secret opened it.
    ///
    /// # Errors
    ///
    /// [`KeysError::Unreadable`] under another master secret, [`KeysError::Store`].
    pub async fn open(desk: Arc<Desk>, secrets: MasterSecrets, now: UnixSeconds) -> Result<Self, KeysError> {
        let held = loop {
            match read(&desk, &secrets).await? {
                Some((held, SealedUnder::Current)) => break held,
                Some((held, SealedUnder::Previous)) => {
                    desk.swap_keys(Some(held.version), seal(&held.ring, &secrets), &[]).await?;
                }
                None => {
                    let first = KeyRing::first(now, PrivateKey::random(), PrivateKey::random());
                    desk.swap_keys(None, seal(&first.ring, &secrets), &names(&first.kids)).await?;
                }
            }
        };
        Ok(Self { desk, secrets, held: RwLock::new(held) })
    }

    /// The ring as this node knows it.
    pub fn ring(&self) -> Arc<KeyRing> {
        self.held().ring
    }

    /// Reads the ring again: the log says that it changed.
    ///
    /// # Errors
    ///
    /// [`KeysError::Store`], [`KeysError::Unreadable`]; the copy stays as it is.
    pub async fn reload(&self) -> Result<(), KeysError> {
        if let Some((held, _)) = read(&self.desk, &self.secrets).await? {
            self.hold(held);
        }
        Ok(())
    }

    /// See [`KeyRing::rotate`].
    ///
    /// # Errors
    ///
    /// [`KeysError::TooEarly`], and those of [`Self::reload`].
    pub async fn rotate(
        &self,
        now: UnixSeconds,
        published_secs: u64,
        retain_secs: u64,
    ) -> Result<Cursor, KeysError> {
        self.change(|ring| Ok(ring.rotate(now, PrivateKey::random(), published_secs, retain_secs)?)).await
    }

    /// See [`KeyRing::retire`].
    ///
    /// # Errors
    ///
    /// [`KeysError::UnknownKey`], and those of [`Self::reload`].
    pub async fn retire(&self, kid: KeyId, now: UnixSeconds) -> Result<Cursor, KeysError> {
        self.change(|ring| Ok(ring.retire(kid, now, PrivateKey::random())?)).await
    }

    /// See [`KeyRing::expire`].
    ///
    /// # Errors
    ///
    /// Those of [`Self::reload`].
    pub async fn expire(&self, now: UnixSeconds) -> Result<(), KeysError> {
        while let Some(change) = self.ring().expire(now) {
            if let KeySwap::Swapped(_) = self.swap(self.held().version, &change).await? {
                tracing::info!(kids = ?change.kids, "keys are gone: their tokens are dead");
            }
            self.reload().await?;
        }
        Ok(())
    }

    async fn change(
        &self,
        decide: impl Fn(&KeyRing) -> Result<Change, KeysError>,
    ) -> Result<Cursor, KeysError> {
        loop {
            let held = self.held();
            let change = decide(&held.ring)?;
            let swap = self.swap(held.version, &change).await?;
            self.reload().await?;
            if let KeySwap::Swapped(position) = swap {
                tracing::info!(kids = ?change.kids, "key ring changed");
                return Ok(position);
            }
        }
    }

    async fn swap(&self, expected: Version, change: &Change) -> Result<KeySwap, StoreError> {
        self.desk.swap_keys(Some(expected), seal(&change.ring, &self.secrets), &names(&change.kids)).await
    }

    fn held(&self) -> Held {
        self.held.read().expect("nobody panics with the lock").clone()
    }

    fn hold(&self, held: Held) {
        *self.held.write().expect("nobody panics with the lock") = held;
    }
}

async fn read(desk: &Desk, secrets: &MasterSecrets) -> Result<Option<(Held, SealedUnder)>, KeysError> {
    let Some((version, bytes)) = desk.keys().await? else { return Ok(None) };
    let (ring, under) = unseal(&bytes, secrets)?;
    Ok(Some((Held { version, ring: Arc::new(ring) }, under)))
}

fn names(kids: &[KeyId]) -> Vec<String> {
    kids.iter().map(KeyId::to_string).collect()
}
