//! A store in memory that can be cut off or emptied.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};

use async_trait::async_trait;
use doorlist_verifier::{Cursor, Seq};
use tokio::sync::oneshot;

use crate::domain::{LogPage, NewEntry, Settings, Subject};
use crate::store::{
    AuditRow, Commit, Committed, Confirmation, EmbeddedStore, Reading, Store, StoreError, SubjectRow, Version,
};

/// A store in memory that answers nothing while it is down.
pub(crate) struct FailingStore {
    inner: RwLock<Arc<EmbeddedStore>>,
    down: AtomicBool,
    behind_secs: AtomicU64,
    gate: Mutex<Option<oneshot::Receiver<()>>>,
}

impl FailingStore {
    pub(crate) fn in_memory() -> Self {
        Self {
            inner: RwLock::new(empty_store()),
            down: AtomicBool::new(false),
            gate: Mutex::default(),
            behind_secs: AtomicU64::new(0),
        }
    }

    pub(crate) fn cut_off(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    /// From now on confirmations show its clock to be so far behind the host's.
    pub(crate) fn fall_behind(&self, secs: u64) {
        self.behind_secs.store(secs, Ordering::SeqCst);
    }

    /// Whoever reads the keys next waits for a word.
    pub(crate) fn hold_keys(&self) -> oneshot::Sender<()> {
        let (go_on, gate) = oneshot::channel();
        *self.gate.lock().expect("nobody panics with the lock") = Some(gate);
        go_on
    }

    /// Everything in it is gone, as after `FLUSHALL`.
    pub(crate) fn empty(&self) {
        *self.inner.write().expect("nobody panics with the lock") = empty_store();
    }

    fn up(&self) -> Result<Arc<EmbeddedStore>, StoreError> {
        if self.down.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("cut off".to_owned()));
        }
        Ok(Arc::clone(&self.inner.read().expect("nobody panics with the lock")))
    }
}

fn empty_store() -> Arc<EmbeddedStore> {
    Arc::new(EmbeddedStore::in_memory().expect("a store in memory"))
}

#[async_trait]
impl Store for FailingStore {
    async fn read(&self, sub: &Subject, since: Seq) -> Result<Reading, StoreError> {
        self.up()?.read(sub, since).await
    }

    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError> {
        self.up()?.commit(commit).await
    }

    async fn settle(&self, sub: &Subject, read: Option<Version>) -> Result<bool, StoreError> {
        self.up()?.settle(sub, read).await
    }

    async fn log_since(&self, since: Seq) -> Result<LogPage, StoreError> {
        self.up()?.log_since(since).await
    }

    async fn wait_for_news(&self, since: Seq) -> Result<(), StoreError> {
        self.up()?.wait_for_news(since).await
    }

    async fn confirm(&self, held: Cursor) -> Result<Confirmation, StoreError> {
        let confirmation = self.up()?.confirm(held).await?;
        let now = confirmation.now.minus_secs(self.behind_secs.load(Ordering::SeqCst));
        Ok(Confirmation { now, ..confirmation })
    }

    async fn trim(&self, through: Seq) -> Result<(), StoreError> {
        self.up()?.trim(through).await
    }

    async fn merge_settings(&self, settings: Settings) -> Result<Settings, StoreError> {
        self.up()?.merge_settings(settings).await
    }

    async fn settings(&self) -> Result<Settings, StoreError> {
        self.up()?.settings().await
    }

    async fn keys(&self) -> Result<Option<(Version, Vec<u8>)>, StoreError> {
        let gate = self.gate.lock().expect("nobody panics with the lock").take();
        if let Some(gate) = gate {
            let _ = gate.await;
        }
        self.up()?.keys().await
    }

    async fn swap_keys(
        &self,
        expected: Option<Version>,
        ring: Vec<u8>,
        entries: Vec<NewEntry>,
        seen: Seq,
    ) -> Result<Committed, StoreError> {
        self.up()?.swap_keys(expected, ring, entries, seen).await
    }

    async fn subjects(&self, after: Option<&Subject>, limit: usize) -> Result<Vec<SubjectRow>, StoreError> {
        self.up()?.subjects(after, limit).await
    }

    async fn audit(&self, before: Option<u64>, limit: usize) -> Result<Vec<AuditRow>, StoreError> {
        self.up()?.audit(before, limit).await
    }

    async fn forget(&self, sub: &Subject, expected: Version) -> Result<bool, StoreError> {
        self.up()?.forget(sub, expected).await
    }
}
