//! Restoring: puts back the entries that the store has lost and that this node still holds.

use std::collections::HashSet;

use doorlist_verifier::Seq;
use tokio::time::Instant;

use super::{LogCopy, lock};
use crate::domain::{Appended, NewEntry, Subject};
use crate::store::{Commit, StoreError};

/// The restorations so far.
#[derive(Debug, Default)]
pub(super) struct Restorations {
    count: u64,
    /// When the last successful restoration began.
    last_success: Option<Instant>,
}

/// Subjects whose entries were put back before this value was made.
pub(in crate::desk) struct Unfinished(HashSet<(u64, Subject)>);

impl Unfinished {
    /// Each subject once.
    pub(in crate::desk) fn subjects(&self) -> Vec<Subject> {
        let subjects: HashSet<&Subject> = self.0.iter().map(|(_, sub)| sub).collect();
        subjects.into_iter().cloned().collect()
    }
}

impl LogCopy {
    /// Makes the store's revocation log and the copy equal. Appends the entries of the copy that are younger than
    /// `retain` and missing in the store. Notes that the records of the subjects of these entries must be healed, see
    /// [unfinished](Self::unfinished). Puts back the epoch, the settings and the key ring if they are missing. Appends
    /// one empty mark, so that the last sequence number becomes greater than every sequence number that was given out
    /// before the loss.
    pub(in crate::desk) async fn restore(&self) -> Result<(), StoreError> {
        let asked = Instant::now();
        let mut restorations = self.restoring.lock().await;
        if restorations.last_success.is_some_and(|begun| begun > asked) {
            return Ok(());
        }
        let begun = Instant::now();
        restorations.count += 1;
        self.store.merge_settings(self.view(|log| *log.settings())).await?;
        self.put_back_ring().await?;
        loop {
            self.put_back(restorations.count).await?;
            if self.rebuild().await? {
                break;
            }
        }
        restorations.last_success = Some(begun);
        Ok(())
    }

    async fn put_back(&self, restoration: u64) -> Result<(), StoreError> {
        let log = self.store.log_since(Seq::ZERO).await?;
        let lost: Vec<Appended> =
            self.view(|held| held.lost_by(&log).map(|lost| lost.entry.clone()).collect());
        tracing::warn!(
            lost = lost.len(),
            "the store lost the last entries of the revocation log; writing them again"
        );
        // The subjects are noted before the write, because a lost answer does not show whether the entries were
        // written.
        lock(&self.unfinished).extend(lost.iter().filter_map(subject).map(|sub| (restoration, sub.clone())));
        let entries = lost.into_iter().map(NewEntry::Restored).chain([NewEntry::Mark]).collect();
        let seen = self.position().seq;
        self.store.commit(Commit { entries, seen, ..Commit::default() }).await?;
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

    /// Whether the records of all subjects whose entries were put back have been healed.
    pub(in crate::desk) fn is_finished(&self) -> bool {
        lock(&self.unfinished).is_empty()
    }

    /// The subjects whose entries were put back, and whose records have not been healed since then.
    pub(in crate::desk) async fn unfinished(&self) -> Unfinished {
        // Waits for a running restoration. Otherwise a record would be healed before the entries of its subject are
        // back.
        let _alone = self.restoring.lock().await;
        Unfinished(lock(&self.unfinished).clone())
    }

    /// Removes these subjects, because their records have been healed. If entries of a subject were put back again
    /// meanwhile, the subject is not removed.
    pub(in crate::desk) fn finish(&self, healed: &Unfinished) {
        lock(&self.unfinished).retain(|noted| !healed.0.contains(noted));
    }
}

fn subject(entry: &Appended) -> Option<&Subject> {
    match entry {
        Appended::Revoked(revoked) => Some(&revoked.sub),
        Appended::Cutoff { .. } | Appended::Key { .. } | Appended::Mark => None,
    }
}
