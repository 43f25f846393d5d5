//! The default backend: one file for one node. Each `commit` is done within one transaction. Several callers share
//! one transaction and its fsync.

mod compact;
mod database;
mod open;
mod tables;
mod transaction;
mod writer;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use doorlist_verifier::{Cursor, Seq};
use redb::backends::InMemoryBackend;
use redb::{Database, ReadTransaction, ReadableDatabase, StorageBackend};
use tokio::sync::watch;

pub use self::compact::Compacted;
use self::database::{Open, Reopening, damaged};
use self::tables::{
    AUDIT, HEAD, Head, INSTALLATION, KEYS, LOG, META, RECORDS, corrupt, decode_json, decode_record,
    split_version,
};
use self::transaction::Fault;
use self::writer::Writer;
use super::clock::{HostClock, StoreClock, SystemClock};
use super::{
    AuditRow, Commit, Committed, Confirmation, Reading, Store, StoreError, SubjectRow, Tallies, TallyChange,
    TallyName, TallyTable, Version,
};
use crate::domain::{LogEntry, LogPage, LogSettings, NewEntry, Subject};

/// A [`Store`] in a redb database.
#[derive(Debug)]
pub struct EmbeddedStore {
    // This field must be declared before `_closing`. Fields are dropped in the order of their declaration, and the
    // drop of the writer waits for the queued writes.
    writer: Writer,
    shared: Arc<Shared>,
    _closing: Closing,
}

#[derive(Debug)]
pub(super) struct Shared {
    file: Reopening,
    clock: StoreClock,
    /// The last sequence number that is on disk.
    news: watch::Sender<Seq>,
    /// In memory only: one process has the file open, so all logins are in this process.
    tallies: Mutex<TallyTable>,
}

impl Shared {
    fn tallies(&self) -> MutexGuard<'_, TallyTable> {
        self.tallies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes the file when the store is dropped, even if a read or the reopening thread still uses the file.
#[derive(Debug)]
struct Closing(Reopening);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl EmbeddedStore {
    /// Opens the file and checks its whole content. If the file does not exist, creates a file that only its owner can
    /// read. If the file was altered or is not a store, the error is [`StoreError::Corrupt`]. If another process has
    /// the file open, the error is [`StoreError::Away`].
    ///
    /// Blocks the thread while the file is read.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        in_file(path, Self::at(path))
    }

    fn at(path: &Path) -> Result<Self, StoreError> {
        open::create_if_missing(path)?;
        let path = path.to_owned();
        let was_open = AtomicBool::new(false);
        let open = move || {
            if was_open.swap(true, Ordering::Relaxed) { open::again(&path) } else { open::first(&path) }
        };
        Self::opened_by(Box::new(open), Arc::new(SystemClock))
    }

    /// Removes unused pages, so that the file becomes smaller. Returns the length before and after, see
    /// [`Compacted`]. Fails while the store is open.
    ///
    /// Blocks the thread until the file has been compacted.
    pub fn compact(path: &Path) -> Result<Compacted, StoreError> {
        in_file(path, compact::compact(path))
    }

    /// A store in memory. The stored data is lost when the process ends.
    pub fn in_memory() -> Result<Self, StoreError> {
        Self::on(InMemoryBackend::new(), Arc::new(SystemClock))
    }

    /// A store on the given storage and clock. This storage cannot be opened again: if it fails, the store stays
    /// closed.
    pub fn on(backend: impl StorageBackend, host: Arc<dyn HostClock>) -> Result<Self, StoreError> {
        let backend = Mutex::new(Some(backend));
        let open = move || {
            let backend = backend.lock().unwrap_or_else(PoisonError::into_inner).take();
            open::on(
                backend
                    .ok_or_else(|| StoreError::Unavailable("this storage cannot be opened again".into()))?,
            )
        };
        Self::opened_by(Box::new(open), host)
    }

