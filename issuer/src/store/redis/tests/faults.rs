//! What happens to a Redis, and what its issuers then see.

use super::*;
use crate::desk::Desk;
use crate::domain::Limits;
use crate::store::clock::{HostClock, SystemClock};
use crate::testing::redis_server::RedisServer;

/// Another master shows other versions of the same bytes, and so does this one after a restart: what was decided
/// before does not fit.
#[tokio::test]
async fn a_swap_that_was_decided_before_a_restart_does_not_fit() {
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
async fn what_was_acknowledged_survives_a_killed_server() {
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
            let entry = log.entries.iter().find(|entry| entry.seq == seq).expect("it was acknowledged");
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

/// Trace 21: the connection lives on; the heartbeat finds out, and the epoch of the node that remembers comes back.
#[tokio::test]
async fn an_emptied_store_says_that_it_lost_something() {
    let server = RedisServer::start(&[]);
    let store = open(&server.url()).await;
    let held = store.commit(marks(3)).await.expect("a commit").position;
    let settings = store.settings().await.expect("settings");
    assert!(store.confirm(held).await.expect("an answer").whole);
    server.ask::<()>(&["FLUSHALL"]);
    assert!(!store.confirm(held).await.expect("an answer").whole);
    assert!(!store.log_since(held.seq).await.expect("the log").continues);
    // Nothing is appended to a log without lineage.
    unavailable(store.commit(marks(1)).await);
    assert_eq!(store.merge_settings(settings).await, Ok(settings), "the epoch comes back");
    let again = store.commit(Commit { seen: held.seq, ..marks(1) }).await.expect("a commit").position;
    assert!(again.epoch == held.epoch && again.seq > held.seq);
}

#[tokio::test]
async fn a_head_that_was_lost_alone_finds_the_end_of_its_log() {
    let server = RedisServer::start(&[]);
    let store = open(&server.url()).await;
    let held = store.commit(marks(3)).await.expect("a commit").position;
    let settings = store.settings().await.expect("settings");
    server.ask::<()>(&["DEL", "{doorlist}:head"]);
    assert!(!store.confirm(held).await.expect("an answer").whole);
    store.merge_settings(settings).await.expect("it comes back");
    let log = store.log_since(Seq::ZERO).await.expect("the log");
    assert_eq!((log.position(), log.entries.len()), (held, 3));
    assert!(store.confirm(held).await.expect("an answer").whole);
}

#[tokio::test]
async fn a_replica_is_not_taken_for_the_store() {
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

#[tokio::test]
async fn a_full_server_takes_no_writes_and_loses_none() {
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
    assert_eq!(read(&store, "alice").await, Some((version, record(1))), "it reads on");
    store.trim(held.seq).await.expect("trimming makes room");
    server.ask::<()>(&["CONFIG", "SET", "maxmemory", "0"]);
    assert!(store.confirm(held).await.expect("an answer").whole);
}

/// The time is the server's: an issuer whose host has another one signs nothing.
#[tokio::test]
async fn a_host_with_another_time_than_the_server_is_found_out() {
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

/// A server that hangs holds nobody up for ever, and goes on where it was.
#[tokio::test]
async fn a_stopped_server_is_given_up_and_found_again() {
    let server = RedisServer::start(&[]);
    let store = open(&server.url()).await;
    store.commit(put("alice", None, 1)).await.expect("a commit");
    server.signal(rustix::process::Signal::STOP);
    let reason = unavailable(store.read(&subject("alice"), Seq::ZERO).await);
    assert!(reason.contains("in time"), "{reason}");
    server.signal(rustix::process::Signal::CONT);
    assert!(read(&store, "alice").await.is_some());
}

#[tokio::test]
async fn foreign_values_are_named_and_left_alone() {
    let server = RedisServer::start(&[]);
    let store = open(&server.url()).await;
    store.commit(put("bob", None, 1)).await.expect("a commit");
    let alice = Keys::of(Prefix::default()).record(&subject("alice"));
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
    assert!(read(&store, "bob").await.is_some(), "others are not affected");

    server.ask::<()>(&["XADD", "{doorlist}:log", "*", "at", "soon"]);
    assert!(place(store.read(&subject("bob"), Seq::ZERO).await).starts_with("{doorlist}:log "));
    server.ask::<()>(&["DEL", "{doorlist}:log"]);
    server.ask::<()>(&["HSET", "{doorlist}:head", "last", "many"]);
    assert!(place(store.read(&subject("bob"), Seq::ZERO).await).contains("{doorlist}:head"));
    assert_eq!(server.ask::<String>(&["HGET", "{doorlist}:head", "last"]), "many");
}
