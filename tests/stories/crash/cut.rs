//! One of two issuers is cut off from Redis while the other issuer continues to kick. The verifiers of the isolated
//! issuer do not learn of the kicks. They report that their list is old.

use super::load::{Crowd, Harm};
use super::seeded;
use super::tally::Rounds;
use crate::support::{Follower, Pair, Proxy, RedisServer, eventually, host_time};

const CUTS: usize = 2;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn verifiers_of_an_issuer_that_is_cut_off_never_understate_the_age_of_their_list() {
    let mut random = seeded();
    let redis = RedisServer::start(&[]);
    let way = Proxy::to(redis.port()).await;
    let settings = [("REFRESH_GRACE_SECS", "0"), ("LOG", "warn")];
    let (a, b) = Pair::issuers(&redis.url(), &way.url(), &settings).await;
    let verifiers = [Follower::of(&a).await, Follower::with(&b, Pair::options_of(&a)).await];
    let mut crowd = Crowd::open(&a).await;

    let mut rounds = Rounds::at_least(CUTS);
    for _ in rounds.by_ref() {
        let harm = Harm::at_random(&mut random, 20..150, "an issuer is cut off from Redis");
        crowd.work(&[&a, &b], &verifiers.each_ref(), harm, || way.cut()).await;
        let harm = Harm::at_random(&mut random, 100..300, "the script cache is flushed");
        crowd.work(&[&a], &verifiers.each_ref(), harm, || redis.ask::<()>(&["SCRIPT", "FLUSH"])).await;
        eventually("the verifiers of the other issuer report that their list is old", async {
            while !verifiers[1].look(|verifier| verifier.status(host_time()).freshness.stale) {
                crowd.look_at_tokens(&verifiers[1]);
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        })
        .await;
        crowd.look_at_tokens(&verifiers[1]);

        way.heal();
        b.until_ready().await;
        for verifier in &verifiers {
            verifier.reaches(crowd.acknowledged().expect("a kick")).await;
            crowd.look_at_tokens(verifier);
        }
    }

    crowd.every_client_refreshes(&b).await;
    crowd.look_at_tokens(&Follower::of(&a).await);
    let checked = crowd.assert_nothing_was_lost("one issuer cut off from Redis", rounds.so_far());
    assert!(
        checked.tokens_after_kicks > 0,
        "no token was accepted after its kick, so the story proves nothing"
    );
}
