//! Heals many records. After entries were put back, and before entries are trimmed, heals the records of the subjects
//! of these entries. At the start of a node, heals the records of the subjects of all entries.

use std::iter;

use futures_util::{StreamExt, TryStreamExt, stream};

use super::Records;
use crate::domain::heal::heal;
use crate::domain::{Applied, Record, Subject};
use crate::store::{Readings, StoreError};

/// While many records are healed, one progress line is written to the log output per this many records.
const PROGRESS: usize = 100_000;

/// Whether the record of an entry's subject is healed for the last time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::desk) enum Healing {
    /// The entry stays in the revocation log, so the record of its subject will be healed again.
    Early,
    /// The entry is trimmed from the revocation log after its subject's record has been healed. Therefore the healing
    /// waits until no failover can lose the record.
    Last,
}

impl Healing {
    /// How many records are read together, and how many of these reads run at the same time.
    fn at_once(self) -> (usize, usize) {
        match self {
            Self::Early => (128, 8),
            Self::Last => (1, 64),
        }
    }
}

impl Records {
    /// Heals the records of the subjects whose entries were put back.
    pub(in crate::desk) async fn heal_unfinished(&self) -> Result<(), StoreError> {
        if self.log_copy.is_finished() {
            return Ok(());
        }
        let unfinished = self.log_copy.unfinished().await;
        self.heal_all(unfinished.subjects(), Healing::Early).await?;
        self.log_copy.finish(&unfinished);
        Ok(())
    }

    /// Heals the records of these subjects.
    pub(in crate::desk) async fn heal_all(
        &self,
        subjects: Vec<Subject>,
        healing: Healing,
    ) -> Result<(), StoreError> {
        let (together, at_once) = healing.at_once();
        let (mut looked, of) = (0, subjects.len());
        let mut rest = subjects.into_iter();
        let next = || Some(rest.by_ref().take(together).collect()).filter(|next: &Vec<_>| !next.is_empty());
        let batches = iter::from_fn(next).map(async |batch| self.heal_batch(batch, healing).await);
        let mut batches = stream::iter(batches).buffer_unordered(at_once);
        while let Some(count) = batches.try_next().await? {
            let lines = looked / PROGRESS;
            looked += count;
            if looked / PROGRESS > lines {
                tracing::info!(looked, of, "checking the records named in the revocation log");
            }
        }
        Ok(())
    }

    /// Returns the number of subjects. Most records need no change, so [`Healing::Early`] reads many of them together.
    async fn heal_batch(&self, subjects: Vec<Subject>, healing: Healing) -> Result<usize, StoreError> {
        let count = subjects.len();
        let left = match healing {
            Healing::Early => self.in_need_of_healing(subjects).await?,
            Healing::Last => subjects,
        };
        for sub in &left {
            self.heal(sub, healing).await?;
        }
        Ok(count)
    }

    /// The subjects whose records cannot be read, or must be changed according to the revocation log.
    async fn in_need_of_healing(&self, subjects: Vec<Subject>) -> Result<Vec<Subject>, StoreError> {
        let Readings { records, news } =
            self.store.read_several(&subjects, self.log_copy.position().seq).await?;
        if self.log_copy.apply(&news) == Applied::Broken {
            return Ok(subjects);
        }
        let asks_nothing = |sub: &Subject, record: &Record| {
            heal(sub, record, &self.log_copy.view(|log| log.of(sub)), || self.draw()).is_none()
        };
        let in_need = subjects.into_iter().zip(records).filter(|(sub, record)| match record {
            Ok(record) => !record.as_ref().is_none_or(|(_, record)| asks_nothing(sub, record)),
            Err(_) => true,
        });
        Ok(in_need.map(|(sub, _)| sub).collect())
    }

    async fn heal(&self, sub: &Subject, healing: Healing) -> Result<(), StoreError> {
        let healed = match healing {
            Healing::Early => self.read(sub).await.map(drop),
            Healing::Last => self.finish(sub).await,
        };
        match healed {
            // While a record cannot be read, the sessions of its subject cannot be refreshed. So the record can be
            // healed later, and other records need not wait for this record. If the store as a whole cannot be read,
            // `catch_up` fails.
            Err(error @ StoreError::Corrupt { .. }) => {
                tracing::error!(%error, "a revocation cannot be applied to the subject's record");
                self.log_copy.catch_up().await
            }
            healed => healed,
        }
    }
}
