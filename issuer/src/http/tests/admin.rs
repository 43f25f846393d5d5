//! Tests of the admin API.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use doorlist_verifier::keys::MAX_KEYS;
use serde_json::{Value, json};

use crate::testing::{ADMIN_KEY, Answer, Site, Tokens};

#[tokio::test]
async fn a_request_with_two_admin_keys_is_refused() {
    let site = Site::open().await;
    let bearer = |key: &str| format!("Bearer {key}");
    let keys = [bearer(ADMIN_KEY), bearer("another-key-of-some-length")];
    let request = |keys: &[String]| {
        let request = Request::get("/admin/subjects");
        let request = keys.iter().fold(request, |request, key| request.header(header::AUTHORIZATION, key));
        request.body(Body::empty()).expect("a request")
    };
    assert_eq!(site.send(request(&keys[..1])).await.status(), StatusCode::OK);
    assert_eq!(Answer::of(site.send(request(&keys)).await).await.failure(), "400 invalid_request");
}

#[tokio::test]
async fn a_session_is_opened_only_with_claims_that_can_be_read_back() {
    let site = Site::open().await;
    for levels in [1, 31, 32, 100, 125] {
        let claims: Value = (0..levels).fold(json!(1), |inner, _| json!([inner]));
        let body = json!({ "sub": "alice", "claims": { "x": claims } });
        let opened = site.admin(Method::POST, "/admin/sessions", body).await;
        let wanted = if levels < 32 { StatusCode::OK } else { StatusCode::BAD_REQUEST };
        assert_eq!(opened.status, wanted, "{levels}");
        site.admin(Method::POST, "/admin/subjects/alice/revoke", Value::Null).await.position();
    }
}

#[tokio::test]
async fn a_subject_is_created_shown_listed_and_deleted() {
    let site = Site::open().await;
    let odd = "café/№ 1?";
    for sub in ["alice", "bob", odd] {
        let made = site.admin(Method::POST, "/admin/subjects", json!({ "sub": sub })).await;
        assert_eq!((made.status, &made.json()["sub"]), (StatusCode::CREATED, &json!(sub)));
    }
    let twice = site.admin(Method::POST, "/admin/subjects", json!({ "sub": "alice" })).await;
    assert_eq!(twice.failure(), "409 conflict");

    let shown =
        site.admin(Method::GET, "/admin/subjects/caf%C3%A9%2F%E2%84%96%201%3F", Value::Null).await.json();
    assert_eq!(
        (&shown["sub"], &shown["state"], &shown["has_password"]),
        (&json!(odd), &json!("active"), &json!(false))
    );

    let names = |page: &Value| {
        let subjects = page["subjects"].as_array().expect("subjects");
        subjects.iter().map(|subject| subject["sub"].as_str().expect("a sub").to_owned()).collect::<Vec<_>>()
    };
    let first = site.admin(Method::GET, "/admin/subjects?limit=2", Value::Null).await.json();
    assert_eq!((names(&first), &first["next"]), (vec!["alice".to_owned(), "bob".to_owned()], &json!("bob")));
    let second = site.admin(Method::GET, "/admin/subjects?limit=2&after=bob", Value::Null).await.json();
    assert_eq!((names(&second), &second["next"]), (vec![odd.to_owned()], &Value::Null));

    let tokens = site.open_session("alice").await;
    site.admin(Method::DELETE, "/admin/subjects/alice", Value::Null).await.position();
    assert_eq!(
        site.admin(Method::GET, "/admin/subjects/alice", Value::Null).await.failure(),
        "404 not_found"
    );
    assert_eq!(site.refresh(&tokens.refresh).await.failure(), "400 invalid_grant");
}

#[tokio::test]
async fn requests_for_unknown_subjects_get_404_and_write_nothing() {
    let site = Site::open().await;
    let before = site.app.revocations.position();
    for path in ["revoke", "void", "disable", "enable"] {
        let answer = site.admin(Method::POST, &format!("/admin/subjects/nobody/{path}"), Value::Null).await;
        assert_eq!(answer.failure(), "404 not_found", "{path}");
    }
    let body = json!({ "password": "a good password" });
    assert_eq!(
        site.admin(Method::PUT, "/admin/subjects/nobody/password", body).await.failure(),
        "404 not_found"
    );
    let path = "/admin/subjects/nobody/sessions/0000000000000001";
    assert_eq!(site.admin(Method::DELETE, path, Value::Null).await.failure(), "404 not_found");
    site.publish().await;
    assert_eq!(site.app.revocations.position(), before);
}

#[tokio::test]
async fn a_kick_with_a_group_is_idempotent() {
    let site = Site::open().await;
    site.open_session("alice").await;
    let gid = site.admin(Method::GET, "/admin/subjects/alice", Value::Null).await.json()["gid"].clone();
    let path = format!("/admin/subjects/alice/revoke?gid={}", gid.as_str().expect("a gid"));
    site.admin(Method::POST, &path, Value::Null).await.position();
    let later = site.open_session("alice").await;
    site.admin(Method::POST, &path, Value::Null).await.position();
    Tokens::of(&site.refresh(&later.refresh).await);

    let other = "/admin/subjects/alice/revoke?gid=00000000000000ff";
    assert_eq!(site.admin(Method::POST, other, Value::Null).await.failure(), "409 conflict");
}

