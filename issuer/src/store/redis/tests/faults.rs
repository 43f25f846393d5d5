//! Faults of a Redis, and their effects on the issuers.

use redis_servers::RedisServer;

use super::*;
use crate::desk::{Desk, Upkeep};
use crate::domain::Limits;
use crate::store::clock::{HostClock, SystemClock};

/// After a restart, a server gives a new version to the same bytes of a record. So a swap with a version that was read
/// before the restart does not match.
#[tokio::test]
async fn a_swap_with_a_version_from_before_a_restart_does_not_match() {
    let mut server = RedisServer::start(&[]);
    let store = open(&server.url()).await;
    store.commit(put("alice", None, 1)).await.expect("a commit");
    let (before, _) = read(&store, "alice").await.expect("a record");
    server.kill();
    let down = unavailable(store.read(&subject("alice"), Seq::ZERO).await);
    assert!(!down.is_empty());
    unavailable(store.commit(put("alice", Some(before), 2)).await);
    unavailable(store.confirm(Cursor { epoch: NO_EPOCH, seq: Seq::ZERO }).await);
    server.resume();
    let (after, kept) = read(&store, "alice").await.expect("the record survived in the AOF");
    assert_eq!(kept, record(1));
    assert_ne!(before, after);
    assert!(!store.commit(put("alice", Some(before), 3)).await.expect("an answer").swapped);
    assert!(store.commit(put("alice", Some(after), 4)).await.expect("an answer").swapped);
}

#[tokio::test]
async fn acknowledged_writes_survive_a_killed_server() {
    let mut server = RedisServer::start(&[]);
    let store = open(&server.url()).await;
    for round in 0..3 {
        let mut acknowledged = Vec::new();
        for number in 0..20 {
            let name = format!("subject-{round}-{number}");
            let mut commit = put(&name, None, 1);
            commit.entries = vec![NewEntry::Key { kid: name.clone() }];
            acknowledged.push((name, store.commit(commit).await.expect("a commit").position.seq));
        }
        server.kill();
        server.resume();
        let log = store.log_since(Seq::ZERO).await.expect("the log");
        for (name, seq) in acknowledged {
            assert!(read(&store, &name).await.is_some(), "{name}");
            let entry =
                log.entries.iter().find(|entry| entry.seq == seq).expect("the entry was acknowledged");
            assert_eq!(entry.entry, Appended::Key { kid: name });
        }
    }
}

#[tokio::test]
async fn scripts_that_were_flushed_are_sent_again() {
    let server = RedisServer::start(&[]);
    let store = open(&server.url()).await;
    store.commit(put("alice", None, 1)).await.expect("a commit");
    for gid in 2..5 {
        server.ask::<()>(&["SCRIPT", "FLUSH"]);
        let (version, _) = read(&store, "alice").await.expect("a record");
        server.ask::<()>(&["SCRIPT", "FLUSH"]);
        assert!(store.commit(put("alice", Some(version), gid)).await.expect("a commit").swapped);
    }
}

/// A proxy leads to the master, like a host name or a cloud's "primary endpoint". After a switch-over, connections that
/// were made earlier still lead to the old master, which is now a replica.
#[tokio::test]
async fn an_address_that_leads_to_a_new_master_is_followed() {
    use std::sync::atomic::{AtomicU16, Ordering};
    let (server, replica) = master_and_replica();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("redis://{}", listener.local_addr().expect("the address of the socket"));
    let target = Arc::new(AtomicU16::new(server.port()));
    let leads_to = Arc::clone(&target);
    let proxy = tokio::spawn(async move {
        while let Ok((mut from, _)) = listener.accept().await {
            let port = leads_to.load(Ordering::SeqCst);
            tokio::spawn(async move {
                let mut to = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.expect("a server");
                let _ = tokio::io::copy_bidirectional(&mut from, &mut to).await;
            });
        }
    });
    let store = open(&url).await;
    eventually("a commit", async || store.commit(marks(1)).await).await;
    replica.ask::<()>(&["REPLICAOF", "NO", "ONE"]);
    server.ask::<()>(&["REPLICAOF", "127.0.0.1", &replica.port().to_string()]);
    replica.until_followed(1);
    target.store(replica.port(), Ordering::SeqCst);
    eventually("a new store can use the new master", async || try_open(&url, "doorlist").await.map(drop))
        .await;
    eventually("the open store reaches the new master", async || {
        store.read(&subject("alice"), Seq::ZERO).await
    })
    .await;
    proxy.abort();
}

