//! The heartbeat: proof that nothing is missing, and what has to be done now and then.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use doorlist_verifier::{Seq, UnixSeconds};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::time::{Instant, MissedTickBehavior};

use super::{Desk, Standing, lock};
use crate::domain::Subject;
use crate::store::StoreError;

/// Records looked at together.
const LOOKS: usize = 64;
/// Records examined for forgetting in one beat.
const SWEEP: usize = 256;
/// Confirmations tried when each finds something missing.
const TRIES: usize = 3;

/// Which look at a record this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// The log keeps the entry, and there will be another.
    Early,
    /// The log forgets the entry after it.
    Last,
}

impl Desk {
    /// Beats twice a heartbeat until dropped. Run once, in the background.
    pub async fn heartbeats(&self) {
        let mut beats = tokio::time::interval((self.heartbeat / 2).max(Duration::from_millis(10)));
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            beats.tick().await;
            if let Err(error) = self.beat().await {
                tracing::warn!(%error, "no heartbeat");
            }
        }
    }

    /// One heartbeat: confirms that the store lost nothing (and puts back what it lost), drops log entries past
    /// their time after a last look at their records, forgets records past their keeping.
    pub async fn beat(&self) -> Result<Standing, StoreError> {
        let standing = self.confirm().await?;
        self.trim(standing.confirmed_at).await?;
        self.forget_some(standing.confirmed_at).await?;
        Ok(standing)
    }

    /// The standing, after a confirmation of the store if the last one is older than the heartbeat. What a list is
    /// signed on.
    pub async fn confirmed(&self) -> Result<Standing, StoreError> {
        let standing = self.standing();
        if standing.is_fresh(self.heartbeat) { Ok(standing) } else { self.confirm_once_more().await }
    }

    async fn confirm_once_more(&self) -> Result<Standing, StoreError> {
        let asked = Instant::now();
        let alone = self.confirming.lock().await;
        let standing = self.standing();
        if standing.confirmed >= asked {
            return Ok(standing);
        }
        let standing = self.confirm_alone().await;
        drop(alone);
        standing
    }

    pub(super) async fn confirm(&self) -> Result<Standing, StoreError> {
        let _alone = self.confirming.lock().await;
        self.confirm_alone().await
    }

    /// A write that compares epoch and last sequence with the copy's: what it finds missing is put back first, what
    /// it finds new is read.
    async fn confirm_alone(&self) -> Result<Standing, StoreError> {
        for _ in 0..TRIES {
            let sent = Instant::now();
            let confirmation = self.store.confirm(self.position()).await?;
            if !confirmation.whole {
                self.mend().await?;
                continue;
            }
            if confirmation.position.seq > self.position().seq {
                self.catch_up().await?;
                if confirmation.position.seq > self.position().seq {
                    // A failover in between lost what was confirmed, and this node has not read it.
                    continue;
                }
            }
            self.look_at_unfinished().await?;
            let clock_skew_secs = skew_secs(confirmation.now);
            self.standing.send_modify(|standing| {
                standing.confirmed_at = standing.confirmed_at.max(confirmation.now);
                standing.confirmed = sent;
                standing.clock_skew_secs = clock_skew_secs;
            });
            return Ok(self.standing());
        }
        Err(StoreError::Unavailable("the store keeps losing its end of the log".into()))
    }

    /// Trimming is the last heal: an entry is dropped only after its record was read and finished, so that no failover
    /// brings back an unfinished one.
    async fn trim(&self, now: UnixSeconds) -> Result<(), StoreError> {
        let Some(through) = self.log(|log| log.expired_through(now)) else { return Ok(()) };
        self.look_at(self.log(|log| log.subjects_through(through)), Look::Last).await?;
        self.store.trim(through).await?;
        lock(&self.log).trim(through);
        Ok(())
    }

    /// Reads, and so finishes, the record of every entry up to here.
    pub(super) async fn look_at_entries_through(&self, through: Seq) -> Result<(), StoreError> {
        self.look_at(self.log(|log| log.subjects_through(through)), Look::Early).await
    }

    pub(super) async fn look_at(&self, subjects: Vec<Subject>, look: Look) -> Result<(), StoreError> {
        let look_at_one = async |sub: &Subject| match look {
            Look::Early => self.read(sub).await.map(drop),
            Look::Last => self.finish(sub).await,
        };
        let looks = subjects.into_iter().map(async |sub| match look_at_one(&sub).await {
            // Nobody can refresh with a record that cannot be read; it must not hold up the others, if it is all
            // that cannot be read.
            Err(error @ StoreError::Corrupt { .. }) => {
                tracing::error!(%error, "a revocation cannot be finished");
                self.catch_up().await
            }
            looked => looked,
        });
        stream::iter(looks).buffer_unordered(LOOKS).try_collect().await
    }

    /// Goes on with the search for records past their keeping.
    async fn forget_some(&self, now: UnixSeconds) -> Result<(), StoreError> {
        let mut sweep = self.sweep.lock().await;
        let retain_secs = self.log(|log| log.settings().retain_secs);
        let rows = self.store.subjects(sweep.as_ref(), SWEEP).await?;
        *sweep = if rows.len() < SWEEP { None } else { rows.last().map(|row| row.sub.clone()) };
        for row in rows {
            let Ok((version, record)) = row.record else { continue };
            if record.is_past_keeping(now, retain_secs) {
                self.store.forget(&row.sub, version).await?;
            }
        }
        Ok(())
    }
}

fn skew_secs(store: UnixSeconds) -> u64 {
    let host = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    host.abs_diff(store.as_secs())
}
