mod compact;
mod power;
mod reopen;

use std::sync::Arc;

use doorlist_verifier::Handle;
use redb::backends::InMemoryBackend;
use redb::{Database, ReadableDatabase};

use std::fs::OpenOptions;

use redb::backends::FileBackend;

use super::super::clock::ManualClock;
use super::super::{Swap, contract};
use super::*;
use crate::domain::{AuditEvent, AuditKind, Record};

#[tokio::test]
async fn the_store_in_memory_keeps_the_contract() {
    contract::all(async |clock| EmbeddedStore::on(InMemoryBackend::new(), Arc::new(clock)).expect("a store"))
        .await;
}

#[tokio::test]
async fn the_store_in_a_file_keeps_the_contract() {
    let folder = tempfile::tempdir().expect("a folder");
    let number = std::cell::Cell::new(0);
    contract::all(async |clock| {
        number.set(number.get() + 1);
        let file = std::fs::File::create_new(folder.path().join(number.get().to_string())).expect("a file");
        drop(file);
        open_at(&folder.path().join(number.get().to_string()), clock).expect("a store")
    })
    .await;
}

fn open_at(path: &Path, clock: ManualClock) -> Result<EmbeddedStore, StoreError> {
    let file = OpenOptions::new().read(true).write(true).open(path).expect("a file");
    EmbeddedStore::on(FileBackend::new(file).expect("a backend"), Arc::new(clock))
}

fn subject(name: &str) -> Subject {
    name.try_into().expect("a subject")
}

fn put(name: &str, gid: u64) -> Commit {
    let record = Record::new(Handle::new(gid).expect("a handle"));
    Commit { swap: Some(Swap { sub: subject(name), expected: None, record }), ..Commit::default() }
}

#[tokio::test]
async fn written_data_is_there_after_a_restart_and_time_continues() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store");
    drop(std::fs::File::create_new(&path).expect("a file"));
    let clock = ManualClock::at(2_000_000);
    let store = open_at(&path, clock.clone()).expect("a store");
    let mut commit = put("alice", 1);
    commit.entries = vec![NewEntry::Mark];
    let committed = store.commit(commit).await.expect("a commit");
    let epoch = store.settings().await.expect("settings").epoch;
    drop(store);

    clock.set(1_000_000);
    let store = open_at(&path, clock).expect("a store");
    let reading = store.read(&subject("alice"), Seq::ZERO).await.expect("a reading");
    assert!(reading.record.is_some());
    assert_eq!(reading.news.position(), committed.position);
    assert_eq!((reading.news.settings.epoch, reading.news.now.as_secs()), (epoch, 2_000_000));
}

#[tokio::test]
async fn a_file_is_opened_by_one_process_and_readable_by_its_owner() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store");
    let store = EmbeddedStore::open(&path).expect("a store");
    let second = EmbeddedStore::open(&path).expect_err("the file is open");
    assert!(matches!(second, StoreError::Away { reason, .. } if reason.contains("open in another process")));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&path).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    drop(store);
    EmbeddedStore::open(&path).expect("the file was closed");
}

#[tokio::test]
async fn a_file_of_another_program_is_reported() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store");
    std::fs::write(&path, b"not a database, but a letter to a friend".repeat(1000)).expect("a file");
    EmbeddedStore::open(&path).expect_err("the file is not a store");
    drop(Database::create(folder.path().join("other")).expect("a database"));
    EmbeddedStore::open(&folder.path().join("missing").join("store")).expect_err("the folder does not exist");
}

/// Damages a valid file, each time in another place. Opening the damaged file gives an error or a usable store, and
/// never a panic.
#[tokio::test]
async fn a_damaged_file_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store");
    let store = EmbeddedStore::open(&path).expect("a store");
    for number in 0..50 {
        store.commit(put(&format!("subject-{number}"), 1)).await.expect("a commit");
    }
    drop(store);
    let good = std::fs::read(&path).expect("the file");
    let mut refused = 0;
    for place in (0..good.len()).step_by(4096 + 512) {
        let mut bytes = good.clone();
        let end = (place + 64).min(bytes.len());
        bytes[place..end].iter_mut().for_each(|byte| *byte ^= 0x5a);
        std::fs::write(&path, bytes).expect("the file");
        refused += usize::from(EmbeddedStore::open(&path).is_err());
    }
    assert!(refused > 0, "no damage was noticed");
    std::fs::write(&path, &good[..good.len() / 2]).expect("the file");
    let refused = EmbeddedStore::open(&path).expect_err("half of the file is missing").to_string();
    let start = format!("the data in the file ({}) cannot be read: ", path.display());
    assert!(refused.starts_with(&start), "{refused}");
}