/// Trace 21: the store is emptied while the connection stays open. The heartbeat notices the loss, and the node puts
/// the epoch back.
#[tokio::test]
async fn the_loss_of_an_emptied_store_is_detected() {
    let server = RedisServer::start(&[]);
    let store = open(&server.url()).await;
    let held = store.commit(marks(3)).await.expect("a commit").position;
    let settings = store.settings().await.expect("settings");
    assert!(store.confirm(held).await.expect("an answer").whole);
    server.ask::<()>(&["FLUSHALL"]);
    assert!(!store.confirm(held).await.expect("an answer").whole);
    assert!(!store.log_since(held.seq).await.expect("the log").continues);
    // A revocation log that has no epoch accepts no entry.
    unavailable(store.commit(marks(1)).await);
    assert_eq!(store.merge_settings(settings).await, Ok(settings), "the epoch is restored");
    let again = store.commit(Commit { seen: held.seq, ..marks(1) }).await.expect("a commit").position;
    assert!(again.epoch == held.epoch && again.seq > held.seq);
}

/// Many requests notice at the same time that the revocation log was lost. One request puts the lost entries back. At
/// most one late request puts the same entries back a second time.
#[tokio::test]
async fn at_most_two_of_many_requests_restore_an_emptied_store() {
    let server = RedisServer::start(&[]);
    let store = Arc::new(open(&server.url()).await);
    let desk = Desk::open(store.clone(), Limits::default(), Duration::from_secs(10)).await.expect("a desk");
    for _ in 0..20 {
        let entries =
            (0..1000).map(|number| NewEntry::Key { kid: format!("key {number} {}", rand::random::<u64>()) });
        store.commit(Commit { entries: entries.collect(), ..Commit::default() }).await.expect("a commit");
    }
    let alice = desk.create_subject(&subject("alice"), None).await;
    alice.expect("alice");
    desk.kick(&subject("alice"), None).await.expect("a kick");
    Upkeep::new(Arc::clone(&desk)).beat().await.expect("a beat");
    server.ask::<()>(&["FLUSHALL"]);
    let reads = (0..64)
        .map(async |number| desk.subject(&subject(&format!("user-{number}"))).await.expect("an answer"));
    futures_util::future::join_all(reads).await;
    let log = store.log_since(Seq::ZERO).await.expect("the log").entries;
    let marks = log.iter().filter(|entry| entry.entry == Appended::Mark).count();
    assert!((1..=2).contains(&marks), "the revocation log was restored {marks} times");
}

#[tokio::test]
async fn a_lost_head_is_restored_from_the_end_of_the_log() {
    let server = RedisServer::start(&[]);
    let store = open(&server.url()).await;
    let held = store.commit(marks(3)).await.expect("a commit").position;
    let settings = store.settings().await.expect("settings");
    server.ask::<()>(&["DEL", "{doorlist}:head"]);
    assert!(!store.confirm(held).await.expect("an answer").whole);
    store.merge_settings(settings).await.expect("the epoch is restored");
    let log = store.log_since(Seq::ZERO).await.expect("the log");
    assert_eq!((log.position(), log.entries.len()), (held, 3));
    assert!(store.confirm(held).await.expect("an answer").whole);
}

