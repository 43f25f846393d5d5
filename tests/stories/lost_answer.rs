//! Trace 5 (a): an answer is lost, and the client returns with the token that it still has, long after the grace
//! window. Here the grace window is 0 seconds, so every retry comes after the window (seen in the field:
//! ory/hydra#1831, FusionAuth/fusionauth-issues#2952, better-auth/better-auth#8512).

use crate::support::{Follower, Issuer, Session};

#[tokio::test]
async fn a_session_survives_a_lost_answer_after_the_grace_window() {
    let issuer = Issuer::start_with(&[("REFRESH_GRACE_SECS", "0")]).await;
    let verifier = Follower::of(&issuer).await;
    let session = issuer.open_session("alice").await;
    let lost = Session::of(&issuer.refresh(&session.refresh).await);

    let again = Session::of(&issuer.refresh(&session.refresh).await);
    assert_ne!(again.refresh, lost.refresh, "the lost successor is not issued again");
    verifier.verify(&again.access).expect("the session continues");

    // From here on, the answer with the tokens `again` counts as lost too.
    let more = Session::of(&issuer.refresh(&session.refresh).await);
    let next = Session::of(&issuer.refresh(&more.refresh).await);
    verifier.verify(&next.access).expect("the session continues");
    assert_eq!(next.claims.sid, session.claims.sid);
}

#[tokio::test]
async fn a_lost_answer_of_a_login_leaves_only_an_unused_session() {
    let issuer = Issuer::start_with(&[("REFRESH_GRACE_SECS", "0")]).await;
    let lost = issuer.open_session("alice").await;
    let session = issuer.open_session("alice").await;
    assert_ne!(lost.claims.sid, session.claims.sid);
    Session::of(&issuer.refresh(&session.refresh).await);
    assert_eq!(issuer.session_count("alice").await, 2);
}
