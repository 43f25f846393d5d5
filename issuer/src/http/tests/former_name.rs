//! Tests tokens, cookies and lists with a former name, after the issuer was renamed (trace 54).

use axum::http::{Method, header};
use serde_json::Value;

use crate::desk::RefreshClaims;
use crate::refresh_token::RefreshTokens;
use crate::secret::MasterSecrets;
use crate::testing::{Answer, SECRET, Site};
use crate::token_cookie::TokenCookie;

const FORMER: &str = "https://former.example";
/// A time in the year 2100, in Unix seconds.
const LATER: u64 = 4_102_444_800;

/// Opens a session. Returns the first refresh token of the session, made with the former name of the issuer.
async fn former_token(site: &Site, sub: &str) -> String {
    let opened = site.open_session(sub).await;
    let claims = site.app.refresh_tokens.decode(&opened.refresh).expect("a token of this issuer");
    let tokens = RefreshTokens::new(&MasterSecrets::parse(SECRET).expect("a secret"), FORMER);
    tokens.encode(&RefreshClaims { sub: claims.sub, sid: claims.sid, generation: claims.generation })
}

#[tokio::test]
async fn trace_54_a_former_name_is_valid_only_for_sessions_of_its_time() {
    let site = Site::formerly(FORMER, LATER).await;
    let token = former_token(&site, "alice").await;
    let refreshed = site.refresh(&token).await;
    assert_eq!(refreshed.status, 200, "{}", refreshed.text);
    let next = refreshed.json()["refresh_token"].as_str().expect("a token").to_owned();
    assert!(site.app.refresh_tokens.decode(&next).is_ok(), "a refresh token of the current name");

    // The session was opened after the renaming. So a token with the former name cannot come from this installation.
    let site = Site::formerly(FORMER, 1).await;
    let token = former_token(&site, "alice").await;
    assert_eq!(site.refresh(&token).await.failure(), "400 invalid_grant");
    let revoked = site.form("/revoke", &[("token", &token)]).await;
    assert_eq!((revoked.status.as_u16(), revoked.text.as_str()), (200, "{}"), "no session is ended");
    let alice = site.admin(Method::GET, "/admin/subjects/alice", Value::Null).await.json();
    assert_eq!(alice["sessions"].as_array().map(Vec::len), Some(1));

    let site = Site::open().await;
    let token = former_token(&site, "alice").await;
    assert_eq!(site.refresh(&token).await.failure(), "400 invalid_grant", "the former name is not set");
}

#[tokio::test]
async fn b8_a_cookie_of_the_former_name_is_replaced_by_one_of_the_current_name() {
    let site = Site::formerly(FORMER, LATER).await;
    let token = former_token(&site, "alice").await;
    let cookie = TokenCookie::of_refresh(FORMER).holding(&token, 60);
    let cookie = cookie.to_str().expect("text").split(';').next().expect("a pair").to_owned();
    let request = axum::http::Request::post("/token")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "same-origin")
        .header(header::COOKIE, cookie)
        .body(axum::body::Body::from("grant_type=refresh_token"));
    let answer = Answer::of(site.send(request.expect("a request")).await).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let set: Vec<_> = answer.headers.get_all(header::SET_COOKIE).iter().collect();
    assert_eq!(set.len(), 2);
    assert_eq!(set[1], TokenCookie::of_refresh(FORMER).gone(), "the cookie of the former name is deleted");
}
