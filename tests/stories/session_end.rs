//! Sessions end automatically, and no token outlives its session.

use crate::support::{Follower, Issuer, Session};

/// Trace 15: a session's token is refreshed just before the session's absolute end. If the token outlived the session,
/// a later kick would find nothing to revoke.
#[tokio::test]
async fn no_token_outlives_its_session_and_a_kick_after_the_end_still_works() {
    let issuer = Issuer::start_with(&[
        ("ACCESS_TTL_SECS", "3"),
        ("REFRESH_ABSOLUTE_SECS", "3"),
        ("REFRESH_IDLE_SECS", "3"),
        ("REFRESH_GRACE_SECS", "0"),
    ])
    .await;
    let verifier = Follower::of(&issuer).await;
    let session = issuer.open_session("alice").await;
    let end = session.claims.issued_at.plus_secs(3);

    verifier.hears_of(session.claims.issued_at.plus_secs(1)).await;
    let late = Session::of(&issuer.refresh(&session.refresh).await);
    assert!(late.claims.issued_at > session.claims.issued_at);
    assert!(
        late.claims.expires_at <= end,
        "the session ends at {end}, the token at {}",
        late.claims.expires_at
    );

    verifier.hears_of(end).await;
    issuer.refresh(&late.refresh).await.refused(400, "invalid_grant");
    verifier.verify(&late.access).expect("the token is within the leeway");
    let acknowledged = issuer.revoking("/subjects/alice/revoke").await;
    verifier.reaches(acknowledged).await;
    verifier.verify(&late.access).expect_err("the session was kicked after its end");
}

#[tokio::test]
async fn an_idle_session_ends_and_one_that_refreshes_lives() {
    let issuer = Issuer::start_with(&[
        ("REFRESH_IDLE_SECS", "3"),
        ("REFRESH_GRACE_SECS", "0"),
        ("ACCESS_TTL_SECS", "2"),
    ])
    .await;
    let verifier = Follower::of(&issuer).await;
    let idle = issuer.open_session("alice").await;
    let mut busy = issuer.open_session("alice").await;
    for second in 1..=5 {
        verifier.hears_of(idle.claims.issued_at.plus_secs(second)).await;
        busy = Session::of(&issuer.refresh(&busy.refresh).await);
    }
    issuer.refresh(&idle.refresh).await.refused(400, "invalid_grant");
    assert_eq!(issuer.session_count("alice").await, 1);
}
