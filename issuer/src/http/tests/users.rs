//! Tests of login, refresh, revocation and sessions.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};

use crate::testing::{Answer, Site, Tokens, now};

async fn login(site: &Site, username: &str, password: &str) -> Answer {
    let body = json!({ "username": username, "password": password, "client_id": "app", "device": "phone" });
    site.ask(Method::POST, "/login", "", body).await
}

async fn with_alice() -> Site {
    let site = Site::open().await;
    let made =
        site.admin(Method::POST, "/admin/subjects", json!({"sub": "alice", "password": "wonderland"})).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    site
}

#[tokio::test]
async fn a_login_gives_tokens_that_verify() {
    let site = with_alice().await;
    let answer = login(&site, "alice", "wonderland").await;
    assert_eq!(answer.header(header::CACHE_CONTROL), "no-store");
    let body = answer.json();
    assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("Bearer"), &json!(900)));

    let mut verifier = site.verifier();
    let list = site.get("/revocations").await.text;
    verifier.load(&list, now()).expect("a list");
    let verified = verifier.verify(&Tokens::of(&answer).access, now()).expect("a token");
    assert_eq!((verified.claims.subject.as_str(), verified.claims.client_id.as_str()), ("alice", "app"));
}

#[tokio::test]
async fn wrong_passwords_unknown_users_and_disabled_ones_are_refused() {
    let site = with_alice().await;
    let wrong = login(&site, "alice", "Wonderland").await;
    let unknown = login(&site, "mallory", "wonderland").await;
    assert_eq!([wrong.failure(), unknown.failure()], ["400 invalid_grant", "400 invalid_grant"]);
    assert_eq!(wrong.json(), unknown.json(), "the answer does not show whether the name exists");
    let long = login(&site, "alice", &"x".repeat(2000)).await;
    assert_eq!(long.json(), wrong.json());

    site.admin(Method::POST, "/admin/subjects/alice/disable", Value::Null).await.position();
    assert_eq!(login(&site, "alice", "wonderland").await.failure(), "400 invalid_grant");
    site.admin(Method::POST, "/admin/subjects/alice/enable", Value::Null).await.position();
    Tokens::of(&login(&site, "alice", "wonderland").await);
}

#[tokio::test]
async fn a_refresh_rotates_and_a_kick_ends_it() {
    let site = with_alice().await;
    let first = Tokens::of(&login(&site, "alice", "wonderland").await);
    let second = Tokens::of(&site.refresh(&first.refresh).await);
    assert_ne!(first.refresh, second.refresh);
    let again = Tokens::of(&site.refresh(&first.refresh).await);
    assert_eq!(again.refresh, second.refresh, "one successor within the grace window");

    site.admin(Method::POST, "/admin/subjects/alice/revoke", Value::Null).await.position();
    for token in [&first.refresh, &second.refresh] {
        let refused = site.refresh(token).await;
        assert_eq!(refused.failure(), "400 invalid_grant");
        assert_eq!(refused.header(header::CACHE_CONTROL), "no-store");
    }
}

#[tokio::test]
async fn another_client_cannot_use_a_token_and_changes_nothing() {
    let site = with_alice().await;
    let tokens = Tokens::of(&login(&site, "alice", "wonderland").await);
    let form = |client| {
        [("grant_type", "refresh_token"), ("refresh_token", &*tokens.refresh), ("client_id", client)]
    };
    assert_eq!(site.form("/token", &form("other")).await.failure(), "400 invalid_grant");
    assert_eq!(site.form("/token", &form("app")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_refresh_may_request_a_smaller_scope() {
    let site = Site::open().await;
    let body = json!({ "sub": "bob", "scope": "read write", "claims": { "role": "editor" } });
    let opened = site.admin(Method::POST, "/admin/sessions", body).await;
    assert_eq!(opened.json()["scope"], "read write");
    let tokens = Tokens::of(&opened);
    let verified = site.app.revocations.verify(&tokens.access).expect("a token");
    let payload: Value = serde_json::from_str(&verified.payload_json).expect("JSON");
    assert_eq!(payload["role"], "editor");

    let form =
        |scope| [("grant_type", "refresh_token"), ("refresh_token", &*tokens.refresh), ("scope", scope)];
    assert_eq!(site.form("/token", &form("read")).await.json()["scope"], "read");
    assert_eq!(site.form("/token", &form("read admin")).await.failure(), "400 invalid_scope");
    for scope in ["read  write", "read read read"] {
        assert_eq!(site.form("/token", &form(scope)).await.failure(), "400 invalid_scope");
    }
    assert_eq!(site.form("/token", &form("")).await.json()["scope"], "read write");
    let without_scope = site.open_session("bob").await;
    let form = [("grant_type", "refresh_token"), ("refresh_token", &*without_scope.refresh), ("scope", " ")];
    assert_eq!(site.form("/token", &form).await.failure(), "400 invalid_scope", "a space is not a scope");
}

#[tokio::test]
async fn revoke_accepts_any_authentic_token_and_answers_200_to_any_other_value() {
    let site = Site::open().await;
    let (by_old, by_access) = (site.open_session("alice").await, site.open_session("alice").await);
    let newer = Tokens::of(&site.refresh(&by_old.refresh).await);
    site.form("/revoke", &[("token", &by_old.refresh)]).await.position();
    assert_eq!(site.refresh(&newer.refresh).await.failure(), "400 invalid_grant");
    site.form("/revoke", &[("token", &by_access.access), ("token_type_hint", "access_token")])
        .await
        .position();
    assert_eq!(site.refresh(&by_access.refresh).await.failure(), "400 invalid_grant");

    for junk in ["junk", &by_old.refresh, &by_old.access] {
        let answer = site.form("/revoke", &[("token", junk)]).await;
        assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, "{}"));
    }
}

#[tokio::test]
async fn revoke_does_not_end_another_client_s_session() {
    let site = with_alice().await;
    let tokens = Tokens::of(&login(&site, "alice", "wonderland").await);
    for token in [&tokens.refresh, &tokens.access] {
        let answer = site.form("/revoke", &[("token", token), ("client_id", "other")]).await;
        assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, "{}"));
    }
    Tokens::of(&site.refresh(&tokens.refresh).await);
}

