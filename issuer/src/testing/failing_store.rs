//! A store in memory that can be cut off.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use doorlist_verifier::{Cursor, Seq};

use crate::domain::{LogPage, NewEntry, Settings, Subject};
use crate::store::{
    AuditRow, Commit, Committed, Confirmation, EmbeddedStore, Reading, Store, StoreError, SubjectRow, Version,
};

/// A store in memory that answers nothing while it is down.
pub(crate) struct FailingStore {
    inner: EmbeddedStore,
    down: AtomicBool,
}

impl FailingStore {
    pub(crate) fn in_memory() -> Self {
        Self { inner: EmbeddedStore::in_memory().expect("a store in memory"), down: AtomicBool::new(false) }
    }

    pub(crate) fn cut_off(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    fn up(&self) -> Result<&EmbeddedStore, StoreError> {
        if self.down.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("cut off".to_owned()));
        }
        Ok(&self.inner)
    }
}

#[async_trait]
impl Store for FailingStore {
    async fn read(&self, sub: &Subject, since: Seq) -> Result<Reading, StoreError> {
        self.up()?.read(sub, since).await
    }

    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError> {
        self.up()?.commit(commit).await
    }

    async fn log_since(&self, since: Seq) -> Result<LogPage, StoreError> {
        self.up()?.log_since(since).await
    }

    async fn wait_for_news(&self, since: Seq) -> Result<(), StoreError> {
        self.up()?.wait_for_news(since).await
    }

    async fn confirm(&self, held: Cursor) -> Result<Confirmation, StoreError> {
        self.up()?.confirm(held).await
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