    /// A store on the storage that `open` returns. `open` is called now, and again after each failure of the storage.
    fn opened_by(open: Open, host: Arc<dyn HostClock>) -> Result<Self, StoreError> {
        let (db, head) =
            catch_unwind(AssertUnwindSafe(&open)).unwrap_or_else(|panic| Err(damaged(&*panic)))?;
        let news = watch::Sender::new(head.last);
        let epoch = head.settings.epoch;
        let known = news.clone();
        let on_reopened = move |head: &Head| {
            if head.settings.epoch != epoch || head.last < *known.borrow() {
                return Err(corrupt(
                    "the file",
                    "it is a different or older file than the one that was open",
                ));
            }
            // If the sync of a transaction failed, the transaction may still be on disk. So the last sequence number in
            // the file may be greater than the last sequence number that callers know.
            known.send_if_modified(|last| std::mem::replace(last, head.last) != head.last);
            Ok(())
        };
        let file = Reopening::new(db, open, Box::new(on_reopened));
        let closing = Closing(file.clone());
        let clock = StoreClock::new(host, head.clock_micros);
        let shared = Arc::new(Shared { file, clock, news, tallies: Mutex::default() });
        Ok(Self { writer: Writer::start(shared.clone())?, shared, _closing: closing })
    }

    /// Runs a read on a thread that may block.
    async fn look<T, F>(&self, look: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Database, &StoreClock) -> Result<T, Fault> + Send + 'static,
    {
        let shared = self.shared.clone();
        let found = tokio::task::spawn_blocking(move || shared.file.with(|db| look(db, &shared.clock)));
        found.await.unwrap_or_else(|_| Err(StoreError::Unavailable("shutting down".into())))
    }
}

/// Adds the path to an error that occurred when the file was opened.
///
/// If another process has the file open ([`StoreError::Away`]), a later attempt can succeed. After any other failure,
/// no later attempt would succeed. So [`StoreError::Unavailable`] becomes [`StoreError::Misconfigured`].
fn in_file<T>(path: &Path, result: Result<T, StoreError>) -> Result<T, StoreError> {
    result.map_err(|error| match error {
        // The previous process may still be closing the file, so a later attempt can succeed.
        StoreError::Away { reason, .. } => StoreError::Away { place: path.display().to_string(), reason },
        StoreError::Unavailable(reason) | StoreError::Misconfigured(reason) => {
            StoreError::Misconfigured(format!("{}: {reason}", path.display()))
        }
        StoreError::Corrupt { place, reason } => {
            StoreError::Corrupt { place: format!("{place} ({})", path.display()), reason }
        }
    })
}

#[async_trait]
impl Store for EmbeddedStore {
    async fn read(&self, sub: &Subject, since: Seq) -> Result<Reading, StoreError> {
        let sub = sub.clone();
        self.look(move |db, clock| {
            let snapshot = Snapshot::take(db, clock)?;
            let records = snapshot.txn.open_table(RECORDS)?;
            let record = records.get(sub.as_str())?;
            let record = record.map(|bytes| decode_record(sub.as_str(), bytes.value())).transpose()?;
            Ok(Reading { record, news: snapshot.page(since)? })
        })
        .await
    }

    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError> {
        self.writer.write(|work| work.commit(commit)).await
    }

    async fn log_since(&self, since: Seq) -> Result<LogPage, StoreError> {
        self.look(move |db, clock| Snapshot::take(db, clock)?.page(since)).await
    }

    async fn wait_for_news(&self, since: Seq) -> Result<(), StoreError> {
        let mut news = self.shared.news.subscribe();
        match news.wait_for(|last| *last > since).await {
            Ok(_) => Ok(()),
            Err(_) => Err(StoreError::Unavailable("the store is closed".into())),
        }
    }

    async fn confirm(&self, held: Cursor) -> Result<Confirmation, StoreError> {
        self.writer.write(move |work| work.confirm(held)).await
    }

    async fn trim(&self, through: Seq) -> Result<(), StoreError> {
        self.writer.write(move |work| work.trim(through)).await
    }

    async fn merge_settings(&self, settings: LogSettings) -> Result<LogSettings, StoreError> {
        self.writer.write(move |work| Ok(work.merge_settings(&settings))).await
    }

    async fn settings(&self) -> Result<LogSettings, StoreError> {
        self.look(|db, clock| Ok(Snapshot::take(db, clock)?.head.settings)).await
    }

    async fn keys(&self) -> Result<Option<(Version, Vec<u8>)>, StoreError> {
        self.look(|db, clock| {
            let snapshot = Snapshot::take(db, clock)?;
            let meta = snapshot.txn.open_table(META)?;
            let Some(bytes) = meta.get(KEYS)? else { return Ok(None) };
            let (version, ring) = split_version(bytes.value(), "meta/keys")?;
            Ok(Some((version, ring.to_vec())))
        })
        .await
    }

