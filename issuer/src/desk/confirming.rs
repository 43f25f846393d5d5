//! Confirmations for requests. At most one confirmation runs at a time, and all callers that wait for it share its
//! result.

use tokio::time::Instant;

use super::{Confirmed, Desk};
use crate::store::StoreError;

/// A confirmation that failed.
pub(super) struct Failure {
    begun: Instant,
    error: StoreError,
}

impl Desk {
    /// Returns the last confirmation if it is younger than a heartbeat and no record waits to be healed. A record waits
    /// to be healed after entries of its subject were put back. Otherwise asks the store for a new confirmation, heals
    /// the waiting records, and returns the new confirmation. The caller must not sign a list without the returned
    /// confirmation.
    pub async fn confirmed(&self) -> Result<Confirmed, StoreError> {
        let confirmed = self.last_confirmed();
        if confirmed.is_fresh(self.heartbeat) && self.records.log_copy.is_finished() {
            Ok(confirmed)
        } else {
            self.confirm_once_more().await
        }
    }

    async fn confirm_once_more(&self) -> Result<Confirmed, StoreError> {
        let asked = Instant::now();
        let mut last_failure = self.confirming.lock().await;
        let confirmed = self.last_confirmed();
        if confirmed.confirmed >= asked && self.records.log_copy.is_finished() {
            return Ok(confirmed);
        }
        match &*last_failure {
            // If an attempt to confirm fails, every caller that waited for the attempt gets the attempt's error. The
            // caller makes no attempt of its own, because a failing attempt can take a long time.
            Some(failure) if failure.begun > asked => Err(failure.error.clone()),
            _ => self.confirm_alone(&mut last_failure).await,
        }
    }

    /// Asks the store for a new confirmation.
    pub(super) async fn confirm(&self) -> Result<Confirmed, StoreError> {
        self.confirm_alone(&mut *self.confirming.lock().await).await
    }

    async fn confirm_alone(&self, last_failure: &mut Option<Failure>) -> Result<Confirmed, StoreError> {
        let begun = Instant::now();
        let confirmed = self.try_confirm().await;
        *last_failure = confirmed.as_ref().err().map(|error| Failure { begun, error: error.clone() });
        confirmed
    }

    async fn try_confirm(&self) -> Result<Confirmed, StoreError> {
        let proof = self.records.log_copy.prove().await?;
        self.records.heal_unfinished().await?;
        Ok(self.records.log_copy.accept(proof))
    }
}
