//! Three masters with a replica each.

use super::*;
use crate::testing::redis_server::RedisServer;
use crate::testing::redis_sets::RedisCluster;

#[tokio::test]
async fn it_is_a_store_like_any_other() {
    let cluster = RedisCluster::start();
    keeps_the_contract(&cluster.url()).await;
    spreads_its_records(&cluster).await;
    goes_on_after_a_failover(cluster).await;
}

async fn spreads_its_records(cluster: &RedisCluster) {
    let store = open(&cluster.url()).await;
    let made = (0..90).map(|number| store.commit(put(&format!("subject-{number:02}"), None, 1)));
    for made in futures_util::future::join_all(made).await.into_iter().collect::<Vec<_>>() {
        assert!(made.expect("a commit").swapped);
    }
    for master in &cluster.servers[..3] {
        let keys: Vec<String> = master.ask(&["KEYS", "{doorlist:*}:record:*"]);
        assert!(keys.len() > 5, "{} records on one master", keys.len());
    }
    assert_eq!(store.subjects(None, 100).await.expect("a page").len(), 90);
}

/// The master of the log is killed: its replica takes over, and has all that was acknowledged.
async fn goes_on_after_a_failover(mut cluster: RedisCluster) {
    let store = open(&cluster.url()).await;
    let held = store.commit(marks(3)).await.expect("a commit").position;
    // The others answer with a redirect.
    let has_log = |server: &RedisServer| server.try_ask::<u64>(&["EXISTS", "{doorlist}:log"]) == Ok(1);
    let owner = cluster.servers[..3].iter().position(has_log).expect("one has it");
    cluster.servers[owner].kill();
    let replica = &cluster.servers[owner + 3];
    until("the replica takes over", || {
        replica.ask::<String>(&["INFO", "replication"]).contains("role:master")
    });
    // Without a replica of its own it takes no writes.
    cluster.servers[owner].resume();
    let confirmed = confirmed(&store, held, "the new master has a replica").await;
    assert!(confirmed.whole, "nothing acknowledged is lost");
}
