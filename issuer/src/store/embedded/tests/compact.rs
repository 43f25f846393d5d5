//! The file of a store becomes smaller after its content was removed.

use super::*;

async fn filled_and_emptied(path: &Path) {
    let store = EmbeddedStore::open(path).expect("a store");
    let names: Vec<_> = (0..20_000).map(|number| format!("single-use-subject-{number}")).collect();
    let kid = "k".repeat(1000);
    let writes = names.iter().map(|name| {
        let entries = vec![NewEntry::Key { kid: kid.clone() }];
        store.commit(Commit { entries, ..put(name, 1) })
    });
    let written = futures_util::future::try_join_all(writes).await.expect("commits");
    let last = written.iter().map(|committed| committed.position.seq).max().expect("some");
    store.trim(last).await.expect("a trim");
    let rows = store.subjects(None, usize::MAX).await.expect("records");
    let removals = rows.iter().map(|row| store.forget(&row.sub, row.record.as_ref().expect("a record").0));
    let removed = futures_util::future::try_join_all(removals).await.expect("removals");
    assert!(removed.into_iter().all(|removed| removed));
    store.commit(put("alice", 1)).await.expect("a commit");
}

fn len(path: &Path) -> u64 {
    std::fs::metadata(path).expect("a file").len()
}

async fn has_alice(path: &Path) {
    let store = EmbeddedStore::open(path).expect("a store");
    let rows = store.subjects(None, usize::MAX).await.expect("records");
    assert_eq!(rows.iter().map(|row| row.sub.as_str()).collect::<Vec<_>>(), ["alice"]);
}

#[tokio::test]
async fn b18_a_start_frees_the_space_of_single_use_subjects() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store");
    filled_and_emptied(&path).await;
    let before = len(&path);
    assert!(before > 8 << 20, "{before} bytes are too few for compacting");
    has_alice(&path).await;
    assert!(len(&path) < before / 4, "{} bytes of {before}", len(&path));
    has_alice(&path).await;
}

#[tokio::test]
async fn b18_a_small_file_is_compacted_only_on_request() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store");
    drop(EmbeddedStore::open(&path).expect("a store"));
    let store = EmbeddedStore::open(&path).expect("a store");
    EmbeddedStore::compact(&path).expect_err("the file is open");
    drop(store);
    let before = len(&path);
    let compacted = EmbeddedStore::compact(&path).expect("the file is compacted");
    assert_eq!((compacted.before, compacted.after), (before, len(&path)));
    assert!(compacted.after <= before, "{compacted:?}");
    has_no_subjects(&path).await;
    EmbeddedStore::compact(&folder.path().join("missing")).expect_err("the file does not exist");
}

async fn has_no_subjects(path: &Path) {
    let store = EmbeddedStore::open(path).expect("a store");
    assert!(store.subjects(None, 1).await.expect("records").is_empty());
}
