//! An account is disabled, for a time or permanently.

use reqwest::Method;
use serde_json::json;

use crate::support::{Follower, Issuer, Session};

#[tokio::test]
async fn a_disabled_subject_is_refused_until_it_is_enabled() {
    let mut issuer = Issuer::start().await;
    issuer.add_account("alice", "wonderland").await;
    let mut verifier = Follower::of(&issuer).await;
    let before = Session::of(&issuer.login("alice", "wonderland").await);

    let acknowledged = issuer.revoking("/subjects/alice/disable").await;

    verifier.reaches(acknowledged).await;
    verifier.verify(&before.access).expect_err("disabling kicks the subject");
    issuer.refresh(&before.refresh).await.refused(400, "invalid_grant");
    for restarted in [false, true] {
        if restarted {
            issuer.stop().await;
            issuer.restart().await;
        }
        let login = issuer.login("alice", "wonderland").await;
        assert!(login.status.is_client_error(), "{}", login.text());
        assert!(login.json()["error"].is_string());
        let trusted = issuer.admin_post("/sessions", json!({ "sub": "alice" })).await;
        assert!(trusted.status.is_client_error(), "{}", trusted.text());
    }

    issuer.revoking("/subjects/alice/enable").await;
    verifier.resume(&issuer).await;
    let after = Session::of(&issuer.login("alice", "wonderland").await);
    verifier.verify(&after.access).expect("Alice can log in again");
    verifier.verify(&before.access).expect_err("the old token stays revoked");
    issuer.refresh(&before.refresh).await.refused(400, "invalid_grant");
}

#[tokio::test]
async fn a_new_password_ends_every_session() {
    let issuer = Issuer::start().await;
    issuer.add_account("alice", "wonderland").await;
    let verifier = Follower::of(&issuer).await;
    let before = Session::of(&issuer.login("alice", "wonderland").await);

    let body = json!({ "password": "looking-glass" });
    issuer.admin(Method::PUT, "/subjects/alice/password", Some(body)).await.ok();

    verifier.refuses(&before.access).await;
    issuer.refresh(&before.refresh).await.refused(400, "invalid_grant");
    assert!(issuer.login("alice", "wonderland").await.status.is_client_error());
    let after = Session::of(&issuer.login("alice", "looking-glass").await);
    verifier.verify(&after.access).expect("the new password is accepted");
}

#[tokio::test]
async fn a_deleted_subject_is_gone() {
    let issuer = Issuer::start().await;
    issuer.add_account("alice", "wonderland").await;
    let verifier = Follower::of(&issuer).await;
    let before = Session::of(&issuer.login("alice", "wonderland").await);

    issuer.admin(Method::DELETE, "/subjects/alice", None).await.ok();

    verifier.refuses(&before.access).await;
    issuer.refresh(&before.refresh).await.refused(400, "invalid_grant");
    assert!(issuer.login("alice", "wonderland").await.status.is_client_error());
    assert_eq!(issuer.admin(Method::GET, "/subjects/alice", None).await.status, 404);
}
