//! Mending: puts back the entries that the store has lost and that this node still holds.

use std::collections::HashSet;

use doorlist_verifier::Seq;
use tokio::time::Instant;

use super::heartbeat::Look;
use super::{Desk, lock};
use crate::domain::{Appended, NewEntry, Subject};
use crate::store::{Commit, StoreError};

/// The mendings so far.
#[derive(Debug, Default)]
pub(super) struct Mendings {
    count: u64,
    /// When the last successful mending began.
    last_success: Option<Instant>,
}

impl Desk {
    /// Makes the store's revocation log and this node's copy equal. Appends the entries of the copy that are younger
    /// than `retain` and missing in the store. Puts back the epoch, the settings and the key ring if they are missing.
    /// Appends one empty mark, so that the new sequence is greater than every sequence given out before.
    pub(super) async fn mend(&self) -> Result<(), StoreError> {
        let asked = Instant::now();
        let mut mendings = self.mending.lock().await;
        if mendings.last_success.is_some_and(|begun| begun > asked) {
            return Ok(());
        }
        let begun = Instant::now();
        mendings.count += 1;
        self.store.merge_settings(self.log(|log| *log.settings())).await?;
        self.put_back_ring().await?;
        loop {
            self.put_back(mendings.count).await?;
            if self.rebuild_copy().await? {
                break;
            }
        }
        mendings.last_success = Some(begun);
        drop(mendings);
        self.look_at_unfinished().await
    }

    async fn put_back(&self, mending: u64) -> Result<(), StoreError> {
        let log = self.store.log_since(Seq::ZERO).await?;
        let lost: Vec<Appended> =
            self.log(|held| held.lost_by(&log).map(|lost| lost.entry.clone()).collect());
        tracing::warn!(
            lost = lost.len(),
            "the store lost the last entries of the revocation log; writing them again"
        );
        // The subjects are noted before the write, because a lost answer does not show whether the entries were
        // written.
        lock(&self.unfinished).extend(lost.iter().filter_map(subject).map(|sub| (mending, sub.clone())));
        let entries = lost.into_iter().map(NewEntry::Restored).chain([NewEntry::Mark]).collect();
        let seen = self.position().seq;
        self.store.commit(Commit { entries, seen, ..Commit::default() }).await?;
        Ok(())
    }

    /// Reads and heals the records of entries that were put back, if this has not been done yet. It was not done if
    /// the call that put the entries back was interrupted.
    pub(super) async fn look_at_unfinished(&self) -> Result<(), StoreError> {
        if lock(&self.unfinished).is_empty() {
            return Ok(());
        }
        // Waits for a running mending. Otherwise records would be healed before their entries are back.
        let alone = self.mending.lock().await;
        let unfinished = lock(&self.unfinished).clone();
        drop(alone);
        let subjects: HashSet<Subject> = unfinished.iter().map(|(_, sub)| sub.clone()).collect();
        self.look_at(subjects.into_iter().collect(), Look::Early).await?;
        lock(&self.unfinished).retain(|looked_at| !unfinished.contains(looked_at));
        Ok(())
    }

    async fn put_back_ring(&self) -> Result<(), StoreError> {
        let remembered = lock(&self.ring).clone();
        if let Some(ring) = remembered
            && self.store.keys().await?.is_none()
        {
            self.store.swap_keys(None, ring, Vec::new(), self.position().seq).await?;
        }
        Ok(())
    }
}

fn subject(entry: &Appended) -> Option<&Subject> {
    match entry {
        Appended::Revoked(revoked) => Some(&revoked.sub),
        Appended::Cutoff { .. } | Appended::Key { .. } | Appended::Mark => None,
    }
}
