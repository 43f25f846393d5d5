//! Only pages of the issuer's own origin and of the listed origins are allowed to sign in and refresh. By default no
//! other origin is listed.

use reqwest::Method;
use reqwest::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};

use crate::support::{Issuer, Reply, send};

const APP: &str = "https://app.example";
const OTHER_APP: &str = "http://localhost:5173";
const STRANGER: &str = "https://evil.example";
const ROUTES: [(&str, &str); 6] = [
    ("POST", "/login"),
    ("POST", "/token"),
    ("POST", "/revoke"),
    ("POST", "/logout"),
    ("GET", "/sessions"),
    ("DELETE", "/sessions/00000000000000aa"),
];

/// Sends a preflight request. With such a request, a browser asks whether a page of this origin may use this method and
/// path.
async fn preflight(issuer: &Issuer, origin: &str, method: &str, path: &str) -> Reply {
    let request = issuer
        .request(Method::OPTIONS, path)
        .header(ORIGIN, origin)
        .header(ACCESS_CONTROL_REQUEST_METHOD, method)
        .header(ACCESS_CONTROL_REQUEST_HEADERS, "authorization,content-type");
    send(request).await
}

/// Whether a browser shows this answer to a page of this origin and sends the cookie.
fn is_let_in(reply: &Reply, origin: &str) -> bool {
    assert!(
        reply.header(VARY).to_ascii_lowercase().contains("origin"),
        "caches keep the answers to different origins apart"
    );
    let (allowed, credentials) =
        (reply.header(ACCESS_CONTROL_ALLOW_ORIGIN), reply.header(ACCESS_CONTROL_ALLOW_CREDENTIALS));
    match (allowed, credentials) {
        ("", "") => false,
        (allowed, "true") => allowed == origin,
        other => panic!("CORS headers that neither allow nor refuse: {other:?}"),
    }
}

#[tokio::test]
async fn listed_origins_use_login_token_and_session_routes() {
    let listed = format!("{APP},{OTHER_APP}");
    let issuer = Issuer::start_with(&[("ALLOWED_ORIGINS", &listed)]).await;
    for (method, path) in ROUTES {
        for origin in [APP, OTHER_APP] {
            let reply = preflight(&issuer, origin, method, path).await;
            assert!(reply.status.is_success() && is_let_in(&reply, origin), "{origin} {path}");
            assert!(reply.header(ACCESS_CONTROL_ALLOW_METHODS).contains(method), "{path}");
            for header in ["authorization", "content-type"] {
                assert!(reply.header(ACCESS_CONTROL_ALLOW_HEADERS).contains(header), "{path}");
            }
        }
        for origin in [STRANGER, "null", "http://app.example", "https://app.example.evil.example"] {
            let reply = preflight(&issuer, origin, method, path).await;
            assert!(!is_let_in(&reply, origin), "{origin} {path}");
        }
    }
}

#[tokio::test]
async fn a_listed_page_can_read_a_refusal_too() {
    let issuer = Issuer::start_with(&[("ALLOWED_ORIGINS", APP)]).await;
    let form = [("grant_type", "refresh_token"), ("refresh_token", "junk")];
    let refresh = |origin| issuer.request(Method::POST, "/token").header(ORIGIN, origin).form(&form);
    let reply = send(refresh(APP)).await;
    reply.refused(400, "invalid_grant");
    assert!(is_let_in(&reply, APP));
    assert!(!is_let_in(&send(refresh(STRANGER)).await, STRANGER));
}

#[tokio::test]
async fn by_default_no_origin_is_allowed() {
    let issuer = Issuer::start().await;
    for (method, path) in ROUTES {
        for origin in [STRANGER, "null", &issuer.url()] {
            assert!(!is_let_in(&preflight(&issuer, origin, method, path).await, origin), "{origin} {path}");
        }
    }
}

#[tokio::test]
async fn no_page_may_call_the_operators_routes() {
    let issuer = Issuer::start_with(&[("ALLOWED_ORIGINS", APP)]).await;
    for (method, path) in [("POST", "/admin/sessions"), ("GET", "/admin/subjects")] {
        let reply = preflight(&issuer, APP, method, path).await;
        assert_eq!(reply.header(ACCESS_CONTROL_ALLOW_ORIGIN), "", "{path}");
    }
}
