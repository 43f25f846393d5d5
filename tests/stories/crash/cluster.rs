//! The master of a Redis Cluster is killed under load, and its replica takes over without the last writes.

use rustix::process::Signal;

use super::load::{Crowd, Harm};
use super::lost::{Records, records};
use super::seeded;
use super::tally::Rounds;
use crate::support::{Follower, Pair, RedisCluster};

const FAILOVERS: usize = 2;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_loss_of_a_cluster_master_undoes_nothing_that_was_acknowledged() {
    let mut random = seeded();
    let mut cluster = RedisCluster::start();
    let settings = [("REFRESH_GRACE_SECS", "0"), ("LOG", "warn")];
    let (a, b) = Pair::issuers(&cluster.url(), &cluster.url(), &settings).await;
    let verifiers = [Follower::of(&a).await, Follower::with(&b, Pair::options_of(&a)).await];
    let watched = verifiers.each_ref();
    let epoch = verifiers[0].cursor().epoch;
    let mut crowd = Crowd::open(&a).await;
    let mut lost_writes = 0;

    let mut rounds = Rounds::at_least(FAILOVERS);
    for failover in rounds.by_ref() {
        let (master, replica) = cluster.master_with_replica(failover);
        // From now on the replica reads nothing that its master sends. The master still accepts refreshes, because a
        // refresh does not wait for replicas.
        let harm = Harm::at_random(&mut random, 100..300, "the replica of a Cluster's master hangs");
        crowd.work(&[&a, &b], &watched, harm, || cluster.servers[replica].signal(Signal::STOP)).await;
        let harm =
            Harm::at_random(&mut random, 60..120, "a Cluster's master is killed, its last writes are lost");
        let mut before = Records::default();
        crowd
            .work(&[&a, &b], &watched, harm, || {
                before = records(&cluster.servers[master]);
                cluster.servers[replica].kill();
                cluster.servers[master].kill();
            })
            .await;

        cluster.servers[replica].resume();
        cluster.take_over(replica);
        lost_writes += before.changed_in(&records(&cluster.servers[replica]));
        cluster.servers[master].resume();
        cluster.until_it_serves_all_slots();
        cluster.servers[replica].until_followed(1);
        for issuer in [&a, &b] {
            issuer.until_ready().await;
        }
        for verifier in &verifiers {
            verifier.reaches(crowd.acknowledged().expect("a kick")).await;
            assert_eq!(verifier.cursor().epoch, epoch, "the epoch is unchanged after failover {failover}");
            crowd.look_at_tokens(verifier);
        }
        crowd.every_client_refreshes(&b).await;
    }

    crowd.look_at_tokens(&Follower::of(&a).await);
    println!("{lost_writes} records were older after a failover than before");
    assert!(lost_writes > 0, "no write was lost, so the story proves nothing");
    crowd.assert_nothing_was_lost("two issuers on a Cluster", rounds.so_far());
}
