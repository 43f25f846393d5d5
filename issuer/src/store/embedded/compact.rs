//! Removes unused pages, so that the file becomes smaller.

use std::path::Path;

use redb::Database;

use super::open;
use super::transaction::Fault;
use super::writer::unavailable;
use crate::store::StoreError;

/// A file with fewer bytes than this is not compacted.
const WORTHWHILE_BYTES: u64 = 8 << 20;

/// The length of the file before and after compacting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compacted {
    /// The length before compacting, in bytes.
    pub before: u64,
    /// The length after compacting, in bytes.
    pub after: u64,
}

/// Compacts the file if at least half of it is unused. Compacting only saves disk space. So if it fails, the failure
/// is logged and the start continues.
pub(super) fn compact_where_it_pays(db: &mut Database, path: &Path) {
    let done = unused_bytes(db, path).and_then(|(unused, len)| {
        if len < WORTHWHILE_BYTES || unused < len / 2 {
            return Ok(());
        }
        tracing::info!(unused, len, "at least half of the store's file is unused: compacting it");
        squeeze(db)?;
        tracing::info!(len = self::len(path)?, "the store's file was compacted");
        Ok(())
    });
    if let Err(error) = done {
        tracing::warn!(%error, "the store's file could not be compacted");
    }
}

/// Compacts a file that no process has open.
pub(super) fn compact(path: &Path) -> Result<Compacted, StoreError> {
    let before = len(path)?;
    let mut db = open::existing(path)?;
    squeeze(&mut db)?;
    // Closing the database removes the last unused pages from the file.
    drop(db);
    Ok(Compacted { before, after: len(path)? })
}

/// Compacts in rounds. Each round moves pages towards the start of the file. The rounds end when no page can be
/// moved.
fn squeeze(db: &mut Database) -> Result<(), StoreError> {
    while db.compact().map_err(unavailable)? {}
    Ok(())
}

fn unused_bytes(db: &Database, path: &Path) -> Result<(u64, u64), StoreError> {
    let used = || {
        let txn = db.begin_write()?;
        let stats = txn.stats()?;
        txn.abort()?;
        Ok(stats.allocated_pages() * stats.page_size() as u64)
    };
    let used = used().map_err(Fault::into_error)?;
    let len = len(path)?;
    Ok((len.saturating_sub(used), len))
}

fn len(path: &Path) -> Result<u64, StoreError> {
    let metadata = std::fs::metadata(path).map_err(|error| StoreError::Unavailable(error.to_string()))?;
    Ok(metadata.len())
}
