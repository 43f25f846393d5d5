//! Introspection by a node that does not know enough to say no.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, header};
use serde_json::{Value, json};

use crate::testing::{ADMIN_KEY, Answer, Site};

async fn ask(site: &Site, token: &str) -> Answer {
    let request = Request::post("/introspect")
        .header(header::AUTHORIZATION, format!("Bearer {ADMIN_KEY}"))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    Answer::of(site.send(request.body(Body::from(format!("token={token}"))).expect("a request")).await).await
}

/// Retired twice at once, the reserve too: what signs now was not announced to anybody.
#[tokio::test]
async fn a_key_of_now_is_known_before_its_token_is_judged() {
    let site = Site::open().await;
    let other = site.beside().await;
    for _ in 0..2 {
        let keys = site.admin(Method::GET, "/admin/keys", Value::Null).await.json();
        site.admin(Method::POST, "/admin/keys/retire", json!({ "kid": keys["keys"][0]["kid"] }))
            .await
            .position();
    }
    let session = site.open_session("alice").await;
    other.store.cut_off(true);
    assert_eq!(ask(&other, &session.access).await.failure(), "503 temporarily_unavailable");
    other.store.cut_off(false);
    assert_eq!(ask(&other, &session.access).await.json()["active"], true);
}

/// To a host whose clock is ahead every token has expired.
#[tokio::test]
async fn a_node_whose_clock_is_off_does_not_judge() {
    let site = Site::open().await;
    let session = site.open_session("alice").await;
    site.store.fall_behind(3600);
    site.publish().await;
    assert_eq!(ask(&site, &session.access).await.failure(), "503 temporarily_unavailable");
    assert_eq!(
        ask(&site, &session.refresh).await.json()["active"],
        true,
        "judged by the store's clock alone"
    );
    site.store.fall_behind(0);
    site.publish().await;
    assert_eq!(ask(&site, &session.access).await.json()["active"], true);
}

/// A list by the standing of before must not follow one by the standing of now, which verifiers take for a rollback.
#[tokio::test]
async fn keys_are_taken_in_while_a_list_is_published() {
    let site = Site::open().await;
    let other = site.beside().await;
    let keys = other.admin(Method::GET, "/admin/keys", Value::Null).await.json();
    other
        .admin(Method::POST, "/admin/keys/retire", json!({ "kid": keys["keys"][0]["kid"] }))
        .await
        .position();
    site.app.desk.catch_up().await.expect("the store");

    let go_on = site.store.hold_keys();
    let taken = tokio::spawn({
        let revocations = site.app.revocations.clone();
        async move { revocations.take_in_keys().await }
    });
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    site.app.desk.beat().await.expect("a beat");
    let published = tokio::spawn({
        let revocations = site.app.revocations.clone();
        async move { revocations.publish().await }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    go_on.send(()).expect("it waits");
    assert!(taken.await.expect("no panic").expect("keys"));
    published.await.expect("no panic");
    assert_eq!(site.app.revocations.trouble(), None);
}
