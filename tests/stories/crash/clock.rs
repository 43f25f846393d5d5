//! Under load, the clock of one of two issuers is set five minutes ahead, and in other rounds five minutes back.

use super::load::{Crowd, Harm};
use super::seeded;
use super::tally::Rounds;
use crate::support::{Follower, Pair, SteppedClock};

const STEPS: usize = 2;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn steps_of_a_clock_end_no_session_and_hide_no_kick() {
    let mut random = seeded();
    let clock = SteppedClock::new();
    let pair = Pair::with_clock(&clock).await;
    let verifiers = [Follower::of(&pair.a).await, pair.follower_of_b().await];
    let mut crowd = Crowd::open(&pair.a).await;

    let mut rounds = Rounds::at_least(STEPS);
    for round in rounds.by_ref() {
        let issuers = [&pair.a, &pair.b];
        let step = if round % 2 == 0 { 300 } else { -300 };
        let harm = Harm::at_random(&mut random, 20..150, "an issuer's clock is stepped by five minutes");
        crowd.work(&issuers, &verifiers.each_ref(), harm, || clock.step(step)).await;
        pair.b.until_readiness_is(503).await;
        let harm =
            Harm::at_random(&mut random, 100..300, "an issuer's clock is five minutes off for a while");
        crowd.work(&issuers, &verifiers.each_ref(), harm, || ()).await;
        // The issuer with the wrong clock signs no lists. So its verifiers receive no kicks, and must report that their
        // list is old.
        verifiers.iter().for_each(|verifier| crowd.look_at_tokens(verifier));
        clock.step(0);
        pair.b.until_ready().await;
        for verifier in &verifiers {
            verifier.reaches(crowd.acknowledged().expect("a kick")).await;
            crowd.look_at_tokens(verifier);
        }
    }

    crowd.every_client_refreshes(&pair.b).await;
    crowd.look_at_tokens(&Follower::of(&pair.a).await);
    let checked =
        crowd.assert_nothing_was_lost("two issuers, one with a clock that is stepped", rounds.so_far());
    assert!(
        checked.tokens_after_kicks > 0,
        "no token was accepted after its kick, so the story proves nothing"
    );
}
