//! The node's copy of the revocation log. The copy reads new entries, puts back the entries that the store has lost,
//! and asks the store to confirm that no entry is missing.
//!
//! This module neither reads nor writes records. When the module puts entries back, it only notes the subjects whose
//! records must be healed, see [unfinished](LogCopy::unfinished). The next confirmation of the desk heals these
//! records.

mod confirmed;
mod follow;
mod restore;

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use doorlist_verifier::{Cursor, Seq};
use tokio::sync::watch;
use tokio::time::Instant;

pub use self::confirmed::Confirmed;
use super::lock;
use crate::domain::{LogSettings, LogView, Subject};
use crate::store::{Store, StoreError};

/// See the [module](self).
pub(super) struct LogCopy {
    store: Arc<dyn Store>,
    log: Mutex<LogView>,
    confirmed: watch::Sender<Confirmed>,
    /// The key ring as last read. If the store loses its key ring, this node puts this copy back.
    ring: Mutex<Option<Vec<u8>>>,
    /// Only one call puts entries back at a time.
    restoring: tokio::sync::Mutex<restore::Restorations>,
    /// Subjects whose entries were put back, each with the number of the restoration. A subject stays here until its
    /// record has been healed.
    unfinished: Mutex<HashSet<(u64, Subject)>>,
}

impl LogCopy {
    /// Raises `retain` in the store to at least `retain_secs`, and reads the whole revocation log. The copy is not
    /// confirmed yet.
    pub(super) async fn read(store: Arc<dyn Store>, retain_secs: u64) -> Result<Self, StoreError> {
        let settings = store.settings().await?;
        store.merge_settings(LogSettings { retain_secs, ..settings }).await?;
        let ring = store.keys().await?.map(|(_, ring)| ring);
        let sent = Instant::now();
        let whole = store.log_since(Seq::ZERO).await?;
        let confirmed = Confirmed {
            position: whole.position(),
            confirmed_at: whole.now,
            confirmed: sent,
            clock_skew_secs: 0,
        };
        Ok(Self {
            store,
            log: Mutex::new(LogView::new(&whole)),
            confirmed: watch::Sender::new(confirmed),
            ring: Mutex::new(ring),
            restoring: tokio::sync::Mutex::default(),
            unfinished: Mutex::default(),
        })
    }

    /// Runs `look` on the copy. `look` must return quickly, because every request waits while it runs.
    pub(super) fn view<R>(&self, look: impl FnOnce(&LogView) -> R) -> R {
        look(&lock(&self.log))
    }

    /// Like [`Self::view`], but returns `None` while a record still has to be healed because entries of its subject
    /// were put back.
    ///
    /// The subject of the record is noted as [unfinished](Self::unfinished) before the copy gets the entries that were
    /// put back. The subject stays noted until the copy has the entries that healing appended. The copy is locked
    /// during the check and during `look`. So if `look` sees entries that were put back, `look` also sees the entries
    /// that healing appended.
    pub(super) fn view_if_finished<R>(&self, look: impl FnOnce(&LogView) -> R) -> Option<R> {
        let log = lock(&self.log);
        self.is_finished().then(|| look(&log))
    }

    /// Drops the entries up to `through` from the store and from the copy.
    pub(super) async fn trim(&self, through: Seq) -> Result<(), StoreError> {
        self.store.trim(through).await?;
        lock(&self.log).trim(through);
        Ok(())
    }

    pub(super) fn position(&self) -> Cursor {
        self.view(LogView::position)
    }

    pub(super) fn remember_ring(&self, ring: Vec<u8>) {
        *lock(&self.ring) = Some(ring);
    }
}
