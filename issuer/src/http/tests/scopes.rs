//! Which admin key opens which route.

use axum::http::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::http::operator_routes;
use crate::secret::Scope;
use crate::testing::{ADMIN_KEY, KICK_KEY, READ_KEY, Site};

/// Every route of the operators with the scopes that open it.
fn routes() -> Vec<(Method, &'static str, &'static [Scope])> {
    operator_routes().into_iter().flat_map(|routes| routes.scopes).collect()
}

/// A path of this route whose subject and session do not exist.
fn path(route: &str) -> String {
    route.replace("{sub}", "nobody").replace("{sid}", "00000000000000aa")
}

#[tokio::test]
async fn every_route_of_the_operator_requires_an_admin_key() {
    let site = Site::open().await;
    for (method, route, _) in routes() {
        let missing = site.ask(method.clone(), &path(route), "", Value::Null).await;
        assert_eq!(missing.failure(), "401 invalid_token", "{route}");
        let wrong = site.ask(method, &path(route), "another-key-of-some-length", Value::Null).await;
        assert_eq!(wrong.failure(), "401 invalid_token", "{route}");
        assert!(wrong.header(header::WWW_AUTHENTICATE).contains("invalid_token"));
    }
}

#[tokio::test]
async fn trace_53_a_key_opens_only_the_routes_of_its_scope() {
    let site = Site::open().await;
    for (method, route, scopes) in routes() {
        for (scope, key) in [(Scope::Read, READ_KEY), (Scope::Kick, KICK_KEY), (Scope::All, ADMIN_KEY)] {
            let answer = site.ask(method.clone(), &path(route), key, Value::Null).await;
            let about = format!("{method} {route} with the scope {scope}");
            if scope == Scope::All || scopes.contains(&scope) {
                let is_open = !matches!(answer.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
                assert!(is_open, "{about}: {}", answer.text);
            } else {
                assert_eq!(answer.failure(), "403 insufficient_scope", "{about}");
                let needed = scopes.first().copied().unwrap_or(Scope::All);
                assert_eq!(
                    answer.header(header::WWW_AUTHENTICATE),
                    format!(r#"Bearer realm="doorlist", error="insufficient_scope", scope="{needed}""#),
                    "{about}"
                );
                assert!(answer.json()["error_description"].as_str().expect("text").contains(needed.as_str()));
            }
        }
    }
}

/// A route that is added without thought must not appear here: `&[]` is the scope `all`.
#[test]
fn trace_53_the_scopes_open_these_routes_and_the_readme_names_them() {
    let readme = include_str!("../../../README.md");
    for (scope, expected) in [
        (
            Scope::Read,
            "`POST /introspect`, `GET /admin/subjects`, `GET /admin/subjects/{sub}`, `GET /admin/keys`",
        ),
        (
            Scope::Kick,
            "`GET /admin/subjects/{sub}`, `POST /admin/subjects/{sub}/revoke`, `POST /admin/subjects/{sub}/void`, \
             `POST /admin/subjects/{sub}/disable`, `DELETE /admin/subjects/{sub}/sessions/{sid}`",
        ),
    ] {
        let routes = routes();
        let opened = routes.iter().filter(|(_, _, scopes)| scopes.contains(&scope));
        let opened: Vec<_> = opened.map(|(method, route, _)| format!("`{method} {route}`")).collect();
        assert_eq!(opened.join(", "), expected);
        assert!(readme.contains(&format!("| `{scope}` | {expected} |")), "the README's table: {scope}");
    }
}

/// HEAD is answered as GET, so it has the scope of GET.
#[tokio::test]
async fn trace_53_a_head_request_needs_the_scope_of_get() {
    let site = Site::open().await;
    for (key, status) in [(READ_KEY, StatusCode::OK), (KICK_KEY, StatusCode::FORBIDDEN)] {
        assert_eq!(site.ask(Method::HEAD, "/admin/subjects", key, Value::Null).await.status, status);
    }
}

#[tokio::test]
async fn the_audit_names_the_key_with_which_a_change_was_requested() {
    let site = Site::open().await;
    let tokens = site.open_session("alice").await;
    site.ask(Method::POST, "/admin/subjects/alice/revoke", KICK_KEY, Value::Null).await.position();
    site.admin(Method::POST, "/admin/cutoff", json!({ "end_sessions": false })).await;
    assert_eq!(site.refresh(&tokens.refresh).await.status, StatusCode::BAD_REQUEST);
    let password = "a-long-password-of-bob";
    site.admin(Method::POST, "/admin/subjects", json!({ "sub": "bob", "password": password })).await;
    let login = json!({ "username": "bob", "password": password });
    assert_eq!(site.ask(Method::POST, "/login", "", login).await.status, StatusCode::OK);

    let kid = site.app.keys.ring().active().kid().to_string();
    let retired = site.admin(Method::POST, "/admin/keys/retire", json!({ "kid": kid })).await;
    assert_eq!(retired.status, StatusCode::OK, "{}", retired.text);

    let rows = site.app.desk.audit(None, 10).await.expect("events");
    let rows = rows.iter().rev().map(|row| (row.event.event.to_string(), row.event.by.as_deref()));
    assert_eq!(
        rows.collect::<Vec<_>>(),
        [
            ("login".to_owned(), Some("admin")),
            ("kicked".to_owned(), Some("kicker")),
            ("cutoff".to_owned(), Some("admin")),
            ("subject_created".to_owned(), Some("admin")),
            ("login".to_owned(), None),
            ("keys_changed".to_owned(), Some("admin")),
        ]
    );
}

#[test]
fn an_audit_row_of_a_version_without_key_names_is_read() {
    let stored = r#"{"event":"kicked","sub":"alice","handle":"00000000000000aa"}"#;
    let event: crate::domain::AuditEvent = serde_json::from_str(stored).expect("an event");
    assert_eq!(event.by, None);
    assert_eq!(serde_json::to_string(&event).expect("JSON"), stored, "an older node reads it too");
}
