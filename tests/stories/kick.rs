//! A subject is kicked: all its sessions and tokens end everywhere, and no other subject notices.

use doorlist_verifier::Error;
use doorlist_verifier::error::RevokedBy;
use reqwest::Method;

use crate::support::{Follower, Issuer, Session, position};

#[tokio::test]
async fn a_kick_reaches_every_connected_verifier() {
    let issuer = Issuer::start().await;
    let verifiers = [Follower::of(&issuer).await, Follower::of(&issuer).await];
    let (laptop, phone) = (issuer.open_session("alice").await, issuer.open_session("alice").await);
    let bob = issuer.open_session("bob").await;

    let acknowledged = issuer.revoking("/subjects/alice/revoke").await;

    for verifier in &verifiers {
        verifier.reaches(acknowledged).await;
        for session in [&laptop, &phone] {
            let refusal = verifier.verify(&session.access).expect_err("Alice was kicked");
            assert!(
                matches!(refusal, Error::Revoked { by: RevokedBy::Gid, handle: Some(gid), .. } if gid == session.claims.gid),
                "{refusal:?}"
            );
        }
        verifier.verify(&bob.access).expect("Bob was not kicked");
    }
    for session in [laptop, phone] {
        issuer.refresh(&session.refresh).await.refused(400, "invalid_grant");
    }
    Session::of(&issuer.refresh(&bob.refresh).await);
    assert_eq!(issuer.session_count("alice").await, 0);
}

#[tokio::test]
async fn a_kicked_subject_may_log_in_again() {
    let issuer = Issuer::start().await;
    issuer.add_account("alice", "wonderland").await;
    let verifier = Follower::of(&issuer).await;
    let before = Session::of(&issuer.login("alice", "wonderland").await);
    let acknowledged = issuer.revoking("/subjects/alice/revoke").await;

    let after = Session::of(&issuer.login("alice", "wonderland").await);

    verifier.reaches(acknowledged).await;
    assert_ne!(after.claims.gid, before.claims.gid);
    verifier.verify(&before.access).expect_err("kicked");
    verifier.verify(&after.access).expect("the login was after the kick");
}

#[tokio::test]
async fn a_kick_that_names_the_group_can_be_sent_twice() {
    let issuer = Issuer::start().await;
    let before = issuer.open_session("alice").await;
    let kick = format!("/subjects/alice/revoke?gid={}", before.claims.gid);
    issuer.revoking(&kick).await;
    let after = issuer.open_session("alice").await;

    // Here the answer to the first kick counts as lost, so the operator's script sends the kick again.
    position(&issuer.admin(Method::POST, &kick, None).await.ok());

    Session::of(&issuer.refresh(&after.refresh).await);
    issuer.refresh(&before.refresh).await.refused(400, "invalid_grant");
}

#[tokio::test]
async fn an_unknown_subject_cannot_be_kicked() {
    let issuer = Issuer::start().await;
    let before = issuer.log_position().await;
    let reply = issuer.admin(Method::POST, "/subjects/mallory/revoke", None).await;
    assert_eq!(reply.status, 404, "{}", reply.text());
    assert!(reply.json()["error"].is_string());
    assert_eq!(issuer.log_position().await, before, "nothing was written");
}

#[tokio::test]
async fn only_the_operator_may_kick() {
    let issuer = Issuer::start().await;
    let alice = issuer.open_session("alice").await;
    for bearer in [None, Some("wrong-admin-key"), Some(alice.access.as_str())] {
        let request = issuer.request(Method::POST, "/admin/subjects/alice/revoke");
        let request = bearer.into_iter().fold(request, |request, bearer| request.bearer_auth(bearer));
        let reply = crate::support::send(request).await;
        assert_eq!(reply.status, 401, "{}", reply.text());
        assert!(reply.headers.contains_key("www-authenticate"), "RFC 6750 §3");
    }
    Session::of(&issuer.refresh(&alice.refresh).await);
}