impl EmbeddedStore {
    /// Replaces a stored record with an incomplete record.
    pub(crate) fn damage_record(&self, name: &str) {
        let damage = |db: &Database| {
            let txn = db.begin_write()?;
            let damaged = b"\x01\0\0\0\0\0\0\0{\"gid\":\"secret".as_slice();
            txn.open_table(RECORDS)?.insert(name, damaged)?;
            Ok(txn.commit()?)
        };
        self.shared.file.with(damage).expect("the record is damaged");
    }
}

#[tokio::test]
async fn a_damaged_record_affects_only_its_subject() {
    let store = EmbeddedStore::in_memory().expect("a store");
    store.commit(put("alice", 1)).await.expect("a commit");
    store.commit(put("bob", 1)).await.expect("a commit");
    store.damage_record("alice");

    let error = store.read(&subject("alice"), Seq::ZERO).await.expect_err("the record is damaged");
    assert!(matches!(&error, StoreError::Corrupt { place, .. } if place == "records/alice"));
    assert!(!error.to_string().contains("secret"));
    assert!(store.read(&subject("bob"), Seq::ZERO).await.expect("a reading").record.is_some());
    let rows = store.subjects(None, 10).await.expect("a page");
    assert!(rows[0].record.is_err() && rows[1].record.is_ok());
}

#[tokio::test]
async fn the_audit_keeps_the_newest_events() {
    let store = EmbeddedStore::in_memory().expect("a store");
    let event = || AuditEvent::of(AuditKind::Login, &subject("alice"), Handle::new(1).expect("a handle"));
    for _ in 0..3 {
        let audit = (0..transaction::AUDIT_KEPT / 2).map(|_| event()).collect();
        store.commit(Commit { audit, ..Commit::default() }).await.expect("a commit");
    }
    let rows = store.audit(None, usize::MAX).await.expect("events");
    assert_eq!(rows.len() as u64, transaction::AUDIT_KEPT);
    assert_eq!(rows[0].number, transaction::AUDIT_KEPT * 3 / 2);
}

/// If the caller drops the future of a queued commit, the whole commit is still done.
#[tokio::test]
async fn a_queued_commit_is_done_after_its_caller_left() {
    let store = EmbeddedStore::in_memory().expect("a store");
    tokio::select! {
        biased;
        // The commit is queued, and the commit's future is dropped. On a busy machine the commit may already be
        // durable.
        committed = store.commit(put("alice", 1)) => drop(committed.expect("a commit")),
        () = std::future::ready(()) => {}
    }
    // The writer handles this commit after the queued commit. So when this commit is done, the queued commit is done
    // too.
    store.commit(put("bob", 1)).await.expect("a commit");
    assert!(store.read(&subject("alice"), Seq::ZERO).await.expect("a reading").record.is_some());
}

/// A reader's transaction and the writer do not wait for each other. The reader does not see a write that was made
/// after its transaction began.
#[tokio::test]
async fn a_snapshot_does_not_change() {
    let store = EmbeddedStore::in_memory().expect("a store");
    let txn = store.shared.file.with(|db| Ok(db.begin_read()?)).expect("a transaction");
    store.commit(put("alice", 1)).await.expect("a commit");
    let records = txn.open_table(RECORDS).expect("a table");
    assert!(records.get("alice").expect("a read").is_none());
}

#[test]
fn only_one_of_many_concurrent_starts_gets_the_store() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store");
    let starts: Vec<_> = (0..8)
        .map(|_| {
            let path = path.clone();
            std::thread::spawn(move || EmbeddedStore::open(&path))
        })
        .collect();
    // Every opened store is kept here, so no store is closed before all threads have tried to open the file.
    let stores: Vec<_> = starts.into_iter().map(|start| start.join().expect("no panic")).collect();
    assert_eq!(stores.iter().filter(|store| store.is_ok()).count(), 1);
    assert_eq!(std::fs::read_dir(&folder).expect("a folder").count(), 1, "no temporary file remains");
}
