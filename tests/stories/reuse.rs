//! A refresh token was stolen: two parties use one chain, and the session ends for both.

use doorlist_verifier::Error;
use doorlist_verifier::error::RevokedBy;

use crate::support::{Follower, Issuer, Session};

#[tokio::test]
async fn reuse_ends_the_session_at_every_connected_verifier() {
    let issuer = Issuer::start_with(&[("REFRESH_GRACE_SECS", "0")]).await;
    let verifier = Follower::of(&issuer).await;
    let stolen = issuer.open_session("alice").await;
    let other_device = issuer.open_session("alice").await;

    // The user refreshes two more times, so the thief's copy is two generations old.
    let second = Session::of(&issuer.refresh(&stolen.refresh).await);
    let third = Session::of(&issuer.refresh(&second.refresh).await);
    issuer.refresh(&stolen.refresh).await.refused(400, "invalid_grant");

    for session in [&stolen, &second, &third] {
        let refusal = verifier.refuses(&session.access).await;
        assert!(
            matches!(refusal, Error::Revoked { by: RevokedBy::Sid, handle: Some(sid), .. } if sid == session.claims.sid),
            "{refusal:?}"
        );
        issuer.refresh(&session.refresh).await.refused(400, "invalid_grant");
    }
    verifier.verify(&other_device.access).expect("another session of the user continues");
    Session::of(&issuer.refresh(&other_device.refresh).await);
}

/// Trace 5, last sentence: a thief and the user refresh in turn. Each party sends the latest token that this party
/// received.
#[tokio::test]
async fn a_thief_who_refreshes_in_turn_with_the_user_is_detected() {
    let issuer = Issuer::start_with(&[("REFRESH_GRACE_SECS", "0")]).await;
    let verifier = Follower::of(&issuer).await;
    let session = issuer.open_session("alice").await;

    // At first, both the user and the thief hold the first token. Each refresh gives a token of a new generation to the
    // party that sent the request.
    let mut held = [session.refresh.clone(), session.refresh];
    let mut tokens = vec![session.access];
    let mut turns = 0;
    let refused = loop {
        let party = turns % 2;
        let reply = issuer.refresh(&held[party]).await;
        if !reply.status.is_success() {
            break reply;
        }
        let answer = Session::of(&reply);
        tokens.push(answer.access);
        held[party] = answer.refresh;
        turns += 1;
        assert!(turns < 6, "the issuer did not notice the theft in {turns} refreshes");
    };

    refused.refused(400, "invalid_grant");
    for token in &tokens {
        verifier.refuses(token).await;
    }
    for refresh in &held {
        issuer.refresh(refresh).await.refused(400, "invalid_grant");
    }
}
