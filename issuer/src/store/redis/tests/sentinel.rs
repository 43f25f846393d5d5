//! A master with two replicas, and three sentinels.

use redis_servers::{RedisServer, SentinelSet};

use super::*;

#[tokio::test]
async fn a_sentinel_set_keeps_the_contract_of_a_store() {
    let mut set = SentinelSet::start();
    keeps_the_contract(&set.url()).await;

    let store = open(&set.url()).await;
    let first = set.master();
    let held = eventually("a commit is acknowledged", async || store.commit(marks(3)).await).await.position;
    let before = create(&store, "alice").await;
    set.servers[first].kill();
    set.after_failover(first);
    set.until_whole();
    let confirmed = eventually("a replica takes over", async || store.confirm(held).await).await;
    assert!(confirmed.whole, "nothing acknowledged is lost");
    assert_ne!(set.master(), first);
    // Trace 25: a version that was read on the old master does not match on the new master, although both masters
    // have the same bytes of the record.
    assert!(!store.commit(put("alice", Some(before), 2)).await.expect("an answer").swapped);
    let (after, kept) = read(&store, "alice").await.expect("the record was acknowledged");
    assert_eq!(kept, record(1));
    let settled = async |version| store.settle(&subject("alice"), Some(version)).await;
    assert!(!settled(before).await.expect("an answer") && settled(after).await.expect("an answer"));
    assert!(store.commit(put("alice", Some(after), 2)).await.expect("an answer").swapped);
}

#[tokio::test]
async fn sentinels_may_require_the_password_too() {
    let guarded = ["--min-replicas-to-write", "1", "--repl-ping-replica-period", "1"];
    let server = RedisServer::start(&[&guarded[..], &["--requirepass", "wonderland"]].concat());
    let follows = format!("127.0.0.1 {}", server.port());
    let replica = ["--replicaof", &follows, "--masterauth", "wonderland", "--requirepass", "wonderland"];
    let _replica = RedisServer::start(&[&guarded[..], &replica].concat());
    let sentinels =
        [None, Some("wonderland")].map(|password| RedisServer::start_sentinel(server.port(), password));
    for sentinel in &sentinels {
        let url = |login| format!("redis+sentinel://{login}127.0.0.1:{}/doorlist", sentinel.port());
        open(&url(":wonderland@")).await;
        let said = misconfigured(try_open(&url(":looking-glass@"), "doorlist").await.map(drop));
        assert!(!said.contains("looking-glass"), "{said}");
        let other = url(":wonderland@").replace("/doorlist", "/other");
        let said = unavailable(try_open(&other, "doorlist").await.map(drop));
        assert!(said.contains("knows a master of this name"), "{said}");
    }
}

/// The replica in this test has no `min-replicas-to-write`. If it became the master, it would accept writes without any
/// replica. So the issuer refuses the replica.
#[tokio::test]
async fn a_replica_that_would_accept_writes_alone_is_refused() {
    let server = RedisServer::start(&["--min-replicas-to-write", "1", "--repl-ping-replica-period", "1"]);
    let replica = RedisServer::start(&["--replicaof", &format!("127.0.0.1 {}", server.port())]);
    server.until_followed(1);
    let (_sentinel, url) = watched(&server);
    let said = misconfigured(try_open(&url, "doorlist").await.map(drop));
    assert!(said.contains(&replica.port().to_string()) && said.contains("min-replicas-to-write"), "{said}");
    replica.ask::<()>(&["CONFIG", "SET", "min-replicas-to-write", "1"]);
    open(&url).await;
}

/// If a master has lost all its replicas, no write is acknowledged. This is true even if the master has no
/// `min-replicas-to-write` and accepts the write.
#[tokio::test]
async fn a_master_that_lost_all_its_replicas_acknowledges_nothing() {
    let (server, replica) = master_and_replica();
    let (_sentinel, url) = watched(&server);
    let store = open(&url).await;
    let held = eventually("the replica confirms", async || store.commit(marks(1)).await).await.position;
    server.ask::<()>(&["CONFIG", "SET", "min-replicas-to-write", "0"]);
    drop(replica);
    until("the master knows that it is alone", || {
        server.ask::<String>(&["INFO", "replication"]).contains("connected_slaves:0")
    });
    // Checks the replicas now. The test does not wait for the next periodic check.
    store.inner.servers.notice_replicas().await;
    for reason in [unavailable(store.commit(marks(1)).await), unavailable(store.confirm(held).await)] {
        assert!(reason.contains("no replica confirmed"), "{reason}");
    }
}
