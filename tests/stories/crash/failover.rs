//! The master is killed under load and a replica takes over, without the last writes that it did not wait for.

use super::load::{Crowd, Harm};
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

    let mut rounds = Rounds::at_least(FAILOVERS);
    for failover in rounds.by_ref() {
        let harm =
            Harm::at_random(&mut random, 100..300, "a Sentinel master is killed, a replica takes over");
        let master = set.master();
        crowd.work(&[&a, &b], &verifiers.each_ref(), harm, || set.servers[master].kill()).await;
        set.after_failover(master);
        for issuer in [&a, &b] {
            issuer.until_ready().await;
        }
        for verifier in &verifiers {
            if let Some(position) = crowd.acknowledged() {
                verifier.reaches(position).await;
            }
            assert_eq!(verifier.cursor().epoch, epoch, "the log goes on after failover {failover}");
            crowd.look_at_tokens(verifier);
        }
        set.until_whole();
    }

    crowd.everybody_refreshes(&b).await;
    crowd.look_at_tokens(&Follower::of(&a).await);
    crowd.assert_nothing_was_lost("two issuers on a Sentinel set", rounds.so_far());
}
