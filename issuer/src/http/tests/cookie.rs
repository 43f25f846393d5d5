//! Tests the cookie when the store is unavailable or the request is unusual. The stories test the normal use of the
//! cookie.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use serde_json::json;

use crate::testing::{Answer, Site, Tokens};

const REFRESH: &str = "grant_type=refresh_token";

/// A request from a page of the issuer's own origin, with a form or JSON as its body.
async fn page(site: &Site, path: &str, cookies: &[&str], body: &str) -> Answer {
    let kind = if body.starts_with('{') { "application/json" } else { "application/x-www-form-urlencoded" };
    let request =
        Request::post(path).header("sec-fetch-site", "same-origin").header(header::CONTENT_TYPE, kind);
    let request = cookies.iter().fold(request, |request, cookie| request.header(header::COOKIE, *cookie));
    Answer::of(site.send(request.body(Body::from(body.to_owned())).expect("a request")).await).await
}

/// A site, and the cookie of a user who is signed in there.
async fn signed_in() -> (Site, String) {
    let site = Site::open().await;
    let account = json!({ "sub": "alice", "password": "wonderland" });
    site.admin(Method::POST, "/admin/subjects", account).await;
    let login = json!({ "username": "alice", "password": "wonderland", "token_delivery": "cookie" });
    let answer = page(&site, "/login", &[], &login.to_string()).await;
    let set = answer.header(header::SET_COOKIE);
    let cookie = set.split(';').next().expect("a cookie").to_owned();
    (site, cookie)
}

#[tokio::test]
async fn the_cookie_is_not_changed_while_the_store_is_down() {
    let (site, cookie) = signed_in().await;
    site.store.cut_off(true);
    for (path, form) in [("/token", REFRESH), ("/logout", ""), ("/revoke", "")] {
        let answer = page(&site, path, &[&cookie], form).await;
        assert_eq!(answer.failure(), "503 temporarily_unavailable", "{path}");
        assert_eq!(answer.header(header::SET_COOKIE), "", "{path}");
    }
    site.store.cut_off(false);
    assert_eq!(page(&site, "/token", &[&cookie], REFRESH).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_foreign_cookie_is_deleted() {
    let (site, cookie) = signed_in().await;
    let damaged = format!("{cookie}x");
    for (path, form, status) in
        [("/token", REFRESH, StatusCode::BAD_REQUEST), ("/logout", "", StatusCode::OK)]
    {
        let answer = page(&site, path, &[&damaged], form).await;
        assert_eq!(answer.status, status, "{path}");
        assert!(answer.header(header::SET_COOKIE).contains("=; Path=/; Max-Age=0; "), "{path}");
    }
}

#[tokio::test]
async fn two_cookies_are_refused() {
    let (site, cookie) = signed_in().await;
    for cookies in [[&*cookie, &cookie], [&cookie, &format!("{cookie}x")]] {
        let answer = page(&site, "/token", &cookies, REFRESH).await;
        assert_eq!(answer.failure(), "400 invalid_request");
        assert_eq!(answer.header(header::SET_COOKIE), "");
    }
    assert_eq!(page(&site, "/token", &["a=b", &cookie], REFRESH).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_wrong_scope_or_grant_type_does_not_change_the_cookie() {
    let (site, cookie) = signed_in().await;
    for (form, failure) in [
        ("grant_type=refresh_token&scope=admin", "400 invalid_scope"),
        ("grant_type=password", "400 unsupported_grant_type"),
        ("", "400 invalid_request"),
    ] {
        let answer = page(&site, "/token", &[&cookie], form).await;
        assert_eq!(answer.failure(), failure);
        assert_eq!(answer.header(header::SET_COOKIE), "");
    }
}

#[tokio::test]
async fn another_application_s_cookie_ends_no_session() {
    let (site, cookie) = signed_in().await;
    let beside = format!("name=José; {cookie}");
    assert_eq!(page(&site, "/token", &[&beside], REFRESH).await.status, StatusCode::OK);
    let left = page(&site, "/logout", &[&beside], "").await;
    assert_eq!(left.status, StatusCode::OK);
}

/// If the cookie contains no valid refresh token, logout still ends the session of the access token.
#[tokio::test]
async fn a_logout_with_a_dead_cookie_still_ends_the_access_token_s_session() {
    let (site, cookie) = signed_in().await;
    let login = json!({ "username": "alice", "password": "wonderland" });
    let leave = async |access: &str| {
        let request = Request::post("/logout")
            .header("sec-fetch-site", "same-origin")
            .header(header::COOKIE, format!("{cookie}x"))
            .header(header::AUTHORIZATION, format!("Bearer {access}"));
        Answer::of(site.send(request.body(Body::empty()).expect("a request")).await).await
    };
    let tokens = Tokens::of(&page(&site, "/login", &[], &login.to_string()).await);
    let left = leave(&tokens.access).await;
    left.position();
    assert!(left.header(header::SET_COOKIE).contains("Max-Age=0"));
    assert_eq!(site.refresh(&tokens.refresh).await.failure(), "400 invalid_grant");
    // The session of the access token is over now. A second logout is not an error.
    let again = leave(&tokens.access).await;
    assert_eq!((again.status, again.text.as_str()), (StatusCode::OK, "{}"));
    assert!(again.header(header::SET_COOKIE).contains("Max-Age=0"));
}
