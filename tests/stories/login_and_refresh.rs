//! A user signs in, gets a token that a verifier accepts offline, and refreshes the session.

use doorlist_verifier::{Audience, RevocationStatus};
use reqwest::header::CACHE_CONTROL;
use serde_json::{Value, json};

use crate::support::{Follower, Issuer, Session, unverified_claims};

#[tokio::test]
async fn a_login_gives_a_token_that_verifies_offline() {
    let issuer = Issuer::start().await;
    issuer.add_account("alice", "wonderland").await;
    let verifier = Follower::of(&issuer).await;

    let reply = issuer.login("alice", "wonderland").await;
    let answer = reply.ok();
    assert_eq!(answer["token_type"], "Bearer");
    assert_eq!(answer["expires_in"], 900);
    assert_eq!(reply.header(CACHE_CONTROL), "no-store", "RFC 6749 §5.1");

    let session = Session::of(&reply);
    let verified = verifier.verify(&session.access).expect("a valid token");
    assert_eq!(verified.revocation, RevocationStatus::NotRevoked);
    assert!(!verified.freshness.stale);
    assert_eq!(verified.claims.issuer, issuer.url());
    assert_eq!(verified.claims.subject, "alice");
    assert_eq!(verified.claims.audience, Audience::One("api".into()));
    assert_eq!(verified.claims.expires_at, verified.claims.issued_at.plus_secs(900));
}

#[tokio::test]
async fn a_refresh_continues_the_same_session() {
    let issuer = Issuer::start().await;
    issuer.add_account("alice", "wonderland").await;
    let verifier = Follower::of(&issuer).await;
    let first = Session::of(&issuer.login("alice", "wonderland").await);

    let second = Session::of(&issuer.refresh(&first.refresh).await);

    assert_ne!(second.refresh, first.refresh, "the refresh token was rotated");
    assert_ne!(second.claims.jwt_id, first.claims.jwt_id);
    assert_eq!((second.claims.sid, second.claims.gid), (first.claims.sid, first.claims.gid));
    for session in [&first, &second] {
        verifier.verify(&session.access).expect("both access tokens are valid");
    }
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_get_the_same_answer() {
    let issuer = Issuer::start().await;
    issuer.add_account("alice", "wonderland").await;

    let wrong = issuer.login("alice", "looking-glass").await;
    let unknown = issuer.login("mallory", "wonderland").await;

    wrong.refused(wrong.status.as_u16(), "invalid_grant");
    assert!(wrong.status.is_client_error());
    assert_eq!((wrong.status, wrong.json()), (unknown.status, unknown.json()));
    assert_eq!(issuer.session_count("alice").await, 0);
}

#[tokio::test]
async fn a_trusted_back_end_opens_a_session_with_claims_of_its_own() {
    let issuer = Issuer::start().await;
    let verifier = Follower::of(&issuer).await;
    let wanted = json!({
        "sub": "alice", "client_id": "web", "scope": "read write", "claims": { "tenant": "acme" }, "device": "laptop",
    });

    let session = issuer.open_session_as(wanted).await;
    let refreshed =
        Session::of(&issuer.refresh_as(&[("refresh_token", &session.refresh), ("client_id", "web")]).await);

    for token in [session.access, refreshed.access] {
        let verified = verifier.verify(&token).expect("a valid token");
        let claims = verified.claims;
        assert_eq!((claims.client_id.as_str(), claims.scope.as_deref()), ("web", Some("read write")));
        let payload: Value = serde_json::from_str(&verified.payload_json).expect("JSON");
        assert_eq!(payload["tenant"], "acme");
    }
}

#[tokio::test]
async fn a_wrong_client_is_refused_and_changes_nothing() {
    let issuer = Issuer::start().await;
    let session = issuer.open_session_as(json!({ "sub": "alice", "client_id": "web" })).await;

    let stranger = issuer.refresh_as(&[("refresh_token", &session.refresh), ("client_id", "other")]).await;
    stranger.refused(400, "invalid_grant");

    let own = issuer.refresh_as(&[("refresh_token", &session.refresh), ("client_id", "web")]).await;
    assert_eq!(Session::of(&own).claims.sid, session.claims.sid);
}

#[tokio::test]
async fn a_subject_may_have_any_name() {
    let issuer = Issuer::start().await;
    let verifier = Follower::of(&issuer).await;
    for sub in ["a/b?c#d", "Ærøskøbing", "alice bob", "%2e%2e", "🚪", &"x".repeat(255)] {
        let session = issuer.open_session(sub).await;
        assert_eq!(unverified_claims(&session.access).subject, sub);
        let refreshed = Session::of(&issuer.refresh(&session.refresh).await);
        assert_eq!(verifier.verify(&refreshed.access).expect("a valid token").claims.subject, sub);
    }
}
