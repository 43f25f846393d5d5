//! The default backend: one file, one node. `commit` is one transaction; many callers share one fsync.

mod tables;
mod work;
mod writer;

use std::any::Any;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use doorlist_verifier::{Cursor, Epoch, Seq};
use redb::backends::{FileBackend, InMemoryBackend};
use redb::{Database, ReadTransaction, ReadableDatabase, ReadableTable, StorageBackend};
use tokio::sync::watch;

use self::tables::{
    AUDIT, HEAD, Head, KEYS, LOG, META, RECORDS, corrupt, decode_json, decode_record, split_version,
};
use self::writer::{Writer, unavailable};
use super::clock::{HostClock, StoreClock, SystemClock};
use super::{AuditRow, Commit, Committed, Confirmation, Reading, Store, StoreError, SubjectRow, Version};
use crate::domain::{LogEntry, LogPage, NewEntry, Settings, Subject};
use crate::draft::Draft;

/// Bytes of the file held in memory. With 100,000 sessions, 64 MiB were measured to be no faster than this.
const CACHE_BYTES: usize = 24 << 20;

/// A redb database behind the primitives of a [`Store`].
#[derive(Debug)]
pub struct EmbeddedStore {
    // Before `shared`: dropped first, it waits for the writer, after which the file is closed.
    writer: Writer,
    shared: Arc<Shared>,
}

pub(super) struct Shared {
    db: Database,
    clock: StoreClock,
    news: watch::Sender<Seq>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("clock", &self.clock).finish_non_exhaustive()
    }
}

impl EmbeddedStore {
    /// Opens the file, or makes it, readable by its owner only. The whole of it is checked first: one that was
    /// altered or is not ours is [`StoreError::Corrupt`], one that another process has open is refused.
    ///
    /// Blocks while it reads.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::at(path).map_err(|error| match error {
            StoreError::Unavailable(reason) => {
                StoreError::Unavailable(format!("{}: {reason}", path.display()))
            }
            StoreError::Corrupt { place, reason } => {
                StoreError::Corrupt { place: format!("{place} ({})", path.display()), reason }
            }
        })
    }

    fn at(path: &Path) -> Result<Self, StoreError> {
        if !path.try_exists().map_err(no_file)? {
            create(path)?;
        }
        Self::in_file(OpenOptions::new().read(true).write(true).open(path).map_err(no_file)?)
    }

    fn in_file(file: File) -> Result<Self, StoreError> {
        let backend = FileBackend::new(file).map_err(unavailable)?;
        Self::on(backend, Arc::new(SystemClock))
    }

    /// A store that is gone with the process.
    pub fn in_memory() -> Result<Self, StoreError> {
        Self::on(InMemoryBackend::new(), Arc::new(SystemClock))
    }

    /// A store on any storage and clock.
    pub fn on(backend: impl StorageBackend, host: Arc<dyn HostClock>) -> Result<Self, StoreError> {
        let open = || {
            let db = Database::builder()
                .set_cache_size(CACHE_BYTES)
                // A plain open trusts the file, and may panic on one that was altered.
                .set_check_integrity_on_open(true)
                .create_with_backend(backend)
                .map_err(unavailable)?;
            let head = first_head(&db)?;
            Ok((db, head))
        };
        let (db, head) =
            catch_unwind(AssertUnwindSafe(open)).unwrap_or_else(|panic| Err(damaged(&*panic)))?;
        let shared = Arc::new(Shared {
            db,
            clock: StoreClock::new(host, head.clock_micros),
            news: watch::Sender::new(head.last),
        });
        Ok(Self { writer: Writer::start(shared.clone())?, shared })
    }

    /// Reads on a thread that may block.
    async fn look<T, F>(&self, look: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Shared) -> Result<T, StoreError> + Send + 'static,
    {
        let shared = self.shared.clone();
        match tokio::task::spawn_blocking(move || look(&shared)).await {
            Ok(found) => found,
            Err(failed) => match failed.try_into_panic() {
                Ok(panic) => Err(damaged(&*panic)),
                Err(_) => Err(StoreError::Unavailable("shutting down".into())),
            },
        }
    }
}

/// Makes an empty store beside, and then shows it: a process that dies, or a power cut, meanwhile leaves no file
/// that is neither empty nor a store.
fn create(path: &Path) -> Result<(), StoreError> {
    let (draft, file) = Draft::beside(path).map_err(no_file)?;
    drop(EmbeddedStore::in_file(file)?);
    match draft.publish(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(no_file(error)),
        _ => Ok(()),
    }
}

fn no_file(error: io::Error) -> StoreError {
    StoreError::Unavailable(error.to_string())
}

#[async_trait]
impl Store for EmbeddedStore {
    async fn read(&self, sub: &Subject, since: Seq) -> Result<Reading, StoreError> {
        let sub = sub.clone();
        self.look(move |shared| {
            let snapshot = Snapshot::take(shared)?;
            let records = snapshot.txn.open_table(RECORDS).map_err(unavailable)?;
            let record = records.get(sub.as_str()).map_err(unavailable)?;
            let record = record.map(|bytes| decode_record(sub.as_str(), bytes.value())).transpose()?;
            Ok(Reading { record, news: snapshot.page(since)? })
        })
        .await
    }

    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError> {
        self.writer.write(|work| work.commit(commit)).await
    }

