//! The heartbeat: proves that the store lost nothing, and does the periodic upkeep.

use std::iter;
use std::ops::RangeInclusive;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use doorlist_verifier::{Seq, UnixSeconds};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::time::{Instant, MissedTickBehavior};

use super::{Confirmed, Desk, lock};
use crate::domain::heal::heal;
use crate::domain::{Applied, Record, Subject};
use crate::store::{Readings, StoreError};

/// During a long scan, write one progress line to the log output per this many records.
const WORD: usize = 100_000;
/// Each beat checks at most this many records whether they can be deleted.
const SWEEP: usize = 256;
/// Maximum number of attempts at a confirmation if each one finds something missing.
const TRIES: usize = 3;

/// A confirmation that failed.
pub(super) struct Failure {
    begun: Instant,
    error: StoreError,
}

/// The two occasions on which the record of an entry is read and healed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// The entry stays in the revocation log, so its record will be read and healed again.
    Early,
    /// The entry is trimmed from the revocation log afterwards.
    Last,
}

impl Look {
    /// How many records are read together, and how many such reads run at the same time.
    fn at_once(self) -> (usize, usize) {
        match self {
            Self::Early => (128, 8),
            Self::Last => (1, 64),
        }
    }
}

impl Desk {
    /// Runs [`Self::beat`] twice per heartbeat interval until the future is dropped. Start this future once, in the
    /// background.
    pub async fn heartbeats(&self) {
        let mut beats = tokio::time::interval((self.heartbeat / 2).max(Duration::from_millis(10)));
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            beats.tick().await;
            if let Err(error) = self.beat().await {
                tracing::warn!(%error, "the heartbeat failed");
            }
        }
    }

    /// One heartbeat. Confirms that the store lost nothing. If the store lost entries, puts them back. Reads and heals
    /// the records of expired entries a last time, and then drops these entries from the revocation log. Deletes
    /// records that are no longer needed.
    pub async fn beat(&self) -> Result<Confirmed, StoreError> {
        let standing = self.confirm().await?;
        self.trim(standing.confirmed_at).await?;
        self.forget_some(standing.confirmed_at).await?;
        Ok(standing)
    }

    /// The current standing, with a confirmation that is younger than a heartbeat. If the last confirmation is older,
    /// the store is asked for a new one first. A list may be signed only with such a standing.
    pub async fn confirmed(&self) -> Result<Confirmed, StoreError> {
        let standing = self.last_confirmed();
        if standing.is_fresh(self.heartbeat) { Ok(standing) } else { self.confirm_once_more().await }
    }

    async fn confirm_once_more(&self) -> Result<Confirmed, StoreError> {
        let asked = Instant::now();
        let mut last_failure = self.confirming.lock().await;
        let standing = self.last_confirmed();
        if standing.confirmed >= asked {
            return Ok(standing);
        }
        match &*last_failure {
            // Callers that waited for this attempt share its failure, because a failing attempt may take long.
            Some(failure) if failure.begun > asked => Err(failure.error.clone()),
            _ => self.confirm_alone(&mut last_failure).await,
        }
    }

    pub(super) async fn confirm(&self) -> Result<Confirmed, StoreError> {
        self.confirm_alone(&mut *self.confirming.lock().await).await
    }

    async fn confirm_alone(&self, last_failure: &mut Option<Failure>) -> Result<Confirmed, StoreError> {
        let begun = Instant::now();
        let confirmed = self.try_confirm().await;
        *last_failure = confirmed.as_ref().err().map(|error| Failure { begun, error: error.clone() });
        confirmed
    }

    /// Confirms with a write that compares the store's epoch and last sequence with this node's copy. If the store
    /// lost entries, they are put back first. If the store has new entries, they are read.
    async fn try_confirm(&self) -> Result<Confirmed, StoreError> {
        for _ in 0..TRIES {
            let (sent, host) = (Instant::now(), host_secs());
            let confirmation = self.store.confirm(self.position()).await?;
            let clock_skew_secs = skew_secs(host..=host_secs(), confirmation.now);
            if !confirmation.whole {
                self.mend().await?;
                continue;
            }
            if confirmation.position.seq > self.position().seq {
                self.catch_up().await?;
                if confirmation.position.seq > self.position().seq {
                    // A failover lost the confirmed entries before this node read them.
                    continue;
                }
            }
            self.look_at_unfinished().await?;
            self.standing.send_modify(|standing| {
                standing.confirmed_at = standing.confirmed_at.max(confirmation.now);
                standing.confirmed = sent;
                standing.clock_skew_secs = clock_skew_secs;
            });
            return Ok(self.last_confirmed());
        }
        Err(StoreError::Unavailable("the store keeps losing the last entries of the revocation log".into()))
    }

    /// Before an entry is trimmed, its record is read and healed a last time. Otherwise a failover could bring an
    /// unfinished record back after the entry is gone.
    async fn trim(&self, now: UnixSeconds) -> Result<(), StoreError> {
        let Some(through) = self.log(|log| log.expired_through(now)) else { return Ok(()) };
        self.look_at(self.log(|log| log.subjects_through(through)), Look::Last).await?;
        self.store.trim(through).await?;
        lock(&self.log).trim(through);
        Ok(())
    }

    /// Reads and heals the record of every entry up to `through`.
    pub(super) async fn look_at_entries_through(&self, through: Seq) -> Result<(), StoreError> {
        self.look_at(self.log(|log| log.subjects_through(through)), Look::Early).await
    }

    pub(super) async fn look_at(&self, subjects: Vec<Subject>, look: Look) -> Result<(), StoreError> {
        let (together, at_once) = look.at_once();
        let (mut looked, of) = (0, subjects.len());
        let mut rest = subjects.into_iter();
        let next = || Some(rest.by_ref().take(together).collect()).filter(|next: &Vec<_>| !next.is_empty());
        let looks = iter::from_fn(next).map(async |some| self.look_at_some(some, look).await);
        let mut looks = stream::iter(looks).buffer_unordered(at_once);
        while let Some(count) = looks.try_next().await? {
            let words = looked / WORD;
            looked += count;
            if looked / WORD > words {
                tracing::info!(looked, of, "checking the records named in the revocation log");
            }
        }
        Ok(())
    }

    /// Returns the number of subjects. Most records need no change, so [`Look::Early`] reads many of them together.
    async fn look_at_some(&self, subjects: Vec<Subject>, look: Look) -> Result<usize, StoreError> {
        let count = subjects.len();
        let left = match look {
            Look::Early => self.left_to_finish(subjects).await?,
            Look::Last => subjects,
        };
        for sub in &left {
            self.look_at_one(sub, look).await?;
        }
        Ok(count)
    }

    /// The subjects whose records need a change according to the revocation log, or cannot be read.
    async fn left_to_finish(&self, subjects: Vec<Subject>) -> Result<Vec<Subject>, StoreError> {
        let Readings { records, news } = self.store.read_several(&subjects, self.position().seq).await?;
        if self.apply_page(&news) == Applied::Broken {
            return Ok(subjects);
        }
        let asks_nothing = |sub: &Subject, record: &Record| {
            heal(sub, record, &self.log(|log| log.of(sub)), || self.draw()).is_none()
        };
        let unfinished = subjects.into_iter().zip(records).filter(|(sub, record)| match record {
            Ok(record) => !record.as_ref().is_none_or(|(_, record)| asks_nothing(sub, record)),
            Err(_) => true,
        });
        Ok(unfinished.map(|(sub, _)| sub).collect())
    }

    async fn look_at_one(&self, sub: &Subject, look: Look) -> Result<(), StoreError> {
        let looked = match look {
            Look::Early => self.read(sub).await.map(drop),
            Look::Last => self.finish(sub).await,
        };
        match looked {
            // This record cannot be read, so the subject's sessions cannot be refreshed. The record can be healed
            // later, and the other records need not wait for it. If the store as a whole cannot be read, `catch_up`
            // fails.
            Err(error @ StoreError::Corrupt { .. }) => {
                tracing::error!(%error, "a revocation cannot be applied to the subject's record");
                self.catch_up().await
            }
            looked => looked,
        }
    }

    /// Continues the search for records that can be deleted.
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

fn host_secs() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// Seconds by which the store's time lies outside the interval between the host's request and the store's answer. An
/// interval is needed because an answer may take long, and with a leeway of zero a difference of one second is already
/// too much.
fn skew_secs(asked: RangeInclusive<u64>, store: UnixSeconds) -> u64 {
    let store = store.as_secs();
    asked.start().saturating_sub(store).max(store.saturating_sub(*asked.end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_the_request_is_not_skew() {
        let skew = |asked, store| skew_secs(asked, UnixSeconds::saturating_new(store));
        for store in 100..=103 {
            assert_eq!(skew(100..=103, store), 0);
        }
        assert_eq!(skew(100..=103, 95), 5);
        assert_eq!(skew(100..=103, 110), 7);
    }
}
