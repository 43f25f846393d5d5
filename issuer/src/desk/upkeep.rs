//! The work of a node between requests.

use std::sync::Arc;
use std::time::Duration;

use doorlist_verifier::UnixSeconds;
use tokio::sync::Mutex;
use tokio::time::MissedTickBehavior;

use super::records::Healing;
use super::{Confirmed, Desk};
use crate::domain::Subject;
use crate::store::StoreError;

/// Each beat checks whether records can be deleted. One beat checks at most this many records.
const SWEEP: usize = 256;
/// Pause after a failed attempt to follow the store.
const BACK_OFF: Duration = Duration::from_millis(500);

/// The background work of a node: it follows the revocation log, confirms, trims old entries, and deletes records that
/// are no longer needed.
pub struct Upkeep {
    desk: Arc<Desk>,
    /// The search for records that can be deleted continues after this subject.
    sweep: Mutex<Option<Subject>>,
}

impl Upkeep {
    /// The upkeep of this desk. A node needs only one `Upkeep`.
    pub fn new(desk: Arc<Desk>) -> Self {
        Self { desk, sweep: Mutex::default() }
    }

    /// Follows the store's revocation log until the future is dropped. Start this future once, in the background.
    pub async fn tail(&self) {
        loop {
            if let Err(error) = self.follow().await {
                tracing::warn!(%error, "the revocation log cannot be followed");
                tokio::time::sleep(BACK_OFF).await;
            }
        }
    }

    async fn follow(&self) -> Result<(), StoreError> {
        let log_copy = &self.desk.records.log_copy;
        log_copy.wait_for_news().await?;
        log_copy.catch_up().await?;
        // No list is signed until the records of the subjects of restored entries are healed. So these records are
        // healed now, and not at the next heartbeat.
        if log_copy.is_finished() { Ok(()) } else { self.desk.confirmed().await.map(drop) }
    }

    /// Runs [`Self::beat`] twice per heartbeat interval until the future is dropped. Start this future once, in the
    /// background.
    pub async fn heartbeats(&self) {
        let mut beats = tokio::time::interval((self.desk.heartbeat / 2).max(Duration::from_millis(10)));
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            beats.tick().await;
            if let Err(error) = self.beat().await {
                tracing::warn!(%error, "the heartbeat failed");
            }
        }
    }

    /// One heartbeat. Confirms that the store lost nothing. If the store lost entries, puts them back. For expired
    /// entries, heals the records of their subjects a last time, and then drops these entries from the revocation log.
    /// Deletes records that are no longer needed.
    pub async fn beat(&self) -> Result<Confirmed, StoreError> {
        let confirmed = self.desk.confirm().await?;
        self.trim(confirmed.confirmed_at).await?;
        self.delete_some(confirmed.confirmed_at).await?;
        Ok(confirmed)
    }

    /// Before an entry is trimmed, the record of its subject is healed a last time. Otherwise a failover could bring an
    /// unhealed record back after the entry is gone.
    async fn trim(&self, now: UnixSeconds) -> Result<(), StoreError> {
        let Some(through) = self.desk.log(|log| log.expired_through(now)) else { return Ok(()) };
        let subjects = self.desk.log(|log| log.subjects_through(through));
        self.desk.records.heal_all(subjects, Healing::Last).await?;
        self.desk.records.log_copy.trim(through).await
    }

    /// Continues the search for records that can be deleted.
    async fn delete_some(&self, now: UnixSeconds) -> Result<(), StoreError> {
        let store = &self.desk.records.store;
        let mut sweep = self.sweep.lock().await;
        let retain_secs = self.desk.log(|log| log.settings().retain_secs);
        let rows = store.subjects(sweep.as_ref(), SWEEP).await?;
        *sweep = if rows.len() < SWEEP { None } else { rows.last().map(|row| row.sub.clone()) };
        for row in rows {
            let Ok((version, record)) = row.record else { continue };
            if record.is_past_keeping(now, retain_secs) {
                store.forget(&row.sub, version).await?;
            }
        }
        Ok(())
    }
}
