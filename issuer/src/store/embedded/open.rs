//! Opens the file of an embedded store: the first time, and again after the storage failed.

use std::fs::OpenOptions;
use std::io;
use std::path::Path;

use doorlist_verifier::Epoch;
use redb::backends::FileBackend;
use redb::{Database, ReadableTable, StorageBackend};

use super::compact::compact_where_it_pays;
use super::tables::{AUDIT, HEAD, Head, LOG, META, RECORDS};
use super::transaction::Fault;
use super::writer::unavailable;
use crate::atomic_file::Draft;
use crate::store::StoreError;

/// Size of the cache, in bytes. In measurements with 100,000 sessions, a cache of 64 MiB was not faster than this one.
const CACHE_BYTES: usize = 24 << 20;
/// Bytes that must be free on the disk before a failed store is opened again. With less free space, the next write
/// would fail too.
const ROOM_BYTES: u64 = 1 << 20;

/// Opens the file at the start of the process.
pub(super) fn first(path: &Path) -> Result<(Database, Head), StoreError> {
    let mut db = existing(path)?;
    compact_where_it_pays(&mut db, path);
    with_head(db)
}

/// Opens the file again after the storage failed.
pub(super) fn again(path: &Path) -> Result<(Database, Head), StoreError> {
    check_room(path)?;
    with_head(existing(path)?)
}

/// Opens a database on storage that is already open.
pub(super) fn on(backend: impl StorageBackend) -> Result<(Database, Head), StoreError> {
    with_head(database(backend)?)
}

/// Opens the database in a file that must exist. Does not read the head.
pub(super) fn existing(path: &Path) -> Result<Database, StoreError> {
    let file = OpenOptions::new().read(true).write(true).open(path).map_err(no_file)?;
    database(FileBackend::new(file).map_err(unavailable)?)
}

fn database(backend: impl StorageBackend) -> Result<Database, StoreError> {
    Database::builder()
        .set_cache_size(CACHE_BYTES)
        // Without the integrity check, redb trusts the file, and may panic if the file was altered.
        .set_check_integrity_on_open(true)
        .create_with_backend(backend)
        .map_err(unavailable)
}

fn with_head(db: Database) -> Result<(Database, Head), StoreError> {
    let head = first_head(&db).map_err(Fault::into_error)?;
    Ok((db, head))
}

/// Reads the head of the file. If the file is new, first creates the head and the tables.
///
/// This function always commits a write. If an earlier sync failed, only a successful commit proves that the visible
/// content of the file is on disk.
fn first_head(db: &Database) -> Result<Head, Fault> {
    let txn = db.begin_write()?;
    let head = {
        let mut meta = txn.open_table(META)?;
        let found = meta.get(HEAD)?.map(|bytes| Head::decode(bytes.value())).transpose()?;
        let head = found.unwrap_or_else(|| Head::new(Epoch(rand::random())));
        meta.insert(HEAD, &head.encode()[..])?;
        head
    };
    drop(txn.open_table(RECORDS)?);
    drop(txn.open_table(LOG)?);
    drop(txn.open_table(AUDIT)?);
    txn.commit()?;
    Ok(head)
}

/// Creates an empty store in a temporary file in the same folder, and then renames this file to `path`. If the process
/// dies or the power fails meanwhile, there is either no file or a complete store at `path`.
pub(super) fn create_if_missing(path: &Path) -> Result<(), StoreError> {
    if path.try_exists().map_err(no_file)? {
        return Ok(());
    }
    let (draft, file) = Draft::beside(path).map_err(no_file)?;
    drop(on(FileBackend::new(file).map_err(unavailable)?)?);
    match draft.publish(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(no_file(error)),
        _ => Ok(()),
    }
}

#[cfg(unix)]
fn check_room(path: &Path) -> Result<(), StoreError> {
    let disk = rustix::fs::statvfs(path).map_err(|error| no_file(error.into()))?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    if free < ROOM_BYTES {
        return Err(StoreError::Unavailable(format!(
            "{free} bytes are free on the disk of {}; make room: at least {ROOM_BYTES} are needed",
            path.display()
        )));
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_room(_: &Path) -> Result<(), StoreError> {
    Ok(())
}

fn no_file(error: io::Error) -> StoreError {
    StoreError::Misconfigured(error.to_string())
}
