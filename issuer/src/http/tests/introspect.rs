//! Tests introspection on a node that lacks the newest keys, or whose clock is wrong.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, header};
use serde_json::{Value, json};

use crate::desk::Upkeep;
use crate::testing::{ADMIN_KEY, Answer, Site};

async fn ask(site: &Site, token: &str) -> Answer {
    let request = Request::post("/introspect")
        .header(header::AUTHORIZATION, format!("Bearer {ADMIN_KEY}"))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    Answer::of(site.send(request.body(Body::from(format!("token={token}"))).expect("a request")).await).await
}

async fn retire_the_active_key(site: &Site) {
    let keys = site.admin(Method::GET, "/admin/keys", Value::Null).await.json();
    let active = json!({ "kid": keys["keys"][0]["kid"] });
    site.admin(Method::POST, "/admin/keys/retire", active).await.position();
}

/// The test retires the active key. Then the announced key becomes active, and the test retires it too. So the third
/// key, which signs now, was never announced.
#[tokio::test]
async fn a_current_key_is_known_before_its_token_is_checked() {
    let site = Site::open().await;
    let other = site.beside().await;
    for _ in 0..2 {
        retire_the_active_key(&site).await;
    }
    let session = site.open_session("alice").await;
    other.store.cut_off(true);
    assert_eq!(ask(&other, &session.access).await.failure(), "503 temporarily_unavailable");
    other.store.cut_off(false);
    assert_eq!(ask(&other, &session.access).await.json()["active"], true);
}

/// If the clock of a host is ahead, every token looks expired to that host.
#[tokio::test]
async fn a_node_whose_clock_is_wrong_checks_no_token() {
    let site = Site::open().await;
    let session = site.open_session("alice").await;
    site.store.runs_ahead(-3600);
    site.publish().await;
    assert_eq!(ask(&site, &session.access).await.failure(), "503 temporarily_unavailable");
    assert_eq!(
        ask(&site, &session.refresh).await.json()["active"],
        true,
        "judged by the store's clock alone"
    );
    site.store.runs_ahead(0);
    site.publish().await;
    assert_eq!(ask(&site, &session.access).await.json()["active"], true);
}

/// The list that retires the key may be published while introspection reads the record. The second check of the
/// token must use that list.
#[tokio::test]
async fn a_key_that_is_retired_while_the_record_is_read_is_not_trusted() {
    let site = Site::open().await;
    let other = Arc::new(site.beside().await);
    let session = site.open_session("alice").await;
    let gate = site.store.hold_reads();
    let asked = tokio::spawn({
        let (other, token) = (Arc::clone(&other), session.access);
        async move { ask(&other, &token).await }
    });
    gate.reached().await;
    retire_the_active_key(&site).await;
    other.publish().await;
    gate.open();
    assert_eq!(asked.await.expect("no panic").json(), json!({ "active": false }));
}

/// A node must not publish the list of an older state after the list of a newer state. Verifiers would treat the older
/// list as a rollback.
#[tokio::test]
async fn a_list_is_not_published_while_keys_are_being_taken_in() {
    let site = Site::open().await;
    retire_the_active_key(&site.beside().await).await;
    site.app.desk.catch_up().await.expect("the store");

    let gate = site.store.hold_keys();
    let taken = tokio::spawn({
        let revocations = site.app.revocations.clone();
        async move { revocations.take_in_keys().await }
    });
    gate.reached().await;
    site.store.runs_ahead(2);
    Upkeep::new(Arc::clone(&site.app.desk)).beat().await.expect("a beat");
    let published = tokio::spawn({
        let revocations = site.app.revocations.clone();
        async move { revocations.publish().await }
    });
    // The clock is paused. So this sleep ends as soon as all other tasks wait.
    tokio::time::pause();
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert!(!published.is_finished(), "the newer list waits for the older list");
    gate.open();
    taken.await.expect("no panic").expect("keys");
    published.await.expect("no panic");
    assert_eq!(site.app.revocations.trouble(), None);
}
