//! `kill -9` at random points under load, repeatedly. No acknowledged kick and no session is lost. A client is never
//! refused if it sends its latest token and only one request at a time.

#[cfg(target_os = "linux")]
mod clock;
mod cluster;
mod cut;
mod failover;
mod history;
mod load;
mod lost;
mod pair;
mod tally;

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rustix::process::Signal;

use crate::support::{Follower, Issuer};
use load::{Crowd, Harm};
use tally::Rounds;

const ROUNDS: usize = 50;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_kills_lose_nothing_that_was_acknowledged() {
    let mut random = seeded();

    // Without a grace window every refresh writes. The session must survive every lost answer.
    let mut issuer = Issuer::start_with(&[("REFRESH_GRACE_SECS", "0"), ("LOG", "warn")]).await;
    let mut verifier = Follower::of(&issuer).await;
    let epoch = verifier.cursor().epoch;
    let mut crowd = Crowd::open(&issuer).await;

    let mut rounds = Rounds::at_least(ROUNDS);
    for round in rounds.by_ref() {
        let harm = Harm::at_random(&mut random, 1..150, "an issuer is killed");
        crowd.work(&[&issuer], &[&verifier], harm, || issuer.signal(Signal::KILL)).await;
        issuer.wait().await;
        if random.random_bool(0.25) {
            // The start completes half-done kicks. Therefore the issuer is also killed during its start.
            let launched = issuer.launch();
            let moment = Duration::from_micros(random.random_range(0..100_000));
            // The issuer is killed after the duration `moment`. If the issuer listens before that, it is killed at
            // once.
            let _ = tokio::time::timeout(moment, launched).await;
            issuer.kill().await;
        }
        issuer.restart().await;

        verifier.resume(&issuer).await;
        if let Some(position) = crowd.acknowledged() {
            verifier.reaches(position).await;
        }
        assert_eq!(verifier.cursor().epoch, epoch, "the epoch is unchanged after crash {round}");
        crowd.look_at_tokens(&verifier);
    }

    crowd.every_client_refreshes(&issuer).await;
    crowd.look_at_tokens(&Follower::of(&issuer).await);
    crowd.assert_nothing_was_lost("one issuer on its embedded store", rounds.so_far());
}

fn seeded() -> StdRng {
    let seed =
        std::env::var("STORIES_SEED").map_or_else(|_| rand::random(), |seed| seed.parse().expect("a number"));
    println!("STORIES_SEED={seed} repeats the kills at the same points");
    StdRng::seed_from_u64(seed)
}
