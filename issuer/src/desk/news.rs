//! How the node hears of the log.

use doorlist_verifier::{Cursor, Seq};
use std::time::Duration;
use tokio::sync::watch;

use super::{Desk, Standing, lock};
use crate::domain::{Applied, LogPage};
use crate::store::StoreError;

/// Pause after the store could not be followed.
const BACK_OFF: Duration = Duration::from_millis(500);

impl Desk {
    /// Where the copy of the log stands now, and when it was last confirmed.
    pub fn standing(&self) -> Standing {
        *self.standing.borrow()
    }

    /// Tells of every change of [`Self::standing`]: news of the log, and confirmations.
    pub fn watch(&self) -> watch::Receiver<Standing> {
        self.standing.subscribe()
    }

    /// Waits until the copy holds everything up to `position`; at once when it is of another epoch.
    pub async fn reached(&self, position: Cursor) {
        let there = |standing: &Standing| {
            standing.position.epoch != position.epoch || standing.position.seq >= position.seq
        };
        // Ends by itself only when the desk does.
        drop(self.watch().wait_for(there).await);
    }

    /// Follows the store's log until dropped. Run once, in the background.
    pub async fn tail(&self) {
        loop {
            let followed = match self.store.wait_for_news(self.position().seq).await {
                Ok(()) => self.catch_up().await,
                Err(error) => Err(error),
            };
            if let Err(error) = followed {
                tracing::warn!(%error, "the log cannot be followed");
                tokio::time::sleep(BACK_OFF).await;
            }
        }
    }

    /// Reads what the store's log has past the copy.
    pub async fn catch_up(&self) -> Result<(), StoreError> {
        let page = self.store.log_since(self.position().seq).await?;
        match self.hear(&page) {
            Applied::News | Applied::Nothing => Ok(()),
            Applied::Broken => self.mend().await,
        }
    }

    /// Tells this node's verifiers of what it has just written, without waiting for the tail. That it is written
    /// stays true when this fails: the tail will tell.
    pub(super) async fn tell_at_once(&self) {
        if let Err(error) = self.catch_up().await {
            tracing::warn!(%error, "the log cannot be read");
        }
    }

    pub(super) fn hear(&self, page: &LogPage) -> Applied {
        let mut log = lock(&self.log);
        let applied = log.apply(page);
        if applied == Applied::News {
            let position = log.position();
            // Under the lock, so that positions are told in their order.
            self.standing.send_modify(|standing| standing.position = position);
        }
        applied
    }

    /// The copy is made anew from everything the log holds. `false`, and unchanged: an answer of the master before came
    /// late, with what that log lacks.
    pub(super) async fn hear_anew(&self) -> Result<bool, StoreError> {
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