#[tokio::test]
async fn a_replica_is_not_used_as_the_store() {
    let (server, other) = (RedisServer::start(&[]), RedisServer::start(&[]));
    let store = open(&server.url()).await;
    store.commit(put("alice", None, 1)).await.expect("a commit");
    let (version, _) = read(&store, "alice").await.expect("a record");
    server.ask::<()>(&["REPLICAOF", "127.0.0.1", &other.port().to_string()]);
    let held = Cursor { epoch: NO_EPOCH, seq: Seq::ZERO };
    for reason in [
        unavailable(store.confirm(held).await),
        unavailable(store.commit(marks(1)).await),
        unavailable(store.commit(put("alice", Some(version), 2)).await),
        unavailable(store.commit(put("bob", None, 2)).await),
        unavailable(store.read(&subject("alice"), Seq::ZERO).await),
        unavailable(store.log_since(Seq::ZERO).await),
    ] {
        assert!(reason.contains("replica"), "{reason}");
    }
}

/// A master was demoted to a replica. The server's answer to a write says that the server is a replica. The server's
/// answer to `WAIT` does not say this.
#[tokio::test]
async fn the_error_for_a_replicated_write_says_that_the_server_is_a_replica() {
    let (server, replica) = master_and_replica();
    let store = open(&server.url()).await;
    eventually("ok", async || store.commit(marks(1)).await).await;
    replica.ask::<()>(&["REPLICAOF", "NO", "ONE"]);
    server.ask::<()>(&["REPLICAOF", "127.0.0.1", &replica.port().to_string()]);
    let reason = unavailable(store.commit(marks(1)).await);
    assert!(reason.contains("replica"), "{reason}");
}

#[tokio::test]
async fn a_full_server_refuses_writes_and_loses_none() {
    let server = RedisServer::start(&[]);
    let store = open(&server.url()).await;
    let held = store.commit(marks(2)).await.expect("a commit").position;
    store.commit(put("alice", None, 1)).await.expect("a commit");
    let (version, _) = read(&store, "alice").await.expect("a record");
    server.ask::<()>(&["CONFIG", "SET", "maxmemory", "1"]);
    for reason in [
        unavailable(store.commit(marks(1)).await),
        unavailable(store.commit(put("alice", Some(version), 2)).await),
        unavailable(store.confirm(held).await),
    ] {
        assert!(reason.contains("raise maxmemory"), "{reason}");
    }
    assert_eq!(read(&store, "alice").await, Some((version, record(1))), "reads still succeed");
    store.trim(held.seq).await.expect("trimming makes room");
    server.ask::<()>(&["CONFIG", "SET", "maxmemory", "0"]);
    assert!(store.confirm(held).await.expect("an answer").whole);
}

/// The time comes from the server. If the clock of an issuer's host differs from the server's clock, that issuer
/// signs nothing.
#[tokio::test]
async fn a_host_with_another_time_than_the_server_is_detected() {
    let server = RedisServer::start(&[]);
    let host = SystemClock.micros() / 1_000_000;
    for (prefix, time, differs) in
        [("same", host, false), ("behind", host - 300, true), ("ahead", host + 300, true)]
    {
        let store = Arc::new(open_with_clock(&server.url(), prefix, ManualClock::at(time)).await);
        let desk = Desk::open(store, Limits::default(), Duration::from_secs(10)).await.expect("a desk");
        assert_eq!(desk.check_clock().is_err(), differs, "{prefix}");
    }
}

/// A server that hangs does not block a caller for ever. When the server runs again, requests succeed.
#[tokio::test]
async fn a_server_that_hangs_is_given_up_and_used_again_later() {
    let server = RedisServer::start(&[]);
    let store = open(&server.url()).await;
    store.commit(put("alice", None, 1)).await.expect("a commit");
    server.signal(rustix::process::Signal::STOP);
    let reason = unavailable(store.read(&subject("alice"), Seq::ZERO).await);
    assert!(reason.contains("in time"), "{reason}");
    server.signal(rustix::process::Signal::CONT);
    assert!(read(&store, "alice").await.is_some());
}

