//! How the node learns of new entries in the revocation log.

use doorlist_verifier::{Cursor, Seq};
use std::time::Duration;
use tokio::sync::watch;

use super::{Confirmed, Desk, lock};
use crate::domain::{Applied, LogPage};
use crate::store::StoreError;

/// Pause after a failed attempt to follow the store.
const BACK_OFF: Duration = Duration::from_millis(500);

impl Desk {
    /// The position of this node's copy of the revocation log, and the time of the last confirmation.
    pub fn last_confirmed(&self) -> Confirmed {
        *self.standing.borrow()
    }

    /// Reports every change of [`Self::last_confirmed`]: new entries of the revocation log, and confirmations.
    pub fn watch(&self) -> watch::Receiver<Confirmed> {
        self.standing.subscribe()
    }

    /// Waits until this node's copy holds everything up to `position`. Returns at once if the copy has another
    /// epoch.
    pub async fn reached(&self, position: Cursor) {
        let there = |standing: &Confirmed| {
            standing.position.epoch != position.epoch || standing.position.seq >= position.seq
        };
        // This wait fails only if the desk is gone.
        drop(self.watch().wait_for(there).await);
    }

    /// Follows the store's revocation log until the future is dropped. Run it once, in the background.
    pub async fn tail(&self) {
        loop {
            let followed = match self.store.wait_for_news(self.position().seq).await {
                Ok(()) => self.catch_up().await,
                Err(error) => Err(error),
            };
            if let Err(error) = followed {
                tracing::warn!(%error, "the revocation log cannot be followed");
                tokio::time::sleep(BACK_OFF).await;
            }
        }
    }

    /// Reads the store's entries that are newer than this node's copy.
    pub async fn catch_up(&self) -> Result<(), StoreError> {
        let page = self.store.log_since(self.position().seq).await?;
        match self.apply_page(&page) {
            Applied::News | Applied::Nothing => Ok(()),
            Applied::Broken => self.mend().await,
        }
    }

    /// Reads the revocation log at once, so that this node's verifiers learn of its own write without waiting for the
    /// tail. If this fails, the write is still stored, and the tail will read it later.
    pub(super) async fn tell_at_once(&self) {
        if let Err(error) = self.catch_up().await {
            tracing::warn!(%error, "the revocation log cannot be read");
        }
    }

    pub(super) fn apply_page(&self, page: &LogPage) -> Applied {
        let mut log = lock(&self.log);
        let applied = log.apply(page);
        if applied == Applied::News {
            let position = log.position();
            // `log` is still locked here, so that positions are reported in order.
            self.standing.send_modify(|standing| standing.position = position);
        }
        applied
    }

    /// Rebuilds this node's copy from the store's whole revocation log. A late reply of the previous master may have
    /// brought entries that the store's revocation log lacks. In this case returns `false` and changes nothing.
    pub(super) async fn rebuild_copy(&self) -> Result<bool, StoreError> {
        let whole = self.store.log_since(Seq::ZERO).await?;
        let mut log = lock(&self.log);
        if log.would_forget(&whole) {
            return Ok(false);
        }
        log.renew(&whole);
        let position = log.position();
        self.standing.send_modify(|standing| standing.position = position);
        Ok(true)
    }

    pub(super) fn position(&self) -> Cursor {
        self.log(|log| log.position())
    }
}
