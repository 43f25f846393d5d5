//! The token keys: their rules ([`KeyRing`]), how they are stored, and the node's copy of the keys.

mod private;
mod ring;
mod sealed;

use std::sync::{Arc, RwLock};

use doorlist_verifier::{Cursor, KeyId, UnixSeconds};

pub use private::PrivateKey;
pub use ring::{KeyRing, KeyState, KeyStatus, RingChange, TooEarly, UnknownKey};
pub use sealed::Unreadable;

use crate::desk::{Desk, KeySwap};
use crate::secret::MasterSecrets;
use crate::store::{StoreError, Version};
use sealed::{SealedUnder, seal, unseal};

/// The node's copy of the key ring in the store.
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
    /// Reads the ring, or makes a new ring at the first start. If a previous master secret opened the ring, seals the
    /// ring again under the current master secret.
    ///
    /// # Errors
    ///
    /// [`KeysError::Unreadable`] if no given master secret opens the ring. [`KeysError::Store`] if the store cannot
    /// be used.
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

    /// The node's copy of the ring.
    pub fn ring(&self) -> Arc<KeyRing> {
        self.held().ring
    }

    /// Reads the ring again. Call this when the revocation log says that the ring changed.
    ///
    /// # Errors
    ///
    /// [`KeysError::Store`] or [`KeysError::Unreadable`] if the ring cannot be read. In this case the copy does not
    /// change.
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
    /// [`KeysError::TooEarly`], and the errors of [`Self::reload`].
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
    /// [`KeysError::UnknownKey`], and the errors of [`Self::reload`].
    pub async fn retire(&self, kid: KeyId, now: UnixSeconds) -> Result<Cursor, KeysError> {
        self.change(|ring| Ok(ring.retire(kid, now, PrivateKey::random())?)).await
    }

    /// See [`KeyRing::expire`].
    ///
    /// # Errors
    ///
    /// The errors of [`Self::reload`].
    pub async fn expire(&self, now: UnixSeconds) -> Result<(), KeysError> {
        while let Some(change) = self.ring().expire(now) {
            if let KeySwap::Swapped(_) = self.swap(self.held().version, &change).await? {
                tracing::info!(kids = ?change.kids, "keys removed: all their tokens have expired");
            }
            self.reload().await?;
        }
        Ok(())
    }

    async fn change(
        &self,
        decide: impl Fn(&KeyRing) -> Result<RingChange, KeysError>,
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

    async fn swap(&self, expected: Version, change: &RingChange) -> Result<KeySwap, StoreError> {
        self.desk.swap_keys(Some(expected), seal(&change.ring, &self.secrets), &names(&change.kids)).await
    }

    fn held(&self) -> Held {
        self.held.read().expect("no code panics while it holds this lock").clone()
    }

    fn hold(&self, held: Held) {
        *self.held.write().expect("no code panics while it holds this lock") = held;
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::desk::Upkeep;
    use crate::domain::{Limits, LogView};
    use crate::testing::GatedStore;

    const OLD: &str = "an-old-secret-of-some-length";
    const NEW: &str = "the-new-secret-of-some-length";

    async fn desk() -> Arc<Desk> {
        let store = Arc::new(GatedStore::in_memory());
        Desk::open(store, Limits::default(), Duration::from_secs(10)).await.expect("a desk")
    }

    async fn open(desk: &Arc<Desk>, secrets: &str) -> Result<Keys, KeysError> {
        let secrets = MasterSecrets::parse(secrets).expect("secrets");
        Keys::open(Arc::clone(desk), secrets, desk.last_confirmed().confirmed_at).await
    }

    #[tokio::test]
    async fn a_key_ring_is_created_once_and_the_log_names_its_keys() {
        let desk = desk().await;
        let first = open(&desk, OLD).await.expect("made").ring();
        assert_eq!(open(&desk, OLD).await.expect("read").ring().status(), first.status());
        Upkeep::new(Arc::clone(&desk)).beat().await.expect("the store");
        assert_ne!(desk.log(LogView::last_key_change), doorlist_verifier::Seq::ZERO);
    }

    #[tokio::test]
    async fn a_new_master_secret_reseals_the_ring_while_the_old_one_is_still_given() {
        let desk = desk().await;
        let ring = open(&desk, OLD).await.expect("made").ring();
        assert!(matches!(open(&desk, NEW).await, Err(KeysError::Unreadable(_))));
        let both = open(&desk, &format!("{NEW}\n{OLD}")).await.expect("opens under the old one");
        assert_eq!(both.ring().status(), ring.status());
        let resealed = open(&desk, NEW).await.expect("opens under the new one");
        assert_eq!(resealed.ring().status(), ring.status());
    }

    #[tokio::test]
    async fn two_nodes_that_retire_one_key_do_it_once() {
        let desk = desk().await;
        let (here, there) = (open(&desk, OLD).await.expect("keys"), open(&desk, OLD).await.expect("keys"));
        let (kid, now) = (here.ring().active().kid(), desk.last_confirmed().confirmed_at);
        here.retire(kid, now).await.expect("the key is trusted");
        // The node `there` decides with an old copy of the ring. The store reports a conflict, and the node reads the
        // ring and decides again.
        assert!(matches!(there.retire(kid, now).await, Err(KeysError::UnknownKey(_))));
        assert_eq!(there.ring().status(), here.ring().status());
    }
}
