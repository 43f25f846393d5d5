//! Tests of the login brake with clients whose addresses are known or not.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};

use crate::http::Peer;
use crate::testing::{Answer, Site};

async fn with_alice() -> Site {
    let site = Site::open().await;
    let account = json!({ "sub": "alice", "password": "wonderland" });
    assert_eq!(site.admin(Method::POST, "/admin/subjects", account).await.status, StatusCode::CREATED);
    site
}

async fn login(site: &Site, peer: &str, proxied: bool, body: Value) -> Answer {
    let mut request = Request::post("/login")
        .header(header::CONTENT_TYPE, "application/json")
        .extension(Peer(peer.parse().expect("an address")));
    if proxied {
        request = request.header("x-forwarded-for", "203.0.113.9");
    }
    Answer::of(site.send(request.body(Body::from(body.to_string())).expect("a request")).await).await
}

async fn guess(site: &Site, peer: &str, proxied: bool) -> u16 {
    let body = json!({ "username": "alice", "password": "a guess" });
    login(site, peer, proxied, body).await.status.as_u16()
}

#[tokio::test]
async fn the_clients_of_an_unlisted_proxy_are_not_counted_as_one_address() {
    // Passwords that were checked before the first refusal.
    let checked = async |proxied| {
        let site = with_alice().await;
        let mut checked = 0;
        while guess(&site, "127.0.0.1", proxied).await == 400 {
            checked += 1;
        }
        checked
    };
    assert!(checked(true).await >= 20, "the attempts of the account's unknown devices");
    assert!((3..=10).contains(&checked(false).await), "the attempts of one address");
}

#[tokio::test]
async fn a_known_device_is_known_to_its_account_until_a_kick() {
    let site = with_alice().await;
    let right = |token: Option<&str>| {
        let mut body = json!({ "username": "alice", "password": "wonderland" });
        if let Some(token) = token {
            body["device_token"] = token.into();
        }
        body
    };
    let opened = login(&site, "203.0.113.1", false, right(None)).await.json();
    let token = opened["device_token"].as_str().expect("a token").to_owned();
    for number in 0..30 {
        guess(&site, &format!("192.0.2.{number}"), false).await;
    }
    let braked = async |token| login(&site, "203.0.113.2", false, right(token)).await.failure();
    assert_eq!(braked(None).await, "429 too_many_requests");
    assert_eq!(braked(Some("junk")).await, "429 too_many_requests");
    let refresh = opened["refresh_token"].as_str().expect("a token").to_owned();
    assert_eq!(braked(Some(&refresh)).await, "429 too_many_requests", "no device token");
    assert_eq!(site.refresh(&token).await.failure(), "400 invalid_grant", "no refresh token");

    let again = login(&site, "203.0.113.2", false, right(Some(&token))).await;
    assert_eq!(again.status, StatusCode::OK);
    site.admin(Method::POST, "/admin/subjects/alice/revoke", Value::Null).await.position();
    let renewed = again.json()["device_token"].as_str().expect("a token").to_owned();
    assert_eq!(braked(Some(&renewed)).await, "429 too_many_requests", "the kick");
}

#[tokio::test]
async fn a_session_of_a_trusted_back_end_is_never_braked() {
    let site = with_alice().await;
    for number in 0..30 {
        guess(&site, &format!("192.0.2.{number}"), false).await;
    }
    let opened = site.admin(Method::POST, "/admin/sessions", json!({ "sub": "alice" })).await;
    assert_eq!(opened.status, StatusCode::OK);
    assert_eq!(opened.json()["device_token"], Value::Null);
}