#[tokio::test]
async fn a_new_password_ends_the_sessions_of_the_old_one() {
    let site = Site::open().await;
    site.admin(Method::POST, "/admin/subjects", json!({"sub": "alice", "password": "wonderland"})).await;
    let login = async |password: &str| {
        site.ask(Method::POST, "/login", "", json!({ "username": "alice", "password": password })).await
    };
    let tokens = Tokens::of(&login("wonderland").await);
    let short =
        site.admin(Method::PUT, "/admin/subjects/alice/password", json!({ "password": "short" })).await;
    assert_eq!(short.failure(), "400 invalid_request");
    let path = "/admin/subjects/alice/password";
    site.admin(Method::PUT, path, json!({ "password": "looking-glass" })).await.position();
    assert_eq!(site.refresh(&tokens.refresh).await.failure(), "400 invalid_grant");
    assert_eq!(login("wonderland").await.failure(), "400 invalid_grant");
    Tokens::of(&login("looking-glass").await);
}

#[tokio::test]
async fn a_cutoff_keeps_or_ends_sessions() {
    let site = Site::open().await;
    let tokens = site.open_session("alice").await;
    let kept = site.admin(Method::POST, "/admin/cutoff", json!({ "end_sessions": false })).await;
    kept.position();
    assert!(kept.json()["cutoff"].as_u64().is_some_and(|cutoff| cutoff > 1_700_000_000));
    let newer = Tokens::of(&site.refresh(&tokens.refresh).await);
    site.publish().await;
    assert!(site.app.revocations.verify(&tokens.access).is_err());
    site.app.revocations.verify(&newer.access).expect("the token's `iat` is not before the cut-off");
    site.admin(Method::POST, "/admin/cutoff", json!({ "end_sessions": true })).await.position();
    assert_eq!(site.refresh(&newer.refresh).await.failure(), "400 invalid_grant");
}

#[tokio::test]
async fn a_subject_with_too_many_revocations_opens_no_session_for_a_while() {
    // Trace 13: a subject has at most 32 live entries in the revocation log.
    let site = Site::open().await;
    for _ in 0..32 {
        let tokens = site.open_session("mallory").await;
        site.form("/revoke", &[("token", &tokens.refresh)]).await.position();
    }
    let refused = site.admin(Method::POST, "/admin/sessions", json!({ "sub": "mallory" })).await;
    assert_eq!(refused.failure(), "429 too_many_requests");
    assert!(refused.header(header::RETRY_AFTER).parse::<u64>().is_ok_and(|seconds| seconds > 0));
    site.open_session("alice").await;
}

#[tokio::test]
async fn keys_rotate_when_the_reserve_is_old_enough_and_retire_at_once() {
    let site = Site::open().await;
    let states = |keys: &Value| {
        let keys = keys["keys"].as_array().expect("keys").clone();
        keys.iter().map(|key| key["state"].as_str().expect("a state").to_owned()).collect::<Vec<_>>()
    };
    let keys = site.admin(Method::GET, "/admin/keys", Value::Null).await.json();
    assert_eq!(states(&keys), ["active", "announced"]);
    let early = site.admin(Method::POST, "/admin/keys/rotate", Value::Null).await;
    assert_eq!(early.failure(), "409 conflict");
    assert!(
        early.header(header::RETRY_AFTER).parse::<u64>().is_ok_and(|seconds| (80..=90).contains(&seconds))
    );

    let tokens = site.open_session("alice").await;
    let retired = json!({ "kid": keys["keys"][0]["kid"] });
    let answer = site.admin(Method::POST, "/admin/keys/retire", retired.clone()).await;
    answer.position();
    assert_eq!(states(&answer.json()), ["active", "announced"]);
    assert_eq!(answer.json()["keys"][0]["kid"], keys["keys"][1]["kid"], "the reserve key is active");
    assert_eq!(site.admin(Method::POST, "/admin/keys/retire", retired).await.failure(), "404 not_found");

    site.publish().await;
    let worthless = site.ask(Method::GET, "/sessions", &tokens.access, Value::Null).await;
    assert_eq!(worthless.failure(), "401 invalid_token");
    let renewed = Tokens::of(&site.refresh(&tokens.refresh).await);
    site.app.revocations.verify(&renewed.access).expect("the reserve key signs");
}

#[tokio::test]
async fn a_key_that_signs_before_any_list_named_it_does_not_stop_the_list() {
    let site = Site::open().await;
    for _ in 0..2 {
        let active =
            site.admin(Method::GET, "/admin/keys", Value::Null).await.json()["keys"][0]["kid"].clone();
        site.admin(Method::POST, "/admin/keys/retire", json!({ "kid": active })).await.position();
    }
    site.publish().await;
    assert_eq!(site.get("/readyz").await.status, StatusCode::OK);
    let tokens = site.open_session("alice").await;
    site.app.revocations.verify(&tokens.access).expect("a trusted key signs");
}

#[tokio::test]
async fn a_key_that_is_retired_from_a_full_ring_does_not_stop_the_list() {
    let site = Site::open().await;
    let now = site.app.desk.last_confirmed().confirmed_at;
    while site.app.keys.ring().jwks().keys.len() < MAX_KEYS {
        site.app.keys.rotate(now, 0, 86_400).await.expect("the ring has room for another key");
        site.publish().await;
    }
    let keys = site.admin(Method::GET, "/admin/keys", Value::Null).await.json();
    let reserve = json!({ "kid": keys["keys"][1]["kid"] });
    site.admin(Method::POST, "/admin/keys/retire", reserve).await.position();
    site.publish().await;
    assert_eq!(site.get("/readyz").await.status, StatusCode::OK);
}
