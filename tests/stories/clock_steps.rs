//! The clock of one of two issuers is set to a wrong time. An issuer signs with the time of the store. The issuer signs
//! nothing while its own clock differs from the time of the store by more than the leeway.

use doorlist_verifier::UnixSeconds;
use serde_json::json;

use crate::support::{Follower, Pair, Session, SteppedClock, eventually, host_time};

/// The default lifetime of an access token.
const LIFETIME_SECS: u64 = 900;
const MINUTES_5: i64 = 300;

/// Asserts that the token's `iat` is the current time of the store's clock, and that the token has the full lifetime.
fn has_current_times(session: &Session, before: UnixSeconds) {
    let after = host_time().wall;
    let claims = &session.claims;
    assert!(before <= claims.issued_at && claims.issued_at <= after, "{claims:?}");
    assert_eq!(claims.expires_at.secs_since(claims.issued_at), LIFETIME_SECS);
}

#[tokio::test]
async fn with_a_clock_five_minutes_off_an_issuer_signs_and_shortens_nothing() {
    let clock = SteppedClock::new();
    let pair = Pair::with_clock(&clock).await;
    let verifiers = [Follower::of(&pair.a).await, pair.follower_of_b().await];
    let mut alice = pair.b.open_session("alice").await;
    let mut refused = 0;

    for step in [MINUTES_5, -MINUTES_5] {
        let leaver = pair.b.open_session(&format!("leaver{step}")).await;
        clock.step(step);
        let said = pair.b.until_readiness_is(503).await;
        assert!(said.contains("clock"), "{said}");
        let as_of = verifiers[1].look(|verifier| verifier.status(host_time()).freshness.as_of);
        let before = host_time().wall;

        let answer = pair.b.refresh(&alice.refresh).await;
        assert_eq!(answer.status, 503, "{}", answer.text());
        assert!(answer.headers.contains_key("retry-after"));
        let login = pair.b.admin_post("/sessions", json!({ "sub": "bob" })).await;
        assert_eq!(login.status, 503, "{}", login.text());
        refused += 2;

        // The issuer whose clock is right continues. The issuer whose clock is wrong still answers requests that need
        // no signature.
        alice = Session::of(&pair.a.refresh(&alice.refresh).await);
        has_current_times(&alice, before);
        let kicked = pair.b.revoking(&format!("/subjects/leaver{step}/revoke")).await;
        verifiers[0].reaches(kicked).await;
        verifiers[0].verify(&leaver.access).expect_err("kicked");
        eventually("the verifiers of the stepped issuer report that their list is old", async {
            while !verifiers[1].look(|verifier| verifier.status(host_time()).freshness.stale) {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        })
        .await;
        let signed = verifiers[1].look(|verifier| verifier.status(host_time()).freshness.as_of);
        // It is possible that the issuer sent one more list before it noticed that its clock was wrong.
        assert!(signed <= as_of.map(|as_of| as_of.plus_secs(1)), "the stepped issuer signed a later list");

        clock.step(0);
        pair.b.until_ready().await;
        verifiers[1].reaches(kicked).await;
        verifiers[1].verify(&leaver.access).expect_err("the verifier has received the kick");
        let before = host_time().wall;
        alice = Session::of(&pair.b.refresh(&alice.refresh).await);
        has_current_times(&alice, before);
        for verifier in &verifiers {
            verifier.verify(&alice.access).expect("the same session");
        }
    }
    assert_eq!(refused, 4);
    assert_eq!(pair.a.session_count("alice").await, 1);
}

/// A clock that is wrong by half the leeway has no effect, because no time in a token or list comes from the host's
/// clock.
#[tokio::test]
async fn within_the_leeway_an_issuer_signs_with_the_time_of_the_store() {
    let clock = SteppedClock::new();
    let pair = Pair::with_clock(&clock).await;
    let verifier = pair.follower_of_b().await;
    let mut alice = pair.b.open_session("alice").await;
    for step in [30, -30, 0] {
        clock.step(step);
        // Waits for a list that was signed after the change of the clock.
        verifier.hears_of(host_time().wall.plus_secs(2)).await;
        let as_of = verifier.look(|verifier| verifier.status(host_time()).freshness.as_of);
        assert!(as_of <= Some(host_time().wall), "the list's time is in the future: {as_of:?}");
        let before = host_time().wall;
        alice = Session::of(&pair.b.refresh(&alice.refresh).await);
        has_current_times(&alice, before);
        verifier.verify(&alice.access).expect("good");
        pair.b.until_ready().await;
    }
}

/// If an issuer starts with a wrong clock, it is not ready. `/readyz` names the clock, and a refresh gets a 503.
#[tokio::test]
async fn a_wrong_clock_at_the_start_is_detected() {
    let clock = SteppedClock::new();
    clock.step(-MINUTES_5);
    let pair = Pair::with_clock(&clock).await;
    let alice = pair.a.open_session("alice").await;
    assert!(pair.b.until_readiness_is(503).await.contains("clock"));
    assert_eq!(pair.b.refresh(&alice.refresh).await.status, 503);
    clock.step(0);
    pair.b.until_ready().await;
    Session::of(&pair.b.refresh(&alice.refresh).await);
}
