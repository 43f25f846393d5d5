//! A user signs out with `/logout`. Clients that support RFC 7009 use `/revoke` instead.

use doorlist_verifier::Error;
use doorlist_verifier::error::RevokedBy;
use reqwest::Method;

use crate::support::{Follower, Issuer, Session};

async fn is_over(issuer: &Issuer, verifier: &Follower, session: &Session) {
    let refusal = verifier.refuses(&session.access).await;
    assert!(matches!(refusal, Error::Revoked { by: RevokedBy::Sid, .. }), "{refusal:?}");
    issuer.refresh(&session.refresh).await.refused(400, "invalid_grant");
}

#[tokio::test]
async fn a_logout_ends_this_session_and_no_other() {
    let issuer = Issuer::start().await;
    let verifier = Follower::of(&issuer).await;
    let (laptop, phone) = (issuer.open_session("alice").await, issuer.open_session("alice").await);

    issuer.as_subject(Method::POST, "/logout", &laptop.access).await.ok();

    is_over(&issuer, &verifier, &laptop).await;
    verifier.verify(&phone.access).expect("the phone's session continues");
    Session::of(&issuer.refresh(&phone.refresh).await);
    let again = issuer.as_subject(Method::POST, "/logout", &laptop.access).await;
    again.refused(401, "invalid_token");
}

#[tokio::test]
async fn revoke_accepts_a_refresh_token() {
    let issuer = Issuer::start().await;
    let verifier = Follower::of(&issuer).await;
    let session = issuer.open_session("alice").await;
    assert_eq!(issuer.revoke(&session.refresh).await.status, 200);
    is_over(&issuer, &verifier, &session).await;
}

#[tokio::test]
async fn revoke_accepts_a_superseded_refresh_token() {
    let issuer = Issuer::start_with(&[("REFRESH_GRACE_SECS", "0")]).await;
    let verifier = Follower::of(&issuer).await;
    let first = issuer.open_session("alice").await;
    let second = Session::of(&issuer.refresh(&first.refresh).await);
    let third = Session::of(&issuer.refresh(&second.refresh).await);
    assert_eq!(issuer.revoke(&first.refresh).await.status, 200);
    is_over(&issuer, &verifier, &third).await;
}

#[tokio::test]
async fn revoke_accepts_an_access_token() {
    let issuer = Issuer::start().await;
    let verifier = Follower::of(&issuer).await;
    let session = issuer.open_session("alice").await;
    assert_eq!(issuer.revoke(&session.access).await.status, 200);
    is_over(&issuer, &verifier, &session).await;
}

/// RFC 7009 §2.2: an invalid token is no error, because nothing remains to be revoked.
#[tokio::test]
async fn revoke_answers_200_for_any_value() {
    let issuer = Issuer::start().await;
    let verifier = Follower::of(&issuer).await;
    let session = issuer.open_session("alice").await;
    let before = issuer.log_position().await;

    let broken = format!("{}x", session.refresh);
    for token in ["junk", &broken, &session.access[..session.access.len() - 2]] {
        assert_eq!(issuer.revoke(token).await.status, 200);
    }

    assert_eq!(issuer.log_position().await, before, "nothing was written");
    for _ in 0..2 {
        assert_eq!(issuer.revoke(&session.refresh).await.status, 200, "a repeated request also succeeds");
    }
    is_over(&issuer, &verifier, &session).await;
}
