//! The refresh token in a cookie: how the cookie is set, refreshed and deleted.

use doorlist_verifier::Error;
use doorlist_verifier::error::RevokedBy;
use reqwest::Method;

use crate::support::{Browser, Follower, Issuer, Page, Reply, unverified_claims};

/// Returns the access token of an answer. Asserts that the body does not contain the refresh token.
#[track_caller]
fn access_token(reply: &Reply) -> String {
    let answer = reply.ok();
    assert!(answer.get("refresh_token").is_none());
    let cookie = reply.cookie().expect("the refresh token is in the cookie");
    assert!(!reply.text().contains(&cookie.value));
    answer["access_token"].as_str().expect("an access token").to_owned()
}

#[tokio::test]
async fn no_script_reads_the_cookie_and_no_other_site_sends_it() {
    let issuer = Issuer::start().await;
    let browser = Browser::signed_in(&issuer, "alice").await;
    for cookie in [browser.cookie(), browser.refresh(&issuer, Page::Own).await.cookie()] {
        let cookie = cookie.expect("set");
        // For `__Host-`, browsers require Secure, Path=/ and no Domain (RFC 6265bis §4.1.3.2).
        assert!(cookie.name.starts_with("__Host-doorlist-"), "{}", cookie.name);
        let mut attributes = cookie.attributes.clone();
        attributes.sort();
        let age = format!("max-age={}", cookie.max_age());
        assert_eq!(attributes, ["httponly", &age, "path=/", "samesite=strict", "secure"]);
        assert!(!issuer.log().contains(&cookie.value));
    }
}

#[tokio::test]
async fn a_refresh_by_cookie_is_answered_in_the_cookie_and_one_by_body_in_the_body() {
    let issuer = Issuer::start().await;
    let browser = Browser::signed_in(&issuer, "alice").await;
    let before = browser.cookie().expect("a cookie");
    let token = access_token(&browser.refresh(&issuer, Page::Own).await);
    assert_ne!(browser.cookie().expect("a cookie").value, before.value, "rotated");
    Follower::of(&issuer).await.verify(&token).expect("a valid token");

    let session = issuer.open_session("bob").await;
    let by_body = issuer.refresh(&session.refresh).await;
    assert!(by_body.ok()["refresh_token"].is_string() && by_body.cookie().is_none());
}

#[tokio::test]
async fn a_listed_origin_of_the_same_site_uses_the_cookie() {
    let issuer = Issuer::start_with(&[("ALLOWED_ORIGINS", "https://app.example")]).await;
    issuer.add_account("alice", "wonderland").await;
    let browser = Browser::default();
    let app = Page::Other { origin: "https://app.example", site: "same-site" };
    access_token(&browser.login(&issuer, app, "alice", "wonderland").await);
    access_token(&browser.refresh(&issuer, app).await);
    assert_eq!(browser.post(&issuer, app, "/logout").await.status, 200);
    assert_eq!(browser.cookie(), None);

    // The browser would drop this cookie, so the issuer refuses the login. If the issuer accepted the login, the first
    // refresh would fail a quarter of an hour later.
    let elsewhere = Page::Other { origin: "https://app.example", site: "cross-site" };
    let refused = browser.login(&issuer, elsewhere, "alice", "wonderland").await;
    refused.refused(403, "cross_site_request");
    assert_eq!(issuer.session_count("alice").await, 0);
}

#[tokio::test]
async fn the_cookie_lives_as_long_as_its_session() {
    let settings =
        [("REFRESH_IDLE_SECS", "600"), ("REFRESH_ABSOLUTE_SECS", "7200"), ("ACCESS_TTL_SECS", "300")];
    let issuer = Issuer::start_with(&settings).await;
    let browser = Browser::signed_in(&issuer, "alice").await;
    assert_eq!(browser.cookie().expect("a cookie").max_age(), 600);
    browser.refresh(&issuer, Page::Own).await.ok();
    assert_eq!(browser.cookie().expect("a cookie").max_age(), 600, "the Max-Age counts from the refresh");
}

