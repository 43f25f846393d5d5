//! A change of roles takes effect at once. No user has to sign in again.

use doorlist_verifier::error::RevokedBy;
use doorlist_verifier::{Cursor, Error};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Follower, Issuer, Reply, Session, position};

async fn set(issuer: &Issuer, sub: &str, claims: Value) -> Reply {
    issuer.admin(Method::PUT, &format!("/subjects/{sub}/claims"), Some(json!({ "claims": claims }))).await
}

async fn acknowledged(issuer: &Issuer, sub: &str, claims: Value) -> Cursor {
    position(&set(issuer, sub, claims).await.ok())
}

/// The payload that a verifier reads in the token.
fn payload(verifier: &Follower, session: &Session) -> Value {
    let verified = verifier.verify(&session.access).expect("a valid token");
    serde_json::from_str(&verified.payload_json).expect("JSON")
}

#[tokio::test]
async fn a_changed_role_is_in_the_next_refresh_and_the_old_token_is_refused() {
    let issuer = Issuer::start().await;
    let verifier = Follower::of(&issuer).await;
    let claims = json!({ "role": "admin", "tenant": "a" });
    let before = issuer.open_session_as(json!({ "sub": "alice", "claims": claims })).await;
    assert_eq!(payload(&verifier, &before)["role"], "admin");

    let changed = acknowledged(&issuer, "alice", json!({ "role": "viewer" })).await;

    verifier.reaches(changed).await;
    let refusal = verifier.verify(&before.access).expect_err("the old token has the role admin");
    assert!(matches!(refusal, Error::Revoked { by: RevokedBy::Gid, .. }), "{refusal:?}");
    let after = Session::of(&issuer.refresh(&before.refresh).await);
    assert_eq!(after.claims.sid, before.claims.sid, "the session is the same");
    let said = payload(&verifier, &after);
    assert_eq!(
        (&said["role"], &said["tenant"]),
        (&json!("viewer"), &json!("a")),
        "the subject's claim replaces the session's claim"
    );

    // `null` removes a claim. A claim that the new object no longer contains is removed too.
    acknowledged(&issuer, "alice", json!({ "role": null, "beta": true })).await;
    let said = payload(&verifier, &Session::of(&issuer.refresh(&after.refresh).await));
    assert_eq!((said.get("role"), &said["beta"], &said["tenant"]), (None, &json!(true), &json!("a")));
    acknowledged(&issuer, "alice", json!({})).await;
    let said = payload(&verifier, &Session::of(&issuer.refresh(&after.refresh).await));
    assert_eq!(
        (&said["role"], said.get("beta")),
        (&json!("admin"), None),
        "the session's own claims are used again"
    );
}

#[tokio::test]
async fn an_account_has_its_claims_in_every_login_until_it_is_deleted() {
    let issuer = Issuer::start().await;
    issuer.add_account("alice", "wonderland").await;
    let verifier = Follower::of(&issuer).await;
    acknowledged(&issuer, "alice", json!({ "role": "editor" })).await;
    let shown = issuer.admin(Method::GET, "/subjects/alice", None).await.ok();
    assert_eq!(shown["claims"], json!({ "role": "editor" }));
    for end in ["void", "revoke", "disable"] {
        issuer.revoking(&format!("/subjects/alice/{end}")).await;
        issuer.revoking("/subjects/alice/enable").await;
        let session = Session::of(&issuer.login("alice", "wonderland").await);
        assert_eq!(payload(&verifier, &session)["role"], "editor", "after {end}");
    }
    issuer.admin(Method::DELETE, "/subjects/alice", None).await.ok();
    issuer.add_account("alice", "wonderland").await;
    let session = Session::of(&issuer.login("alice", "wonderland").await);
    assert_eq!(payload(&verifier, &session).get("role"), None);
}

#[tokio::test]
async fn invalid_claims_are_refused_and_void_nothing() {
    let issuer = Issuer::start().await;
    let verifier = Follower::of(&issuer).await;
    let own = json!({ "sub": "alice", "claims": { "long": "x".repeat(2000) } });
    let session = issuer.open_session_as(own.clone()).await;
    let before = issuer.log_position().await;
    let deep = (0..40).fold(json!(1), |inner, _| json!([inner]));
    for claims in [
        json!({ "sub": "bob" }),
        json!({ "scope": "admin" }),
        json!({ "exp": 99_999_999_999_u64 }),
        json!({ "gid": null }),
        json!({ "deep": deep }),
        json!({ "long": "x".repeat(2100) }),
        json!([]),
        json!("admin"),
        Value::Null,
    ] {
        set(&issuer, "alice", claims).await.refused(400, "invalid_request");
    }
    set(&issuer, "alice", json!({ "role": "x".repeat(100) })).await.refused(409, "conflict");
    set(&issuer, "nobody", json!({ "role": "viewer" })).await.refused(404, "not_found");
    assert_eq!(issuer.log_position().await, before, "nothing was written");
    verifier.verify(&session.access).expect("no token was voided");

    issuer.revoking("/subjects/alice/revoke").await;
    acknowledged(&issuer, "alice", json!({ "role": "x".repeat(100) })).await;
    issuer.admin_post("/sessions", own).await.refused(409, "conflict");
}
