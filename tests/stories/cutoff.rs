//! A cut-off ends every session or makes every token void. In the list, a cut-off needs only eight bytes.

use doorlist_verifier::Error;
use doorlist_verifier::error::RevokedBy;
use serde_json::{Value, json};

use crate::support::{Follower, Issuer, Session, position};

async fn cut_off(issuer: &Issuer, body: Value) -> doorlist_verifier::Cursor {
    position(&issuer.admin_post("/cutoff", body).await.ok())
}

#[tokio::test]
async fn a_cutoff_voids_every_token_and_keeps_sessions() {
    let issuer = Issuer::start().await;
    let verifier = Follower::of(&issuer).await;
    let sessions = [issuer.open_session("alice").await, issuer.open_session("bob").await];

    let acknowledged = cut_off(&issuer, json!({ "end_sessions": false })).await;

    verifier.reaches(acknowledged).await;
    for session in sessions {
        let refusal = verifier.verify(&session.access).expect_err("the token was issued before the cut-off");
        assert!(matches!(refusal, Error::Revoked { by: RevokedBy::Cutoff, .. }), "{refusal:?}");
        let refreshed = Session::of(&issuer.refresh(&session.refresh).await);
        verifier.verify(&refreshed.access).expect("the token was issued after the cut-off");
    }
    let newcomer = issuer.open_session("mallory").await;
    verifier.verify(&newcomer.access).expect("the login was after the cut-off");
}

#[tokio::test]
async fn a_cutoff_can_end_every_session() {
    let mut issuer = Issuer::start().await;
    let mut verifier = Follower::of(&issuer).await;
    let sessions = [issuer.open_session("alice").await, issuer.open_session("bob").await];

    let acknowledged = cut_off(&issuer, json!({ "end_sessions": true })).await;

    verifier.reaches(acknowledged).await;
    for session in &sessions {
        verifier.verify(&session.access).expect_err("the token was issued before the cut-off");
        issuer.refresh(&session.refresh).await.refused(400, "invalid_grant");
    }
    let newcomer = issuer.open_session("alice").await;
    let newcomer = Session::of(&issuer.refresh(&newcomer.refresh).await);
    verifier.verify(&newcomer.access).expect("the login was after the cut-off");

    // Trace 12: the cut-off is stored, so it survives a restart. It is not an entry of the revocation log, so it does
    // not expire.
    issuer.stop().await;
    issuer.restart().await;
    verifier.resume(&issuer).await;
    for session in &sessions {
        issuer.refresh(&session.refresh).await.refused(400, "invalid_grant");
        verifier.verify(&session.access).expect_err("the token was issued before the cut-off");
    }
    Session::of(&issuer.refresh(&newcomer.refresh).await);
}

/// Trace 12: tokens in the same second as the cut-off. A token that was issued before the request for the cut-off is
/// void. A token that was issued after this request is valid, although the clock shows the same second.
#[tokio::test]
async fn a_cutoff_voids_earlier_tokens_of_the_same_second() {
    // The leeway is 0, so the verifier refuses a token whose `iat` is ahead of the clock.
    let issuer = Issuer::start_with(&[("LEEWAY_SECS", "0")]).await;
    let verifier = Follower::of(&issuer).await;
    for _ in 0..5 {
        let before = issuer.open_session("alice").await;
        let acknowledged = cut_off(&issuer, json!({ "end_sessions": false })).await;
        let after = Session::of(&issuer.refresh(&before.refresh).await);
        verifier.reaches(acknowledged).await;
        verifier.verify(&before.access).expect_err("the token was issued before the call");
        verifier.verify(&after.access).expect("the token was issued after the call");
    }
}
