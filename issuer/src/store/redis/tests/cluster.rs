//! A Cluster of three masters with one replica each.

use redis_servers::{RedisCluster, RedisServer};

use super::*;

#[tokio::test]
async fn a_cluster_keeps_the_contract_of_a_store() {
    let cluster = RedisCluster::start();
    keeps_the_contract(&cluster.url()).await;
    spreads_its_records(&cluster).await;
    follows_a_slot_that_moves(&cluster).await;
    continues_after_a_failover(cluster).await;
}

async fn spreads_its_records(cluster: &RedisCluster) {
    let store = open(&cluster.url()).await;
    let names: Vec<_> = (0..90).map(|number| format!("subject-{number:02}")).collect();
    futures_util::future::join_all(names.iter().map(|name| create(&store, name))).await;
    for master in &cluster.servers[..3] {
        let keys: Vec<String> = master.ask(&["KEYS", "{doorlist:*}:record:*"]);
        assert!(keys.len() > 5, "{} records on one master", keys.len());
    }
    assert_eq!(store.subjects(None, 100).await.expect("a page").len(), 90);
}

/// During this test, a slot moves to another master. A version that was read on the first master does not match on the
/// second master.
async fn follows_a_slot_that_moves(cluster: &RedisCluster) {
    let store = open(&cluster.url()).await;
    let keys = KeyNames::of(Prefix::default());
    let before = create(&store, "alice").await;
    let record = keys.record(&subject("alice"));
    let bucket = keys.bucket_of(&subject("alice"));
    let slot = slot(&record).to_string();
    let masters = &cluster.servers[..3];
    let has = |server: &&RedisServer| server.try_ask::<u64>(&["EXISTS", &record]) == Ok(1);
    let from = masters.iter().find(has).expect("one master has the record");
    let to = masters.iter().find(|server| !has(server)).expect("the other masters do not have the record");
    let id = |server: &RedisServer| server.ask::<String>(&["CLUSTER", "MYID"]);

    to.ask::<()>(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &id(from)]);
    from.ask::<()>(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &id(to)]);
    let port = to.port().to_string();
    from.ask::<()>(&["MIGRATE", "127.0.0.1", &port, "", "0", "5000", "KEYS", &record, &bucket]);

    // The old master answers with an ASK redirect.
    assert!(!store.commit(put("alice", Some(before), 2)).await.expect("an answer").swapped);
    let (on_its_way, kept) = read(&store, "alice").await.expect("a record");
    assert_eq!(kept, super::record(1));
    assert_ne!(on_its_way, before);

    for server in [to, from] {
        server.ask::<()>(&["CLUSTER", "SETSLOT", &slot, "NODE", &id(to)]);
    }
    // The old master answers with a MOVED redirect.
    assert!(store.commit(put("alice", Some(on_its_way), 3)).await.expect("a commit").swapped);
    assert_eq!(read(&store, "alice").await.expect("a record").1, super::record(3));
    cluster.until_it_serves_all_slots();
}

/// The master of the revocation log is killed. Its replica takes over and has all acknowledged writes.
async fn continues_after_a_failover(mut cluster: RedisCluster) {
    let store = open(&cluster.url()).await;
    let held = eventually("a commit is acknowledged", async || store.commit(marks(3)).await).await.position;
    // A master that does not have the slot of the revocation log answers with a redirect, so `try_ask` returns an
    // error.
    let has_log = |server: &RedisServer| server.try_ask::<u64>(&["EXISTS", "{doorlist}:log"]) == Ok(1);
    let owner = cluster.servers[..3].iter().position(has_log).expect("one master has the record");
    cluster.servers[owner].kill();
    let replica = &cluster.servers[owner + 3];
    until("the replica takes over", || {
        replica.ask::<String>(&["INFO", "replication"]).contains("role:master")
    });
    // The new master refuses writes until it has a replica. The old master is started again and becomes this replica.
    cluster.servers[owner].resume();
    let confirmed = eventually("the new master has a replica", async || store.confirm(held).await).await;
    assert!(confirmed.whole, "no acknowledged write is lost");
}
