//! A [`Store`] in Redis or Valkey: a single server, a master with sentinels, or a Cluster.
//!
//! A commit first appends to the revocation log, then swaps the record, then writes the audit events. Each master gives
//! its own version to a record, even if two masters have the same bytes of the record (`scripts/master.lua`). So a
//! version that was read from one master never matches on a second master. `keys` describes each key, and `scripts/`
//! contains the script of each command.

mod commands;
mod connection;
mod discovery;
mod error;
mod fitness;
mod keys;
mod login;
mod reply;
mod routing;
mod scripts;
mod url;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use doorlist_verifier::{Cursor, Epoch, Seq, UnixSeconds};
use redis::Value;

pub use keys::{MalformedPrefix, Prefix};
pub use login::LoginFiles;
pub use url::{MalformedUrl, RedisUrl};

use self::commands::{Heard, Inner, shown};
use self::keys::{KeyNames, slot};
use self::login::Login;
use self::reply::{NO_EPOCH, audit_row, converted, stored, versioned};
use self::routing::Servers;
use self::scripts::Scripts;
use super::{
    AuditRow, Commit, Committed, Confirmation, Reading, Readings, Store, StoreError, SubjectRow, Tallies,
    TallyChange, TallyName, Version,
};
use crate::domain::{Durability, LogPage, LogSettings, NewEntry, Subject};

/// See the [module](self).
pub struct RedisStore {
    inner: Arc<Inner>,
}

impl RedisStore {
    /// Finds the servers, and checks that the servers cannot lose revocations. If the store is empty, gives the store
    /// an epoch. If `files` names a file with certificates, only these certificates are trusted. The system's
    /// certificates are then not trusted.
    ///
    /// # Errors
    ///
    /// - [`StoreError::Misconfigured`] if an operator must change something. The message says what to change.
    /// - [`StoreError::Away`] or [`StoreError::Unavailable`] if a later attempt can succeed.
    /// - [`StoreError::Corrupt`] if the stored data is damaged.
    pub async fn open(url: RedisUrl, prefix: Prefix, files: LoginFiles) -> Result<Self, StoreError> {
        let login = Login::read(&url, files)?;
        Self::start(Inner {
            servers: Servers::of(url, login),
            keys: KeyNames::of(prefix),
            scripts: Scripts::new(),
            heard: Mutex::new(Heard { epoch: NO_EPOCH, micros: 0 }),
            #[cfg(test)]
            clock: None,
        })
        .await
    }

    async fn start(inner: Inner) -> Result<Self, StoreError> {
        inner.servers.check().await?;
        let zero = UnixSeconds::ZERO;
        let first =
            LogSettings { epoch: Epoch(rand::random()), retain_secs: 0, cutoff: zero, sessions_since: zero };
        inner.merge_settings(first).await?;
        Ok(Self { inner: Arc::new(inner) })
    }
}

/// Runs the work to its end, even if the caller drops this future.
async fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::spawn(work).await {
        Ok(done) => done,
        Err(_) => Err(StoreError::Unavailable("shutting down".to_owned())),
    }
}

#[async_trait]
impl Store for RedisStore {
    async fn read(&self, sub: &Subject, since: Seq) -> Result<Reading, StoreError> {
        let Inner { keys, scripts, servers, .. } = &*self.inner;
        let key = keys.record(sub);
        let calls = [scripts.read.on(&[&key]), self.inner.page_after(since)];
        let [record, news] = servers.run_in_order(calls).await?;
        Ok(Reading { record: stored(record, &key)?, news: self.inner.whole_page(since, news).await? })
    }

    async fn read_several(&self, subs: &[Subject], since: Seq) -> Result<Readings, StoreError> {
        let records = self.inner.records(subs).await;
        Ok(Readings { records, news: self.log_since(since).await? })
    }

    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError> {
        to_its_end(Arc::clone(&self.inner).commit(commit)).await
    }

    async fn settle(&self, sub: &Subject, read: Option<Version>) -> Result<bool, StoreError> {
        let Inner { keys, scripts, servers, .. } = &*self.inner;
        let touch_head = self.inner.on_head(&scripts.confirm, &[&keys.head, &keys.log]).arg("").number(0);
        let key = keys.record(sub);
        let touch_record = scripts.settle.on(&[&key]).arg(shown(read));
        let (_, record) = tokio::try_join!(servers.settle(&touch_head), servers.settle(&touch_record))?;
        // `None` means that there are no replicas. Then no replica can take over, so the record has not changed.
        record.map_or(Ok(true), |answer| converted(answer, &key))
    }

    async fn log_since(&self, since: Seq) -> Result<LogPage, StoreError> {
        let first = self.inner.servers.run(&self.inner.page_after(since), Durability::Local).await?;
        self.inner.whole_page(since, first).await
    }

    async fn wait_for_news(&self, since: Seq) -> Result<(), StoreError> {
        let Inner { keys, servers, .. } = &*self.inner;
        servers.wait_for_stream(&keys.log, slot(&keys.log), since.get()).await
    }

