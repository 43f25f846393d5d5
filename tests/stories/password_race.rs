//! Trace 14: a password reset races with logins that have already checked the old password successfully.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;

use crate::support::{Follower, Issuer, Session};

#[tokio::test]
async fn no_session_of_the_old_password_survives_the_reset() {
    let issuer = Issuer::start().await;
    issuer.add_account("alice", "wonderland").await;
    let verifier = Follower::of(&issuer).await;

    let reset =
        issuer.admin(Method::PUT, "/subjects/alice/password", Some(json!({ "password": "looking-glass" })));
    let logins = join_all((0..12).map(|_| issuer.login("alice", "wonderland")));
    let (logins, reset) = tokio::join!(logins, reset);
    verifier.reaches(crate::support::position(&reset.ok())).await;

    for login in logins.iter().filter(|login| login.status.is_success()) {
        let session = Session::of(login);
        verifier.refuses(&session.access).await;
        issuer.refresh(&session.refresh).await.refused(400, "invalid_grant");
    }
    assert_eq!(issuer.session_count("alice").await, 0);
}
