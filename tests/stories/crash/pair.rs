//! Two issuers on one Redis: one issuer or Redis is killed, and clients move to the other issuer.

use std::time::Duration;

use rustix::process::Signal;

use super::load::{Crowd, Harm};
use super::seeded;
use super::tally::Rounds;
use crate::support::{Follower, Issuer, Pair, host_time};

const ROUNDS: usize = 24;
/// How long Redis hangs in the long outage. The long outage happens once in each run of this story by `make chaos`.
const LONG_HANG: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_of_issuers_and_of_redis_lose_nothing_that_was_acknowledged() {
    let mut random = seeded();
    // Without a grace window every refresh writes. The session must survive every lost answer.
    let mut pair = Pair::start_with(&[("REFRESH_GRACE_SECS", "0"), ("LOG", "warn")]).await;
    let mut verifiers = [Follower::of(&pair.a).await, pair.follower_of_b().await];
    let epoch = verifiers[0].cursor().epoch;
    let mut crowd = Crowd::open(&pair.a).await;

    let mut rounds = Rounds::at_least(ROUNDS);
    let is_long = rounds.are_long();
    for round in rounds.by_ref() {
        let mut harm = |kind| Harm::at_random(&mut random, 20..150, kind);
        let watched = [&verifiers[0], &verifiers[1]];
        let Pair { redis, a, b } = &mut pair;
        match round % 6 {
            0 => {
                let harm = harm("one of two issuers is killed");
                crowd.work(&[a, b], &watched, harm, || a.signal(Signal::KILL)).await;
                restart(a).await;
                verifiers[0].resume(a).await;
            }
            1 => {
                let harm = harm("one of two issuers is killed");
                crowd.work(&[a, b], &watched, harm, || b.signal(Signal::KILL)).await;
                restart(b).await;
                verifiers[1].resume(b).await;
            }
            2 => {
                let harm = harm("Redis is killed");
                crowd.work(&[a, b], &watched, harm, || redis.kill()).await;
                redis.resume();
            }
            3 if is_long && round == 3 => {
                let harm = harm("Redis hangs for half a minute");
                crowd.work(&[a, b], &watched, harm, || redis.signal(Signal::STOP)).await;
                crowd.look_on(&watched, LONG_HANG).await;
                for (issuer, verifier) in [a, b].into_iter().zip(watched) {
                    issuer.until_readiness_is(503).await;
                    assert!(verifier.look(|verifier| verifier.status(host_time()).freshness.stale));
                }
                redis.signal(Signal::CONT);
            }
            3 => {
                let harm = harm("Redis hangs");
                crowd.work(&[a, b], &watched, harm, || redis.signal(Signal::STOP)).await;
                redis.signal(Signal::CONT);
            }
            4 => {
                let harm = harm("Redis is out of memory");
                let full = || redis.ask::<()>(&["CONFIG", "SET", "maxmemory", "1"]);
                crowd.work(&[a, b], &watched, harm, full).await;
                redis.ask::<()>(&["CONFIG", "SET", "maxmemory", "0"]);
            }
            _ => {
                let harm = harm("the script cache is flushed");
                crowd.work(&[a, b], &watched, harm, || redis.ask::<()>(&["SCRIPT", "FLUSH"])).await;
            }
        }
        for issuer in [&pair.a, &pair.b] {
            issuer.until_ready().await;
        }
        for verifier in &verifiers {
            if let Some(position) = crowd.acknowledged() {
                verifier.reaches(position).await;
            }
            assert_eq!(verifier.cursor().epoch, epoch, "the epoch is unchanged after round {round}");
            crowd.look_at_tokens(verifier);
        }
    }

    crowd.every_client_refreshes(&pair.b).await;
    crowd.look_at_tokens(&Follower::of(&pair.a).await);
    crowd.assert_nothing_was_lost("two issuers on one Redis", rounds.so_far());
}

async fn restart(issuer: &mut Issuer) {
    issuer.wait().await;
    issuer.restart().await;
}
