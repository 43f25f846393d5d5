//! A store in memory that a test can cut off or empty.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, RwLock};

use async_trait::async_trait;
use doorlist_verifier::{Cursor, Seq, UnixSeconds};
use tokio::sync::Notify;

use crate::domain::{LogPage, LogSettings, NewEntry, Subject};
use crate::store::{
    AuditRow, Commit, Committed, Confirmation, EmbeddedStore, Reading, Store, StoreError, SubjectRow,
    Tallies, TallyChange, TallyName, Version,
};

/// A store in memory. While the store is cut off, every call fails.
pub(crate) struct GatedStore {
    inner: RwLock<Arc<EmbeddedStore>>,
    down: AtomicBool,
    ahead_secs: AtomicI64,
    keys_gate: Mutex<Option<Arc<Gate>>>,
    reads_gate: Mutex<Option<Arc<Gate>>>,
}

/// A point at which one call waits until the test lets the call continue.
#[derive(Default)]
pub(crate) struct Gate {
    reached: Notify,
    open: Notify,
}

impl Gate {
    /// Waits until the call has reached the gate.
    pub(crate) async fn reached(&self) {
        self.reached.notified().await;
    }

    /// Lets the call continue.
    pub(crate) fn open(&self) {
        self.open.notify_one();
    }
}

impl GatedStore {
    pub(crate) fn in_memory() -> Self {
        Self {
            inner: RwLock::new(empty_store()),
            down: AtomicBool::new(false),
            ahead_secs: AtomicI64::new(0),
            keys_gate: Mutex::default(),
            reads_gate: Mutex::default(),
        }
    }

    pub(crate) fn cut_off(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    /// Sets the number of seconds by which the store's clock is ahead of the host's clock in all later confirmations.
    /// With a negative number, the store's clock is behind.
    pub(crate) fn runs_ahead(&self, secs: i64) {
        self.ahead_secs.store(secs, Ordering::SeqCst);
    }

    /// Makes the next call that reads the keys wait at the gate.
    pub(crate) fn hold_keys(&self) -> Arc<Gate> {
        put(&self.keys_gate)
    }

    /// Makes the next call that reads a record wait at the gate.
    pub(crate) fn hold_reads(&self) -> Arc<Gate> {
        put(&self.reads_gate)
    }

    /// Deletes everything in the store, as `FLUSHALL` would.
    pub(crate) fn empty(&self) {
        *self.inner.write().expect("no code panics while it holds this lock") = empty_store();
    }

    fn up(&self) -> Result<Arc<EmbeddedStore>, StoreError> {
        if self.down.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("cut off".to_owned()));
        }
        Ok(Arc::clone(&self.inner.read().expect("no code panics while it holds this lock")))
    }
}

fn empty_store() -> Arc<EmbeddedStore> {
    Arc::new(EmbeddedStore::in_memory().expect("a store in memory"))
}

fn put(place: &Mutex<Option<Arc<Gate>>>) -> Arc<Gate> {
    let gate = Arc::<Gate>::default();
    *place.lock().expect("no code panics while it holds this lock") = Some(Arc::clone(&gate));
    gate
}

async fn pass(place: &Mutex<Option<Arc<Gate>>>) {
    let gate = place.lock().expect("no code panics while it holds this lock").take();
    if let Some(gate) = gate {
        gate.reached.notify_one();
        gate.open.notified().await;
    }
}

#[async_trait]
impl Store for GatedStore {
    async fn read(&self, sub: &Subject, since: Seq) -> Result<Reading, StoreError> {
        pass(&self.reads_gate).await;
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
        let now = confirmation.now.as_secs().saturating_add_signed(self.ahead_secs.load(Ordering::SeqCst));
        Ok(Confirmation { now: UnixSeconds::saturating_new(now), ..confirmation })
    }

    async fn trim(&self, through: Seq) -> Result<(), StoreError> {
        self.up()?.trim(through).await
    }

    async fn merge_settings(&self, settings: LogSettings) -> Result<LogSettings, StoreError> {
        self.up()?.merge_settings(settings).await
    }

    async fn settings(&self) -> Result<LogSettings, StoreError> {
        self.up()?.settings().await
    }

    async fn keys(&self) -> Result<Option<(Version, Vec<u8>)>, StoreError> {
        pass(&self.keys_gate).await;
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

    async fn installation(&self) -> Result<Option<(Version, Vec<u8>)>, StoreError> {
        self.up()?.installation().await
    }

    async fn swap_installation(
        &self,
        expected: Option<Version>,
        installation: Vec<u8>,
    ) -> Result<bool, StoreError> {
        self.up()?.swap_installation(expected, installation).await
    }

    async fn subjects(&self, after: Option<&Subject>, limit: usize) -> Result<Vec<SubjectRow>, StoreError> {
        self.up()?.subjects(after, limit).await
    }

    async fn audit(&self, before: Option<u64>, limit: usize) -> Result<Vec<AuditRow>, StoreError> {
        self.up()?.audit(before, limit).await
    }

    async fn tallies(&self, names: &[TallyName]) -> Result<Tallies, StoreError> {
        self.up()?.tallies(names).await
    }

    async fn swap_tallies(&self, changes: Vec<TallyChange>) -> Result<bool, StoreError> {
        self.up()?.swap_tallies(changes).await
    }

    async fn forget(&self, sub: &Subject, expected: Version) -> Result<bool, StoreError> {
        self.up()?.forget(sub, expected).await
    }
}
