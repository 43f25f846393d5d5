//! A single server.

use redis_servers::RedisServer;

use super::*;

#[tokio::test]
async fn a_single_server_keeps_the_contract_of_a_store() {
    let server = RedisServer::start(&[]);
    keeps_the_contract(&server.url()).await;
}

#[tokio::test]
async fn valkey_keeps_the_contract_of_a_store() {
    let there = std::process::Command::new("valkey-server").arg("--version").output().is_ok();
    if !there {
        println!("not run: there is no valkey-server on the PATH");
        return;
    }
    let server = RedisServer::start_program("valkey-server", &[]);
    keeps_the_contract(&server.url()).await;
}

/// This test uses the server's clock and the real scripts. The contract tests use a test clock and other scripts.
#[tokio::test]
async fn the_time_is_the_time_of_the_server() {
    let server = RedisServer::start(&[]);
    let store = open(&server.url()).await;
    let before: u64 = server.ask::<(u64, u64)>(&["TIME"]).0;
    let position = store.commit(marks(1)).await.expect("a commit").position;
    let after: u64 = server.ask::<(u64, u64)>(&["TIME"]).0;
    assert!((before..=after).contains(&(position.seq.get() / 1_000_000)), "{position}");
    let page = store.log_since(Seq::ZERO).await.expect("the log");
    assert_eq!((page.position(), page.entries.len()), (position, 1));
    assert!((before..=after + 1).contains(&page.now.as_secs()));
}

#[tokio::test]
async fn installations_on_one_server_do_not_see_each_other() {
    let server = RedisServer::start(&[]);
    let one = try_open(&server.url(), "one").await.expect("a store");
    let other = try_open(&server.url(), "other").await.expect("a store");
    one.commit(put("alice", None, 1)).await.expect("a commit");
    one.commit(marks(1)).await.expect("a commit");
    assert_eq!(read(&other, "alice").await, None);
    assert!(other.log_since(Seq::ZERO).await.expect("the log").entries.is_empty());
    assert_eq!(other.subjects(None, 10).await.expect("a page").len(), 0);
    assert_ne!(
        one.settings().await.expect("settings").epoch,
        other.settings().await.expect("settings").epoch
    );
}

#[tokio::test]
async fn two_nodes_see_the_same_data() {
    let server = RedisServer::start(&[]);
    let (here, there) = (open(&server.url()).await, open(&server.url()).await);
    assert_eq!(here.settings().await, there.settings().await);
    here.commit(put("alice", None, 1)).await.expect("a commit");
    let (version, _) = read(&there, "alice").await.expect("the other node sees it");
    assert!(there.commit(put("alice", Some(version), 2)).await.expect("a commit").swapped);
    assert!(!here.commit(put("alice", Some(version), 3)).await.expect("a commit").swapped);
    let waiting = tokio::spawn(async move { there.wait_for_news(Seq::ZERO).await });
    here.commit(marks(1)).await.expect("a commit");
    waiting.await.expect("no panic").expect("news from the other node");
}

/// The revocation log has more entries than one command can read.
#[tokio::test]
async fn a_long_log_is_read_to_its_end() {
    let server = RedisServer::start(&[]);
    let store = open(&server.url()).await;
    let mut seqs = Vec::new();
    // Each commit has more entries than one command can append.
    for _ in 0..4 {
        store.commit(marks(PAGE / 2 + 1)).await.expect("a commit");
    }
    let whole = store.log_since(Seq::ZERO).await.expect("the log");
    seqs.extend(whole.entries.iter().map(|entry| entry.seq));
    assert_eq!(seqs.len(), 4 * (PAGE / 2 + 1));
    assert!(seqs.is_sorted_by(|one, next| one < next));
    assert_eq!(seqs.last(), Some(&whole.last));
    let reading = store.read(&subject("alice"), seqs[1]).await.expect("a reading");
    assert_eq!(reading.news.entries.len(), seqs.len() - 2);
}

#[tokio::test]
async fn subjects_are_in_order_over_all_buckets() {
    let server = RedisServer::start(&[]);
    let store = open(&server.url()).await;
    let mut names: Vec<_> = (0..600).map(|number| format!("subject-{number:03}")).collect();
    names.extend(["a}b".to_owned(), "{doorlist}".to_owned(), "Zoë".to_owned()]);
    let made = names.iter().map(|name| store.commit(put(name, None, 1)));
    for made in futures_util::future::join_all(made).await {
        assert!(made.expect("a commit").swapped);
    }
    names.sort_unstable();
    let mut seen: Vec<String> = Vec::new();
    loop {
        let after = seen.last().map(|name| subject(name));
        let rows = store.subjects(after.as_ref(), 250).await.expect("a page");
        seen.extend(rows.iter().map(|row| row.sub.as_str().to_owned()));
        if rows.len() < 250 {
            break;
        }
    }
    assert_eq!(seen, names);
    let bob = subject(&names[3]);
    let (version, _) = read(&store, &names[3]).await.expect("a record");
    assert!(store.forget(&bob, version).await.expect("an answer"));
    let rows = store.subjects(None, 5).await.expect("a page");
    assert!(rows.iter().all(|row| row.sub != bob), "the name is removed together with the record");
}

#[tokio::test]
async fn the_audit_keeps_the_newest_events() {
    let server = RedisServer::start(&[]);
    let store = open(&server.url()).await;
    let event = || AuditEvent::global(crate::domain::AuditKind::Cutoff);
    for _ in 0..11 {
        let audit = vec![event(); 10_000];
        store.commit(Commit { audit, ..Commit::default() }).await.expect("a commit");
    }
    let kept: u64 = server.ask(&["XLEN", "{doorlist}:audit"]);
    assert!((AUDIT_KEPT..AUDIT_KEPT + 1000).contains(&kept), "{kept}");
    let rows = store.audit(None, 3).await.expect("events");
    assert_eq!(rows.iter().map(|row| row.number).collect::<Vec<_>>(), [110_000, 109_999, 109_998]);
}