#[tokio::test]
async fn only_the_owner_lists_and_ends_a_session() {
    let site = with_alice().await;
    let phone = Tokens::of(&login(&site, "alice", "wonderland").await);
    let laptop = Tokens::of(&login(&site, "alice", "wonderland").await);
    let mallory = site.open_session("mallory").await;

    let listed = site.ask(Method::GET, "/sessions", &phone.access, Value::Null).await.json();
    let sessions = listed["sessions"].as_array().expect("sessions");
    assert_eq!((listed["sub"].as_str(), sessions.len()), (Some("alice"), 2));
    let other = sessions.iter().find(|session| session["current"] == false).expect("another session");
    assert_eq!((&other["device"], &other["client_id"]), (&json!("phone"), &json!("app")));
    let path = format!("/sessions/{}", other["sid"].as_str().expect("a sid"));

    // Trace 10: a user cannot end a session of another subject.
    let denied = site.ask(Method::DELETE, &path, &mallory.access, Value::Null).await;
    assert_eq!(denied.failure(), "404 not_found");
    Tokens::of(&site.refresh(&laptop.refresh).await);

    site.ask(Method::DELETE, &path, &phone.access, Value::Null).await.position();
    assert_eq!(site.refresh(&laptop.refresh).await.failure(), "400 invalid_grant");
    let over = site.ask(Method::GET, "/sessions", &laptop.access, Value::Null).await;
    assert_eq!(over.failure(), "401 invalid_token");

    site.ask(Method::POST, "/logout", &phone.access, Value::Null).await.position();
    assert_eq!(
        site.ask(Method::POST, "/logout", &phone.access, Value::Null).await.failure(),
        "401 invalid_token"
    );
}

#[tokio::test]
async fn a_voided_token_is_refused_here_before_any_list_has_it() {
    let site = Site::open().await;
    let tokens = site.open_session("alice").await;
    site.admin(Method::POST, "/admin/subjects/alice/void", Value::Null).await.position();
    let refused = site.ask(Method::GET, "/sessions", &tokens.access, Value::Null).await;
    assert_eq!(refused.failure(), "401 invalid_token");
    let renewed = Tokens::of(&site.refresh(&tokens.refresh).await);
    assert_eq!(site.ask(Method::GET, "/sessions", &renewed.access, Value::Null).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_request_without_a_token_gets_a_challenge() {
    let site = Site::open().await;
    let missing = site.get("/sessions").await;
    assert_eq!(missing.failure(), "401 invalid_token");
    assert_eq!(missing.header(header::WWW_AUTHENTICATE), r#"Bearer realm="doorlist""#);
    let bad = site.ask(Method::GET, "/sessions", "junk", Value::Null).await;
    assert_eq!(bad.failure(), "401 invalid_token");
    assert_eq!(bad.header(header::WWW_AUTHENTICATE), r#"Bearer realm="doorlist", error="invalid_token""#);
}

#[tokio::test]
async fn a_store_that_is_down_is_reported_and_loses_nothing() {
    let site = with_alice().await;
    let tokens = Tokens::of(&login(&site, "alice", "wonderland").await);
    site.store.cut_off(true);
    for answer in [
        login(&site, "alice", "wonderland").await,
        site.refresh(&tokens.refresh).await,
        site.form("/revoke", &[("token", &tokens.refresh)]).await,
        site.ask(Method::POST, "/logout", &tokens.access, Value::Null).await,
        site.ask(Method::GET, "/sessions", &tokens.access, Value::Null).await,
        site.admin(Method::POST, "/admin/subjects/alice/revoke", Value::Null).await,
        site.admin(Method::POST, "/admin/cutoff", json!({ "end_sessions": true })).await,
    ] {
        assert_eq!(answer.failure(), "503 temporarily_unavailable");
        assert_eq!(answer.header(header::RETRY_AFTER), "1");
    }
    assert_eq!(
        site.refresh("junk").await.failure(),
        "400 invalid_grant",
        "a malformed token is refused without the store"
    );
    site.store.cut_off(false);
    Tokens::of(&site.refresh(&tokens.refresh).await);
}

#[tokio::test]
async fn listed_origins_may_call_and_others_may_not() {
    let site = Site::with(&["--allowed-origins", "https://app.example"]).await;
    let preflight = |path: &str, origin: &str| {
        Request::options(path)
            .header(header::ORIGIN, origin)
            .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST")
            .header(header::ACCESS_CONTROL_REQUEST_HEADERS, "content-type")
            .body(Body::empty())
            .expect("a request")
    };
    let allowed = async |path, origin| {
        let answer = Answer::of(site.send(preflight(path, origin)).await).await;
        answer.header(header::ACCESS_CONTROL_ALLOW_ORIGIN).to_owned()
    };
    assert_eq!(allowed("/login", "https://app.example").await, "https://app.example");
    assert_eq!(allowed("/login", "https://evil.example").await, "");
    assert_eq!(allowed("/revocations", "https://evil.example").await, "*");
    assert_eq!(allowed("/admin/subjects", "https://app.example").await, "");
}
