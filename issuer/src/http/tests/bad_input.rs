//! Random bytes as path, header, query or body give an error with a code, never a 500.

use axum::body::Body;
use axum::http::{HeaderValue, Method, Request, header};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::testing::{Answer, Site};

async fn post(site: &Site, path: &str, content_type: &str, body: impl Into<Body>) -> Answer {
    let request = Request::post(path).header(header::CONTENT_TYPE, content_type).body(body.into());
    Answer::of(site.send(request.expect("a request")).await).await
}

#[tokio::test]
async fn unknown_paths_and_methods_get_json_errors() {
    let site = Site::open().await;
    assert_eq!(site.get("/nowhere").await.failure(), "404 not_found");
    assert_eq!(site.get("/admin/nowhere").await.failure(), "404 not_found");
    let method = site.ask(Method::PUT, "/login", "", Value::Null).await;
    assert_eq!((method.failure().as_str(), method.header(header::ALLOW)), ("405 invalid_request", "POST"));
}

#[tokio::test]
async fn the_error_for_a_body_names_the_mistake_and_does_not_repeat_the_body() {
    let site = Site::open().await;
    let secret = "hunter2-hunter2";
    for (content_type, body, failure) in [
        ("text/plain", "{}".to_owned(), "415 invalid_request"),
        ("application/json", "{".to_owned(), "400 invalid_request"),
        ("application/json", format!("{secret:?}"), "400 invalid_request"),
        ("application/json", format!(r#"{{"username":{{"x":{secret:?}}}}}"#), "400 invalid_request"),
        ("application/json", format!(r#"{{"username":"a","password":[{secret:?}]}}"#), "400 invalid_request"),
        ("application/json", r#"{"username":"a"}"#.to_owned(), "400 invalid_request"),
        (
            "application/json",
            r#"{"username":"a","password":"b","admin":true}"#.to_owned(),
            "400 invalid_request",
        ),
        ("application/json", r#"{"username":"","password":"b"}"#.to_owned(), "400 invalid_request"),
        ("application/json", format!("[{}", "[".repeat(10_000)), "400 invalid_request"),
        ("application/json", "x".repeat(17_000), "413 invalid_request"),
    ] {
        let answer = post(&site, "/login", content_type, body.clone()).await;
        assert_eq!(answer.failure(), failure, "{body:.60}");
        assert!(!answer.text.contains(secret), "{}", answer.text);
    }
    let missing = post(&site, "/login", "application/json; charset=utf-8", r#"{"username":"a"}"#).await;
    assert!(missing.text.contains("missing field `password`"), "{}", missing.text);
}

#[tokio::test]
async fn forms_follow_rfc_6749() {
    let site = Site::open().await;
    let form = "application/x-www-form-urlencoded";
    for (body, failure) in [
        ("", "400 invalid_request"),
        ("grant_type=", "400 invalid_request"),
        ("grant_type=password&username=a", "400 unsupported_grant_type"),
        ("grant_type=refresh_token", "400 invalid_request"),
        ("grant_type=refresh_token&refresh_token=", "400 invalid_request"),
        ("grant_type=refresh_token&refresh_token=a&refresh_token=b", "400 invalid_request"),
        ("grant_type=refresh_token&refresh_token=%ff%fe", "400 invalid_grant"),
        ("grant_type=refresh_token&refresh_token=junk&unknown=is+ignored", "400 invalid_grant"),
    ] {
        assert_eq!(post(&site, "/token", form, body).await.failure(), failure, "{body}");
    }
    assert_eq!(post(&site, "/token", "application/json", "{}").await.failure(), "415 invalid_request");
    assert_eq!(post(&site, "/revoke", form, "").await.failure(), "400 invalid_request");
}

#[tokio::test]
async fn queries_paths_and_cursors_are_checked() {
    let site = Site::open().await;
    for path in [
        "/revocations?since=x",
        "/revocations?since=",
        "/revocations?since=a&since=b",
        "/revocations/stream?since=1",
    ] {
        assert_eq!(site.get(path).await.failure(), "400 invalid_request", "{path}");
    }
    let request = Request::get("/revocations/stream")
        .header("last-event-id", HeaderValue::from_bytes(b"\xff").expect("opaque bytes"))
        .body(Body::empty());
    let answer = Answer::of(site.send(request.expect("a request")).await).await;
    assert_eq!(answer.failure(), "400 invalid_request");
    for (method, path) in [
        (Method::GET, "/admin/subjects?limit=0"),
        (Method::GET, "/admin/subjects?limit=201"),
        (Method::GET, "/admin/subjects?limit=x"),
        (Method::GET, "/admin/subjects?nonsense=1"),
        (Method::GET, "/admin/subjects/%ff"),
        (Method::GET, "/admin/subjects/a%00b"),
        (Method::POST, "/admin/subjects/alice/revoke?gid=FF"),
        (Method::DELETE, "/admin/subjects/alice/sessions/17"),
    ] {
        assert_eq!(site.admin(method, path, Value::Null).await.failure(), "400 invalid_request", "{path}");
    }
    let long = format!("/admin/subjects/{}", "x".repeat(256));
    assert_eq!(site.admin(Method::GET, &long, Value::Null).await.failure(), "400 invalid_request");
}

#[tokio::test]
async fn sessions_cannot_carry_the_issuer_s_claims_or_too_much() {
    let site = Site::open().await;
    for body in [
        json!({ "sub": "a", "claims": { "gid": "0000000000000001" } }),
        json!({ "sub": "a", "claims": { "iss": "https://evil.example" } }),
        json!({ "sub": "a", "claims": { "x": "y".repeat(3000) } }),
        json!({ "sub": "a", "claims": [] }),
        json!({ "sub": "a", "client_id": "" }),
        json!({ "sub": "a", "device": "x".repeat(256) }),
        json!({ "sub": "" }),
        json!({ "sub": "a", "nonsense": 1 }),
    ] {
        let answer = site.admin(Method::POST, "/admin/sessions", body.clone()).await;
        assert_eq!(answer.failure(), "400 invalid_request", "{body:.80}");
    }
    let scope = site.admin(Method::POST, "/admin/sessions", json!({ "sub": "a", "scope": "a\"b" })).await;
    assert_eq!(scope.failure(), "400 invalid_scope");
}

#[test]
fn no_bytes_cause_a_500() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let site = runtime.block_on(Site::open());
    let paths = prop::sample::select(vec![
        "/login",
        "/token",
        "/revoke",
        "/logout",
        "/sessions",
        "/sessions/0000000000000001",
        "/revocations",
        "/admin/sessions",
        "/admin/subjects",
        "/admin/subjects/a/revoke",
        "/admin/cutoff",
        "/admin/keys/retire",
    ]);
    let methods = prop::sample::select(vec!["GET", "POST", "PUT", "DELETE", "OPTIONS", "BREW"]);
    let types = prop::sample::select(vec!["application/json", "application/x-www-form-urlencoded", "\u{1}"]);
    let authorization =
        prop::sample::select(vec!["Bearer the-admin-key-of-the-tests", "Bearer ", "Basic eA==", ""]);
    let query = "[ -~&&[^#\"<>`{}\\\\^|]]{0,20}";
    let body = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        "(grant_type|token|refresh_token|[a-z%=&]{0,9}){1,8}".prop_map(String::into_bytes),
        "[\\[\\]{}:,\"a-z0-9\\\\]{0,80}".prop_map(String::into_bytes),
    ];
    proptest!(|(path in paths, method in methods, kind in types, auth in authorization, query in query, body in body)| {
        let request = Request::builder()
            .method(method)
            .uri(format!("{path}?{}", query.replace(' ', "+")))
            .header(header::CONTENT_TYPE, HeaderValue::from_str(kind).unwrap_or(HeaderValue::from_static("x")))
            .header(header::AUTHORIZATION, auth)
            .body(Body::from(body));
        if let Ok(request) = request {
            let status = runtime.block_on(site.send(request)).status();
            prop_assert!(status.as_u16() < 500, "{}", status);
        }
    });
}
