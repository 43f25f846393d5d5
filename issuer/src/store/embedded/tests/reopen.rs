//! The storage fails for a while. The file is opened again, and no acknowledged write is lost.

use std::sync::MutexGuard;
use std::time::Duration;

use super::power::{Disk, Platter, START, empty_store};
use super::*;

fn locked(platter: &Mutex<Platter>) -> MutexGuard<'_, Platter> {
    platter.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A store on this disk. After each failure, the store can open the disk again.
fn on(platter: &Arc<Mutex<Platter>>) -> EmbeddedStore {
    let platter = platter.clone();
    let open = Box::new(move || open::on(Disk(platter.clone())));
    EmbeddedStore::opened_by(open, Arc::new(ManualClock::at(START))).expect("a store")
}

async fn until_open(store: &EmbeddedStore) {
    let open = async {
        while store.failure().is_some() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), open).await.expect("the store is open again");
}

#[tokio::test]
async fn b2_the_store_is_used_again_after_a_failure_at_any_point() {
    let mut failures = 0;
    for left in (1..60).step_by(2) {
        let (_, platter) = Disk::spinning(empty_store(), usize::MAX);
        let store = on(&platter);
        locked(&platter).left = left;
        let mut acknowledged = Vec::new();
        for number in 0..40 {
            let name = number.to_string();
            match store.commit(put(&name, 1)).await {
                Ok(_) => acknowledged.push(name),
                Err(error) => assert!(matches!(error, StoreError::Unavailable(_)), "{error}"),
            }
        }
        failures += usize::from(store.failure().is_some());
        let refused = store.commit(put("while it fails", 1)).await;
        assert_eq!(refused.is_err(), store.failure().is_some());

        locked(&platter).left = usize::MAX;
        until_open(&store).await;

        for name in &acknowledged {
            let reading = store.read(&subject(name), Seq::ZERO).await.expect("a reading");
            assert!(reading.record.is_some(), "{name} was acknowledged and is lost, failure at {left}");
        }
        store.commit(put("after it", 1)).await.expect("a commit");
    }
    assert!(failures > 10, "only {failures} of the failures were noticed");
}

#[tokio::test]
async fn b2_a_failed_read_is_noticed_too() {
    let (_, platter) = Disk::spinning(empty_store(), usize::MAX);
    let store = on(&platter);
    // These commits write more bytes than the cache can hold. So a read after these commits has to use the disk.
    let writes = (0..2000).map(|number| {
        let mut commit = put(&number.to_string(), 1);
        let kid = "k".repeat(16 << 10);
        commit.entries = vec![NewEntry::Key { kid }];
        store.commit(commit)
    });
    futures_util::future::try_join_all(writes).await.expect("commits");
    locked(&platter).left = 1;
    store.log_since(Seq::ZERO).await.expect_err("the disk does not answer");
    assert!(store.failure().is_some());
    locked(&platter).left = usize::MAX;
    until_open(&store).await;
    assert_eq!(store.log_since(Seq::ZERO).await.expect("the log").entries.len(), 2000);
}

#[tokio::test]
async fn b2_an_older_file_that_replaces_the_open_one_is_refused() {
    let (_, platter) = Disk::spinning(empty_store(), usize::MAX);
    let old = empty_store();
    let store = on(&platter);
    let mut commit = put("alice", 1);
    commit.entries = vec![NewEntry::Mark];
    store.commit(commit).await.expect("a commit");
    locked(&platter).left = 1;
    store.commit(put("bob", 1)).await.expect_err("the disk does not answer");
    {
        let mut platter = locked(&platter);
        platter.cached = old;
        platter.left = usize::MAX;
    }
    let noticed = async {
        while !store.failure().is_some_and(|failure| failure.to_string().contains("older file than")) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), noticed).await.expect("the older file is refused");
    store.read(&subject("alice"), Seq::ZERO).await.expect_err("the store does not use another file");
}

#[tokio::test]
async fn b2_a_store_that_was_dropped_is_not_opened_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store");
    for _ in 0..20 {
        let store = EmbeddedStore::open(&path).expect("the file was closed");
        store
            .shared
            .file
            .with(|_| Err::<(), _>(Fault::Storage(redb::Error::PreviousIo)))
            .expect_err("a failure");
        drop(store);
    }
}