    async fn confirm(&self, held: Cursor) -> Result<Confirmation, StoreError> {
        let Inner { keys, scripts, servers, .. } = &*self.inner;
        let call = self.inner.on_head(&scripts.confirm, &[&keys.head, &keys.log]);
        let call = call.arg(held.epoch.to_string()).number(held.seq.get());
        // The write waits for a replica. Otherwise an isolated master could still confirm that no entry is missing,
        // until that master notices that it has lost its replicas.
        let answer = servers.run(&call, Durability::Replicated).await?;
        // The check of the replicas runs in the background, so that it does not delay the confirmation.
        let inner = Arc::clone(&self.inner);
        tokio::spawn(async move { inner.servers.notice_replicas().await });
        let (whole, state): (bool, Value) = converted(answer, &keys.head)?;
        let state = self.inner.state(state)?;
        Ok(Confirmation { now: state.now(), whole, position: state.position() })
    }

    async fn trim(&self, through: Seq) -> Result<(), StoreError> {
        let Inner { keys, scripts, servers, .. } = &*self.inner;
        let call = self.inner.on_head(&scripts.trim, &[&keys.head, &keys.log]).number(through.get());
        servers.run(&call, Durability::Local).await.map(drop)
    }

    async fn merge_settings(&self, settings: LogSettings) -> Result<LogSettings, StoreError> {
        self.inner.merge_settings(settings).await
    }

    async fn settings(&self) -> Result<LogSettings, StoreError> {
        let Inner { keys, scripts, servers, .. } = &*self.inner;
        let call = self.inner.on_head(&scripts.state, &[&keys.head]);
        Ok(self.inner.state(servers.run(&call, Durability::Local).await?)?.settings)
    }

    async fn keys(&self) -> Result<Option<(Version, Vec<u8>)>, StoreError> {
        let Inner { keys, scripts, servers, .. } = &*self.inner;
        versioned(servers.run(&scripts.read.on(&[&keys.ring]), Durability::Local).await?, &keys.ring)
    }

    async fn swap_keys(
        &self,
        expected: Option<Version>,
        ring: Vec<u8>,
        entries: Vec<NewEntry>,
        seen: Seq,
    ) -> Result<Committed, StoreError> {
        to_its_end(Arc::clone(&self.inner).swap_keys(expected, ring, entries, seen)).await
    }

    async fn installation(&self) -> Result<Option<(Version, Vec<u8>)>, StoreError> {
        let Inner { keys, scripts, servers, .. } = &*self.inner;
        let key = &keys.installation;
        versioned(servers.run(&scripts.read.on(&[key]), Durability::Local).await?, key)
    }

    async fn swap_installation(
        &self,
        expected: Option<Version>,
        installation: Vec<u8>,
    ) -> Result<bool, StoreError> {
        to_its_end(Arc::clone(&self.inner).swap_installation(expected, installation)).await
    }

    async fn subjects(&self, after: Option<&Subject>, limit: usize) -> Result<Vec<SubjectRow>, StoreError> {
        let mut rows = Vec::with_capacity(limit);
        let mut after = after.cloned();
        // For the caller, a page with fewer rows than `limit` is the last page. So this loop continues until the page
        // is full or there are no more names.
        while rows.len() < limit {
            let names = self.inner.names(after.as_ref(), limit - rows.len()).await?;
            let Some(last) = names.last() else { break };
            after = Some(last.clone());
            for (sub, record) in names.iter().zip(self.inner.records(&names).await) {
                let record = match record {
                    Ok(Some(record)) => Ok(record),
                    // The record was removed after its name was read.
                    Ok(None) => continue,
                    Err(error @ StoreError::Corrupt { .. }) => Err(error),
                    Err(error) => return Err(error),
                };
                rows.push(SubjectRow { sub: sub.clone(), record });
            }
        }
        Ok(rows)
    }

    async fn audit(&self, before: Option<u64>, limit: usize) -> Result<Vec<AuditRow>, StoreError> {
        let Inner { keys, scripts, servers, .. } = &*self.inner;
        let newest = before.map_or_else(|| "+".to_owned(), |before| format!("({before}-0"));
        let call = scripts.audit.on(&[&keys.audit]).arg(newest).number(limit as u64);
        let rows: Vec<_> = converted(servers.run(&call, Durability::Local).await?, &keys.audit)?;
        rows.into_iter().map(|row| audit_row(row, &keys.audit)).collect()
    }

    async fn tallies(&self, names: &[TallyName]) -> Result<Tallies, StoreError> {
        self.inner.tallies(names).await
    }

    async fn swap_tallies(&self, changes: Vec<TallyChange>) -> Result<bool, StoreError> {
        self.inner.swap_tallies(changes).await
    }

    async fn forget(&self, sub: &Subject, expected: Version) -> Result<bool, StoreError> {
        let Inner { keys, scripts, servers, .. } = &*self.inner;
        let (record, bucket) = (keys.record(sub), keys.bucket_of(sub));
        let call = scripts.forget.on(&[&record, &bucket]).arg(shown(Some(expected))).arg(sub.as_str());
        converted(servers.run(&call, Durability::Local).await?, &record)
    }
}

#[cfg(test)]
mod tests;