/// The sentinels accept connections but do not answer. Every request gets an error in time, even if there are many
/// requests.
#[tokio::test]
async fn requests_get_an_error_in_time_while_the_sentinels_hang() {
    let (server, _replica) = master_and_replica();
    let (sentinel, url) = watched(&server);
    let store = open(&url).await;
    for stopped in [&server, &sentinel] {
        stopped.signal(rustix::process::Signal::STOP);
    }
    let reads = (0..30).map(async |number| {
        for _ in 0..2 {
            store.read(&subject(&format!("user-{number}")), Seq::ZERO).await.expect_err("no server answers");
        }
    });
    // If the requests searched for the master one after the other, all requests together would take a minute.
    let done = tokio::time::timeout(Duration::from_secs(30), futures_util::future::join_all(reads)).await;
    for stopped in [&server, &sentinel] {
        stopped.signal(rustix::process::Signal::CONT);
    }
    done.expect("every request gets an error in time");
}

#[tokio::test]
async fn foreign_values_are_reported_and_not_changed() {
    let server = RedisServer::start(&[]);
    let store = open(&server.url()).await;
    store.commit(put("bob", None, 1)).await.expect("a commit");
    let alice = KeyNames::of(Prefix::default()).record(&subject("alice"));
    let place = |answer: Result<Reading, StoreError>| match answer {
        Err(StoreError::Corrupt { place, .. }) => place,
        other => panic!("not corrupt: {other:?}"),
    };
    for value in ["", "x", "0123456789abcdef", "0123456789abcdef{}", "0123456789abcdef{\"gid\":1}"] {
        server.ask::<()>(&["SET", &alice, value]);
        assert_eq!(place(store.read(&subject("alice"), Seq::ZERO).await), alice);
        assert!(!store.commit(put("alice", None, 2)).await.expect("an answer").swapped);
        assert_eq!(server.ask::<String>(&["GET", &alice]), value);
    }
    server.ask::<()>(&["DEL", &alice]);
    server.ask::<()>(&["LPUSH", &alice, "x"]);
    assert_eq!(place(store.read(&subject("alice"), Seq::ZERO).await), alice);
    assert!(matches!(store.commit(put("alice", None, 2)).await, Err(StoreError::Corrupt { .. })));
    assert_eq!(server.ask::<String>(&["TYPE", &alice]), "list");
    assert!(read(&store, "bob").await.is_some(), "other records are not affected");

    server.ask::<()>(&["XADD", "{doorlist}:log", "*", "at", "soon"]);
    assert!(place(store.read(&subject("bob"), Seq::ZERO).await).starts_with("{doorlist}:log "));
    server.ask::<()>(&["DEL", "{doorlist}:log"]);
    server.ask::<()>(&["HSET", "{doorlist}:head", "last", "many"]);
    assert!(place(store.read(&subject("bob"), Seq::ZERO).await).contains("{doorlist}:head"));
    assert_eq!(server.ask::<String>(&["HGET", "{doorlist}:head", "last"]), "many");
}

/// After the name of a record was read, another issuer removes the record. The page still continues with the next
/// names.
#[tokio::test]
async fn a_record_that_disappears_in_between_does_not_end_the_list_of_subjects() {
    let server = RedisServer::start(&[]);
    let store = Arc::new(open(&server.url()).await);
    for number in 0..20 {
        store.commit(put(&format!("user-{number:02}"), None, 1 + number)).await.expect("a commit");
    }
    let keys = KeyNames::of(Prefix::default());
    server.ask::<()>(&["DEL", &keys.record(&subject("user-03"))]);
    let page = store.subjects(None, 5).await.expect("a page");
    assert_eq!(
        page.iter().map(|row| row.sub.as_str()).collect::<Vec<_>>(),
        ["user-00", "user-01", "user-02", "user-04", "user-05"]
    );
}
