//! A user lists their devices and uses one device to sign another device out.

use reqwest::Method;
use serde_json::json;

use crate::support::{Follower, Issuer, Session};

#[tokio::test]
async fn a_subject_sees_its_devices_and_ends_one() {
    let issuer = Issuer::start().await;
    let verifier = Follower::of(&issuer).await;
    let laptop = issuer.open_session_as(json!({ "sub": "alice", "device": "laptop" })).await;
    let phone = issuer.open_session_as(json!({ "sub": "alice", "device": "phone" })).await;
    let bob = issuer.open_session_as(json!({ "sub": "bob", "device": "tablet" })).await;

    let answer = issuer.as_subject(Method::GET, "/sessions", &laptop.access).await.ok();
    let sessions = answer["sessions"].as_array().expect("a list of sessions");
    let devices: Vec<_> = sessions.iter().map(|session| (&session["sid"], &session["device"])).collect();
    assert_eq!(
        devices,
        [(&json!(laptop.sid()), &json!("laptop")), (&json!(phone.sid()), &json!("phone"))],
        "only Alice's own sessions"
    );
    let shown = answer.to_string();
    for session in [&laptop, &phone, &bob] {
        assert!(!shown.contains(&session.refresh), "the answer contains no token");
    }

    issuer.as_subject(Method::DELETE, &format!("/sessions/{}", phone.sid()), &laptop.access).await.ok();

    verifier.refuses(&phone.access).await;
    issuer.refresh(&phone.refresh).await.refused(400, "invalid_grant");
    verifier.verify(&laptop.access).expect("the laptop's session continues");
    assert_eq!(issuer.session_count("alice").await, 1);
}

/// Trace 10: the issuer checks the session's owner before it appends an entry. Otherwise Mallory could revoke Alice's
/// session.
#[tokio::test]
async fn another_subjects_session_cannot_be_ended() {
    let issuer = Issuer::start().await;
    let verifier = Follower::of(&issuer).await;
    let alice = issuer.open_session("alice").await;
    let mallory = issuer.open_session("mallory").await;
    let before = issuer.log_position().await;

    for sid in
        [alice.sid(), "00000000000000aa".into(), alice.claims.gid.to_string(), mallory.claims.gid.to_string()]
    {
        let reply = issuer.as_subject(Method::DELETE, &format!("/sessions/{sid}"), &mallory.access).await;
        assert_eq!(reply.status, 404, "{}", reply.text());
        assert!(reply.json()["error"].is_string());
    }
    let by_operator =
        issuer.admin(Method::DELETE, &format!("/subjects/mallory/sessions/{}", alice.sid()), None).await;
    assert_eq!(by_operator.status, 404, "{}", by_operator.text());

    assert_eq!(issuer.log_position().await, before, "nothing was written");
    verifier.verify(&alice.access).expect("Alice's session continues");
    Session::of(&issuer.refresh(&alice.refresh).await);
}

#[tokio::test]
async fn the_operator_ends_one_session() {
    let issuer = Issuer::start().await;
    let verifier = Follower::of(&issuer).await;
    let (laptop, phone) = (issuer.open_session("alice").await, issuer.open_session("alice").await);
    let path = format!("/subjects/alice/sessions/{}", phone.sid());
    issuer.admin(Method::DELETE, &path, None).await.ok();
    verifier.refuses(&phone.access).await;
    verifier.verify(&laptop.access).expect("the laptop's session continues");
}

#[tokio::test]
async fn the_issuer_s_own_routes_refuse_a_revoked_token() {
    let issuer = Issuer::start().await;
    let alice = issuer.open_session("alice").await;
    issuer.revoking("/subjects/alice/revoke").await;
    for (method, path) in [(Method::GET, "/sessions"), (Method::POST, "/logout")] {
        issuer.as_subject(method, path, &alice.access).await.refused(401, "invalid_token");
    }
}
