//! Trace 13: a client that repeatedly logs in and out cannot make the list grow without limit, and cannot keep the owner
//! of the account out.

use reqwest::Method;
use reqwest::header::RETRY_AFTER;
use serde_json::json;

use crate::support::{Follower, Issuer, Session, host_time, position};

#[tokio::test]
async fn a_subject_with_thirty_two_live_entries_opens_no_session() {
    let issuer = Issuer::start_with(&[("ACCESS_TTL_SECS", "300")]).await;
    let verifier = Follower::of(&issuer).await;
    for _ in 0..32 {
        let session = issuer.open_session("mallory").await;
        let answer = issuer.as_subject(Method::POST, "/logout", &session.access).await.ok();
        verifier.reaches(position(&answer)).await;
    }

    let refused = issuer.admin_post("/sessions", json!({ "sub": "mallory" })).await;

    assert_eq!(refused.status, 429, "{}", refused.text());
    assert!(refused.json()["error"].is_string());
    let wait: u64 = refused.header(RETRY_AFTER).parse().expect("whole seconds");
    let retain = 300 + 60 + 60;
    assert!((1..=retain + 1).contains(&wait), "the wait is at most until the first entry expires: {wait}");

    let bob = issuer.open_session("bob").await;
    verifier.verify(&bob.access).expect("other subjects are not refused");
    Session::of(&issuer.refresh(&bob.refresh).await);
    assert_eq!(verifier.look(|verifier| verifier.status(host_time()).entries), 32);
}

/// A thief who knows the password opens sessions until the account may open no more.
#[tokio::test]
async fn b13_a_new_password_lets_the_owner_in_again() {
    let issuer = Issuer::start().await;
    issuer.add_account("alice", "wonderland").await;
    let mut opened = 0;
    while issuer.admin_post("/sessions", json!({ "sub": "alice" })).await.status == 200 {
        opened += 1;
    }
    // 20 sessions, and 32 sessions that were ended to make room.
    assert_eq!(opened, 52);
    issuer.login("alice", "wonderland").await.refused(429, "too_many_requests");

    let password = json!({ "password": "looking-glass" });
    issuer.admin(Method::PUT, "/subjects/alice/password", Some(password)).await.ok();

    Session::of(&issuer.login("alice", "looking-glass").await);
    issuer.open_session("alice").await;
}