    async fn swap_keys(
        &self,
        expected: Option<Version>,
        ring: Vec<u8>,
        entries: Vec<NewEntry>,
        seen: Seq,
    ) -> Result<Committed, StoreError> {
        self.writer.write(move |work| work.swap_keys(expected, &ring, entries, seen)).await
    }

    async fn installation(&self) -> Result<Option<(Version, Vec<u8>)>, StoreError> {
        self.look(|db, clock| {
            let snapshot = Snapshot::take(db, clock)?;
            let meta = snapshot.txn.open_table(META)?;
            let Some(bytes) = meta.get(INSTALLATION)? else { return Ok(None) };
            let (version, installation) = split_version(bytes.value(), "meta/installation")?;
            Ok(Some((version, installation.to_vec())))
        })
        .await
    }

    async fn swap_installation(
        &self,
        expected: Option<Version>,
        installation: Vec<u8>,
    ) -> Result<bool, StoreError> {
        self.writer.write(move |work| work.swap_installation(expected, &installation)).await
    }

    async fn subjects(&self, after: Option<&Subject>, limit: usize) -> Result<Vec<SubjectRow>, StoreError> {
        use std::ops::Bound::{Excluded, Unbounded};
        let after = after.cloned();
        self.look(move |db, clock| {
            let snapshot = Snapshot::take(db, clock)?;
            let records = snapshot.txn.open_table(RECORDS)?;
            let start = after.as_ref().map_or(Unbounded, |after| Excluded(after.as_str()));
            let rows = records.range::<&str>((start, Unbounded))?.take(limit);
            rows.map(|row| {
                let (sub, bytes) = row?;
                let record = decode_record(sub.value(), bytes.value());
                let sub =
                    sub.value().try_into().map_err(|_| corrupt("records", "not a valid subject name"))?;
                Ok(SubjectRow { sub, record })
            })
            .collect()
        })
        .await
    }

    async fn audit(&self, before: Option<u64>, limit: usize) -> Result<Vec<AuditRow>, StoreError> {
        self.look(move |db, clock| {
            let snapshot = Snapshot::take(db, clock)?;
            let audit = snapshot.txn.open_table(AUDIT)?;
            let rows = audit.range(..before.unwrap_or(u64::MAX))?.rev().take(limit);
            rows.map(|row| {
                let (number, json) = row?;
                Ok(decode_json(&format!("audit/{}", number.value()), json.value())?)
            })
            .collect()
        })
        .await
    }

    async fn forget(&self, sub: &Subject, expected: Version) -> Result<bool, StoreError> {
        let sub = sub.clone();
        self.writer.write(move |work| work.forget(&sub, expected)).await
    }

    async fn tallies(&self, names: &[TallyName]) -> Result<Tallies, StoreError> {
        Ok(self.shared.tallies().read(names, self.shared.clock.now()))
    }

    async fn swap_tallies(&self, changes: Vec<TallyChange>) -> Result<bool, StoreError> {
        Ok(self.shared.tallies().swap(changes, self.shared.clock.now()))
    }

    fn failure(&self) -> Option<StoreError> {
        self.shared.file.failure()
    }
}

/// The last durable state, and the store's time. The time was taken before the state was read. So the time is before
/// every cut-off that is missing in the state.
struct Snapshot {
    txn: ReadTransaction,
    head: Head,
    now: doorlist_verifier::UnixSeconds,
}

impl Snapshot {
    fn take(db: &Database, clock: &StoreClock) -> Result<Self, Fault> {
        let now = clock.now();
        let txn = db.begin_read()?;
        let head = read_head(&txn)?;
        Ok(Self { txn, head, now })
    }

    fn page(&self, since: Seq) -> Result<LogPage, Fault> {
        let Head { last, settings, .. } = self.head;
        let mut entries: Vec<LogEntry> = Vec::new();
        let mut continues = since == last;
        if since < last {
            let log = self.txn.open_table(LOG)?;
            continues = since <= self.head.trimmed || log.get(since.get())?.is_some();
            for row in log.range(since.get() + 1..)? {
                let (seq, json) = row?;
                entries.push(decode_json(&format!("log/{}", seq.value()), json.value())?);
            }
        }
        Ok(LogPage { entries, continues, last, settings, now: self.now })
    }
}

fn read_head(txn: &ReadTransaction) -> Result<Head, Fault> {
    let meta = txn.open_table(META)?;
    let bytes = meta.get(HEAD)?.ok_or_else(|| corrupt("meta/head", "missing"))?;
    Ok(Head::decode(bytes.value())?)
}

#[cfg(test)]
mod tests;