#[tokio::test]
async fn a_cookie_and_a_form_together_are_refused() {
    let issuer = Issuer::start().await;
    let browser = Browser::signed_in(&issuer, "alice").await;
    let session = issuer.open_session("mallory").await;
    let held = browser.cookie();
    let both = [("grant_type", "refresh_token"), ("refresh_token", &*session.refresh)];
    browser.form(&issuer, Page::Own, "/token", &both).await.refused(400, "invalid_request");
    let both = [("token", &*session.refresh)];
    browser.form(&issuer, Page::Own, "/revoke", &both).await.refused(400, "invalid_request");
    assert_eq!(browser.cookie(), held);
    assert_eq!((issuer.session_count("alice").await, issuer.session_count("mallory").await), (1, 1));
    access_token(&browser.refresh(&issuer, Page::Own).await);
}

#[tokio::test]
async fn an_ended_session_deletes_its_cookie() {
    let issuer = Issuer::start().await;
    let browser = Browser::signed_in(&issuer, "alice").await;
    let client = [("grant_type", "refresh_token"), ("client_id", "another")];
    browser.form(&issuer, Page::Own, "/token", &client).await.refused(400, "invalid_grant");
    assert!(browser.cookie().is_some(), "another client's mistake ends no session");

    issuer.revoking("/subjects/alice/revoke").await;
    browser.refresh(&issuer, Page::Own).await.refused(400, "invalid_grant");
    assert_eq!(browser.cookie(), None);
    // A page without a cookie gets `invalid_grant`: no user is signed in. A client that reports no origin gets
    // `invalid_request` instead.
    browser.refresh(&issuer, Page::Own).await.refused(400, "invalid_grant");
    browser.refresh(&issuer, Page::Unknown).await.refused(400, "invalid_request");
}

#[tokio::test]
async fn signing_out_ends_the_session_and_deletes_the_cookie() {
    let issuer = Issuer::start().await;
    let verifier = Follower::of(&issuer).await;
    for (name, path) in [("alice", "/logout"), ("bob", "/revoke")] {
        let browser = Browser::signed_in(&issuer, name).await;
        let access = access_token(&browser.refresh(&issuer, Page::Own).await);
        let stale = browser.cookie().expect("a cookie");
        let left = browser.form(&issuer, Page::Own, path, &[("token_type_hint", "refresh_token")]).await;
        assert!(left.ok()["seq"].is_u64(), "{}", left.text());
        assert_eq!(browser.cookie(), None);

        let refusal = verifier.refuses(&access).await;
        assert!(matches!(refusal, Error::Revoked { by: RevokedBy::Sid, .. }), "{refusal:?}");
        issuer.refresh(&stale.value).await.refused(400, "invalid_grant");
    }
    // The session has ended, but the browser still has the cookie. So the first logout succeeds and deletes the cookie.
    // The second logout has no cookie and is refused.
    let browser = Browser::signed_in(&issuer, "carol").await;
    issuer.revoking("/subjects/carol/revoke").await;
    assert_eq!(browser.post(&issuer, Page::Own, "/logout").await.ok(), serde_json::json!({}));
    assert_eq!(browser.cookie(), None);
    browser.post(&issuer, Page::Own, "/logout").await.refused(401, "invalid_token");
}

#[tokio::test]
async fn a_login_ends_the_session_whose_cookie_it_replaces() {
    let issuer = Issuer::start().await;
    let browser = Browser::signed_in(&issuer, "alice").await;
    let replaced = browser.cookie().expect("a cookie");
    browser.login(&issuer, Page::Own, "alice", "a wrong one").await.refused(400, "invalid_grant");
    access_token(&browser.refresh(&issuer, Page::Own).await);

    issuer.add_account("bob", "wonderland").await;
    access_token(&browser.login(&issuer, Page::Own, "bob", "wonderland").await);
    issuer.refresh(&replaced.value).await.refused(400, "invalid_grant");
    assert_eq!((issuer.session_count("alice").await, issuer.session_count("bob").await), (0, 1));
    access_token(&browser.refresh(&issuer, Page::Own).await);
}

#[tokio::test]
async fn a_back_end_gets_its_tokens_in_the_body() {
    let issuer = Issuer::start().await;
    let body = serde_json::json!({ "sub": "alice", "token_delivery": "cookie" });
    issuer.admin_post("/sessions", body).await.refused(400, "invalid_request");
    let session = issuer.open_session("alice").await;
    assert_eq!(unverified_claims(&session.access).subject, "alice");
    let left = issuer.as_subject(Method::POST, "/logout", &session.access).await;
    assert!(left.ok()["seq"].is_u64() && left.cookie().is_none());
}
