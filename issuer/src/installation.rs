//! The installation's identity. At the start and then once per heartbeat, each node compares its own name and settings
//! with the record in the store, which all nodes share.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use doorlist_verifier::UnixSeconds;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use crate::config::Settings;
use crate::domain::installation::{Difference, Foreign, FormerIssuer, Installation, Own, admit, differences};
use crate::store::{Store, StoreError, Version};

/// Why a node is not allowed to start on a store.
#[derive(Debug, thiserror::Error)]
pub enum InstallationError {
    /// See [`Foreign`].
    #[error(transparent)]
    Foreign(#[from] Foreign),
    /// See [`StoreError`].
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store is empty. Either its data is lost, or the server, database or prefix is wrong.
    #[error(
        "the store holds nothing under the prefix {prefix}: correct --store (DOORLIST_STORE) or --store-prefix \
         (DOORLIST_STORE_PREFIX), restore the lost data, or start a new installation there with --init \
         (DOORLIST_INIT=true)"
    )]
    Empty {
        /// The value of `--store-prefix`.
        prefix: String,
    },
}

/// The settings that a node compares with the store.
pub struct Comparison {
    store: Arc<dyn Store>,
    own: Own,
    /// The installation's new name, if another node has renamed the installation and this node still uses the former
    /// name.
    renamed: watch::Sender<Option<String>>,
}

impl Comparison {
    /// A comparison for a node that uses the name `issuer` and these settings.
    pub fn new(store: Arc<dyn Store>, issuer: &str, settings: &Settings) -> Self {
        let former = settings.addresses.former_issuers.iter().map(ToString::to_string).collect();
        let own = Own { issuer: issuer.to_owned(), former, settings: shared_settings(settings) };
        Self { store, own, renamed: watch::Sender::new(None) }
    }

    /// Whether another node has renamed the installation. In this case the other nodes do not accept tokens that this
    /// node signs.
    pub fn is_renamed(&self) -> bool {
        self.renamed.borrow().is_some()
    }

    /// Checks that this node is allowed to start. Call this function before the node writes anything.
    ///
    /// # Errors
    ///
    /// [`InstallationError`] if this node is not allowed to start.
    pub async fn check(&self) -> Result<(), InstallationError> {
        let stored = self.read().await?;
        admit(stored.as_ref().map(|(_, stored)| stored), &self.own, UnixSeconds::ZERO)?;
        Ok(())
    }

    /// Checks that the store is not empty. Without this check, a store that lost everything would be treated like a
    /// new store.
    ///
    /// # Errors
    ///
    /// [`InstallationError::Empty`] if the store is empty and `init` is not set.
    pub async fn check_presence(&self, prefix: &str, init: bool) -> Result<(), InstallationError> {
        let holds_something = self.store.keys().await?.is_some() || self.read().await?.is_some();
        match (holds_something, init) {
            (false, false) => Err(InstallationError::Empty { prefix: prefix.to_owned() }),
            (true, true) => {
                tracing::warn!(
                    "the store already holds an installation, so --init (DOORLIST_INIT) has no effect: remove this setting, so that the next start notices a lost store"
                );
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Stores the node's name and settings, and logs a warning for each setting that differs from the setting of
    /// the node that started last.
    ///
    /// # Errors
    ///
    /// [`InstallationError`] if the node is not allowed to start.
    pub async fn enter(&self, now: UnixSeconds) -> Result<Vec<FormerIssuer>, InstallationError> {
        loop {
            let stored = self.read().await?;
            let (version, held) = stored.map_or((None, None), |(version, held)| (Some(version), Some(held)));
            let admitted = admit(held.as_ref(), &self.own, now)?;
            if held.as_ref() != Some(&admitted.installation)
                && !self.store.swap_installation(version, encode(&admitted.installation)?).await?
            {
                continue;
            }
            if let Some(renamed) = held.filter(|held| held.issuer != self.own.issuer) {
                tracing::warn!(from = %renamed.issuer, to = %self.own.issuer, "the issuer was renamed");
            }
            warn_of(&admitted.differences);
            return Ok(admitted.former);
        }
    }

    /// Compares the settings with the store once per heartbeat until the future is dropped. Puts the record back if
    /// the store lost it, logs a warning if a node has other settings, and notices if another node has renamed the
    /// issuer.
    pub async fn run(&self, heartbeat: Duration) {
        let mut ticks = tokio::time::interval(heartbeat);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut last = None;
        loop {
            ticks.tick().await;
            // If the store cannot be reached, the heartbeat reports this.
            let Ok(stored) = self.read().await else { continue };
            let Some((_, stored)) = stored else {
                if let Some(lost) = &last
                    && let Ok(bytes) = encode(lost)
                {
                    // The swap may fail, or another node may put the record back first. In both cases the next
                    // heartbeat compares again.
                    let _ = self.store.swap_installation(None, bytes).await;
                }
                continue;
            };
            let another = (stored.issuer != self.own.issuer).then(|| stored.issuer.clone());
            if *self.renamed.borrow() != another {
                if let Some(name) = &another {
                    tracing::error!(
                        from = %self.own.issuer,
                        to = %name,
                        "another node has renamed the issuer, so this node signs no more tokens: restart it with the new --issuer (DOORLIST_ISSUER)"
                    );
                }
                self.renamed.send_replace(another);
            }
            if last.as_ref() != Some(&stored) {
                warn_of(&differences(&stored, &self.own));
                last = Some(stored);
            }
        }
    }

    async fn read(&self) -> Result<Option<(Version, Installation)>, StoreError> {
        let Some((version, bytes)) = self.store.installation().await? else { return Ok(None) };
        let installation = serde_json::from_slice(&bytes).map_err(|error| StoreError::Corrupt {
            place: "the installation's record".to_owned(),
            reason: format!("unexpected content from column {}", error.column()),
        })?;
        Ok(Some((version, installation)))
    }
}

fn encode(installation: &Installation) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(installation).map_err(|error| StoreError::Corrupt {
        place: "the installation's record".to_owned(),
        reason: error.to_string(),
    })
}

fn warn_of(differences: &[Difference]) {
    for Difference { flag, stored, own } in differences {
        tracing::warn!(
            "{flag} is {own} on this node, and {stored} on the node that started last: use the same value on every node (it may differ during a rolling deployment)"
        );
    }
}

/// The settings that should be the same on every node, because one node reads data that another node stores or
/// signs.
fn shared_settings(settings: &Settings) -> BTreeMap<String, String> {
    let lifetimes = &settings.lifetimes;
    let pairs = [
        ("--audience", settings.addresses.audience.clone()),
        ("--access-ttl-secs", lifetimes.access_ttl_secs.to_string()),
        ("--refresh-idle-secs", lifetimes.refresh_idle_secs.to_string()),
        ("--refresh-absolute-secs", lifetimes.refresh_absolute_secs.to_string()),
        ("--refresh-grace-secs", lifetimes.refresh_grace_secs.to_string()),
        ("--leeway-secs", lifetimes.leeway_secs.to_string()),
        ("--heartbeat-secs", lifetimes.heartbeat_secs.to_string()),
    ];
    pairs.map(|(flag, value)| (flag.to_owned(), value)).into()
}