    async fn log_since(&self, since: Seq) -> Result<LogPage, StoreError> {
        self.look(move |shared| Snapshot::take(shared)?.page(since)).await
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

    async fn merge_settings(&self, settings: Settings) -> Result<Settings, StoreError> {
        self.writer.write(move |work| Ok(work.merge_settings(&settings))).await
    }

    async fn settings(&self) -> Result<Settings, StoreError> {
        self.look(|shared| Ok(Snapshot::take(shared)?.head.settings)).await
    }

    async fn keys(&self) -> Result<Option<(Version, Vec<u8>)>, StoreError> {
        self.look(|shared| {
            let snapshot = Snapshot::take(shared)?;
            let meta = snapshot.txn.open_table(META).map_err(unavailable)?;
            let Some(bytes) = meta.get(KEYS).map_err(unavailable)? else { return Ok(None) };
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

    async fn subjects(&self, after: Option<&Subject>, limit: usize) -> Result<Vec<SubjectRow>, StoreError> {
        use std::ops::Bound::{Excluded, Unbounded};
        let after = after.cloned();
        self.look(move |shared| {
            let snapshot = Snapshot::take(shared)?;
            let records = snapshot.txn.open_table(RECORDS).map_err(unavailable)?;
            let start = after.as_ref().map_or(Unbounded, |after| Excluded(after.as_str()));
            let rows = records.range::<&str>((start, Unbounded)).map_err(unavailable)?.take(limit);
            rows.map(|row| {
                let (sub, bytes) = row.map_err(unavailable)?;
                let record = decode_record(sub.value(), bytes.value());
                let sub =
                    sub.value().try_into().map_err(|_| corrupt("records", "a name that is no subject"))?;
                Ok(SubjectRow { sub, record })
            })
            .collect()
        })
        .await
    }

    async fn audit(&self, before: Option<u64>, limit: usize) -> Result<Vec<AuditRow>, StoreError> {
        self.look(move |shared| {
            let snapshot = Snapshot::take(shared)?;
            let audit = snapshot.txn.open_table(AUDIT).map_err(unavailable)?;
            let rows = audit.range(..before.unwrap_or(u64::MAX)).map_err(unavailable)?.rev().take(limit);
            rows.map(|row| {
                let (number, json) = row.map_err(unavailable)?;
                decode_json(&format!("audit/{}", number.value()), json.value())
            })
            .collect()
        })
        .await
    }

    async fn forget(&self, sub: &Subject, expected: Version) -> Result<bool, StoreError> {
        let sub = sub.clone();
        self.writer.write(move |work| work.forget(&sub, expected)).await
    }
}

/// The last durable state, and a time at which it may have been older, but not newer: what is decided on it is
/// stamped before any cut-off it does not show.
struct Snapshot {
    txn: ReadTransaction,
    head: Head,
    now: doorlist_verifier::UnixSeconds,
}

impl Snapshot {
    fn take(shared: &Shared) -> Result<Self, StoreError> {
        let now = shared.clock.now();
        let txn = shared.db.begin_read().map_err(unavailable)?;
        let head = read_head(&txn)?;
        Ok(Self { txn, head, now })
    }

    fn page(&self, since: Seq) -> Result<LogPage, StoreError> {
        let Head { last, settings, .. } = self.head;
        let mut entries: Vec<LogEntry> = Vec::new();
        let mut continues = since == last;
        if since < last {
            let log = self.txn.open_table(LOG).map_err(unavailable)?;
            continues = since <= self.head.trimmed || log.get(since.get()).map_err(unavailable)?.is_some();
            for row in log.range(since.get() + 1..).map_err(unavailable)? {
                let (seq, json) = row.map_err(unavailable)?;
                entries.push(decode_json(&format!("log/{}", seq.value()), json.value())?);
            }
        }
        Ok(LogPage { entries, continues, last, settings, now: self.now })
    }
}

fn read_head(txn: &ReadTransaction) -> Result<Head, StoreError> {
    let meta = txn.open_table(META).map_err(unavailable)?;
    let bytes = meta.get(HEAD).map_err(unavailable)?.ok_or_else(|| corrupt("meta/head", "missing"))?;
    Head::decode(bytes.value())
}

/// The head of a file, after making one, and the tables, in a file that is new.
fn first_head(db: &Database) -> Result<Head, StoreError> {
    let txn = db.begin_write().map_err(unavailable)?;
    let head = {
        let mut meta = txn.open_table(META).map_err(unavailable)?;
        let found =
            meta.get(HEAD).map_err(unavailable)?.map(|bytes| Head::decode(bytes.value())).transpose()?;
        let head = found.unwrap_or_else(|| Head::new(Epoch(rand::random())));
        meta.insert(HEAD, &head.encode()[..]).map_err(unavailable)?;
        head
    };
    drop(txn.open_table(RECORDS).map_err(unavailable)?);
    drop(txn.open_table(LOG).map_err(unavailable)?);
    drop(txn.open_table(AUDIT).map_err(unavailable)?);
    txn.commit().map_err(unavailable)?;
    Ok(head)
}

/// redb panics on some damage instead of reporting it.
fn damaged(panic: &(dyn Any + Send)) -> StoreError {
    let said = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    corrupt("the file", said.unwrap_or("damaged"))
}

#[cfg(test)]
mod tests;
