//! The master is killed under load, and a replica takes over. The master had answered the last writes before its
//! replicas had them, so the new master lacks these writes.

use rustix::process::Signal;

use super::load::{Crowd, Harm};
use super::lost::{Records, records};
use super::seeded;
use super::tally::Rounds;
use crate::support::{Follower, Pair, SentinelSet};

const FAILOVERS: usize = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failovers_undo_nothing_that_was_acknowledged() {
    let mut random = seeded();
    let mut set = SentinelSet::start();
    let settings = [("REFRESH_GRACE_SECS", "0"), ("LOG", "warn")];
    let (a, b) = Pair::issuers(&set.url(), &set.url(), &settings).await;
    let verifiers = [Follower::of(&a).await, Follower::with(&b, Pair::options_of(&a)).await];
    let epoch = verifiers[0].cursor().epoch;
    let mut crowd = Crowd::open(&a).await;
    let mut lost_writes = 0;

    let mut rounds = Rounds::at_least(FAILOVERS);
    for failover in rounds.by_ref() {
        let master = set.master();
        if failover % 2 == 0 {
            let harm =
                Harm::at_random(&mut random, 100..300, "a Sentinel master is killed, a replica takes over");
            crowd.work(&[&a, &b], &verifiers.each_ref(), harm, || set.servers[master].kill()).await;
            set.after_failover(master);
        } else {
            // From now on the replicas read nothing that the master sends.
            let harm = Harm::at_random(&mut random, 100..300, "both replicas of a Sentinel master hang");
            let hang = || set.replicas_of(master).for_each(|server| server.signal(Signal::STOP));
            crowd.work(&[&a, &b], &verifiers.each_ref(), harm, hang).await;
            let harm = Harm::at_random(
                &mut random,
                60..120,
                "a Sentinel master is killed, its last writes are lost",
            );
            let mut before = Records::default();
            let kill = || {
                before = records(&set.servers[master]);
                set.restart_replicas_without(master);
            };
            crowd.work(&[&a, &b], &verifiers.each_ref(), harm, kill).await;
            set.after_failover(master);
            lost_writes += before.changed_in(&records(&set.servers[set.master()]));
        }
        for issuer in [&a, &b] {
            issuer.until_ready().await;
        }
        for verifier in &verifiers {
            if let Some(position) = crowd.acknowledged() {
                verifier.reaches(position).await;
            }
            assert_eq!(verifier.cursor().epoch, epoch, "the epoch is unchanged after failover {failover}");
            crowd.look_at_tokens(verifier);
        }
        set.until_whole();
    }

    crowd.every_client_refreshes(&b).await;
    crowd.look_at_tokens(&Follower::of(&a).await);
    println!("{lost_writes} records were older after a failover than before");
    assert!(lost_writes > 0, "no write was lost, so the story proves nothing");
    crowd.assert_nothing_was_lost("two issuers on a Sentinel set", rounds.so_far());
}
