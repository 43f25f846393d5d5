//! Introspection (RFC 7662) returns a token's current state from the store. A published list may be older than this
//! state.

use reqwest::Method;
use reqwest::header::CACHE_CONTROL;
use serde_json::{Value, json};

use crate::support::{ADMIN_KEY, Follower, Issuer, Pair, Reply, Session, send};

async fn ask(issuer: &Issuer, token: &str) -> Reply {
    let form = [("token", token), ("token_type_hint", "access_token")];
    send(issuer.request(Method::POST, "/introspect").bearer_auth(ADMIN_KEY).form(&form)).await
}

/// Returns whether the session's tokens are active. Asserts that the answers for the access token and the refresh
/// token agree.
async fn is_active(issuer: &Issuer, session: &Session) -> bool {
    let [access, refresh] = [&session.access, &session.refresh].map(|token| ask(issuer, token));
    let answers = [access.await.ok(), refresh.await.ok()];
    for answer in &answers {
        assert!(answer["active"] == true || *answer == json!({ "active": false }), "{answer}");
    }
    assert_eq!(answers[0]["active"], answers[1]["active"], "{answers:?}");
    answers[0]["active"] == true
}

#[tokio::test]
async fn introspection_of_a_good_token_shows_its_claims() {
    let issuer = Issuer::start().await;
    let claims = json!({ "role": "editor", "active": false, "token_type": "x" });
    let body = json!({ "sub": "alice", "client_id": "app", "scope": "read write", "claims": claims });
    let session = issuer.open_session_as(body).await;

    let reply = ask(&issuer, &session.access).await;
    assert_eq!(reply.header(CACHE_CONTROL), "no-store");
    let answer = reply.ok();
    let said = |name: &str| answer[name].clone();
    assert_eq!(
        (said("active"), said("token_type"), said("role")),
        (json!(true), json!("Bearer"), json!("editor"))
    );
    assert_eq!(
        (said("sub"), said("client_id"), said("scope")),
        (json!("alice"), json!("app"), json!("read write"))
    );
    assert_eq!(
        (said("iss"), said("aud"), said("sid")),
        (json!(issuer.url()), json!("api"), json!(session.sid()))
    );
    assert_eq!(said("exp"), json!(session.claims.expires_at));

    let answer = ask(&issuer, &session.refresh).await.ok();
    let said = |name: &str| answer[name].clone();
    assert_eq!(
        (said("active"), said("token_type")),
        (json!(true), json!("refresh_token")),
        "no access token"
    );
    assert_eq!(
        (said("sub"), said("client_id"), said("sid")),
        (json!("alice"), json!("app"), json!(session.sid()))
    );
    assert!(said("exp").as_u64() > session.claims.expires_at.as_secs().into());
    assert_eq!(said("role"), Value::Null);
    Session::of(&issuer.refresh(&session.refresh).await);
}

#[tokio::test]
async fn an_acknowledged_change_holds_in_the_next_answer() {
    let issuer = Issuer::start().await;
    let open = || issuer.open_session("alice");

    let (kicked, bob) = (open().await, issuer.open_session("bob").await);
    assert!(is_active(&issuer, &kicked).await);
    issuer.revoking("/subjects/alice/revoke").await;
    assert!(!is_active(&issuer, &kicked).await);

    let disabled = open().await;
    issuer.revoking("/subjects/alice/disable").await;
    assert!(!is_active(&issuer, &disabled).await);
    issuer.revoking("/subjects/alice/enable").await;
    assert!(!is_active(&issuer, &disabled).await);

    let (left, stays) = (open().await, open().await);
    issuer.as_subject(Method::POST, "/logout", &left.access).await.ok();
    assert!(!is_active(&issuer, &left).await && is_active(&issuer, &stays).await);

    issuer.revoking("/subjects/alice/void").await;
    assert_eq!(ask(&issuer, &stays.access).await.ok(), json!({ "active": false }));
    assert_eq!(ask(&issuer, &stays.refresh).await.ok()["active"], true, "the session is still active");
    assert!(is_active(&issuer, &Session::of(&issuer.refresh(&stays.refresh).await)).await);
    assert!(is_active(&issuer, &bob).await);
}

#[tokio::test]
async fn all_tokens_are_inactive_after_a_cutoff() {
    let issuer = Issuer::start().await;
    let session = issuer.open_session("alice").await;
    issuer.admin_post("/cutoff", json!({ "end_sessions": false })).await.ok();
    assert_eq!(ask(&issuer, &session.access).await.ok(), json!({ "active": false }));
    let renewed = Session::of(&issuer.refresh(&session.refresh).await);
    assert!(is_active(&issuer, &renewed).await);
    issuer.admin_post("/cutoff", json!({ "end_sessions": true })).await.ok();
    assert!(!is_active(&issuer, &renewed).await);
}

/// Introspection is exact to the second and uses no leeway. The leeway is for verifiers, because their clocks may
/// differ.
#[tokio::test]
async fn an_expired_token_is_inactive() {
    let issuer = Issuer::start_with(&[("ACCESS_TTL_SECS", "1")]).await;
    let session = issuer.open_session("alice").await;
    crate::support::eventually("the token expires", async {
        while ask(&issuer, &session.access).await.ok() != json!({ "active": false }) {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    })
    .await;
    Follower::of(&issuer).await.verify(&session.access).expect("the token is within the leeway");
    assert_eq!(ask(&issuer, &session.refresh).await.ok()["active"], true);
}

/// A refresh with a superseded token would end the session. Introspection of a superseded token does not end the
/// session.
#[tokio::test]
async fn introspection_changes_nothing() {
    let issuer = Issuer::start_with(&[("REFRESH_GRACE_SECS", "0")]).await;
    let first = issuer.open_session("alice").await;
    let second = Session::of(&issuer.refresh(&first.refresh).await);
    let third = Session::of(&issuer.refresh(&second.refresh).await);
    let before = issuer.log_position().await;
    for (token, active) in [(&first, false), (&second, true), (&third, true)] {
        assert_eq!(ask(&issuer, &token.refresh).await.ok()["active"], active);
    }
    for junk in ["junk", &format!("{}x", third.refresh), &third.access[..third.access.len() - 2]] {
        assert_eq!(ask(&issuer, junk).await.ok(), json!({ "active": false }));
    }
    assert_eq!(issuer.log_position().await, before);
    Session::of(&issuer.refresh(&third.refresh).await);
}

#[tokio::test]
async fn another_issuer_s_tokens_are_inactive() {
    let (issuer, other) = (Issuer::start().await, Issuer::start().await);
    assert!(!is_active(&issuer, &other.open_session("alice").await).await);
}

#[tokio::test]
async fn only_the_operator_may_introspect() {
    let issuer = Issuer::start().await;
    let session = issuer.open_session("alice").await;
    for bearer in [None, Some("wrong-admin-key"), Some(session.access.as_str())] {
        let request = issuer.request(Method::POST, "/introspect").form(&[("token", &session.access)]);
        let request = bearer.into_iter().fold(request, |request, bearer| request.bearer_auth(bearer));
        send(request).await.refused(401, "invalid_token");
    }
}

/// Two issuers: an introspection at one issuer shows a kick that the other issuer acknowledged. If the store is
/// unavailable, neither issuer guesses the state.
#[tokio::test]
async fn without_its_store_an_issuer_answers_introspection_with_503() {
    let mut pair = Pair::start().await;
    let (alice, bob) = (pair.a.open_session("alice").await, pair.a.open_session("bob").await);
    pair.a.revoking("/subjects/alice/revoke").await;
    assert!(!is_active(&pair.b, &alice).await && is_active(&pair.b, &bob).await);

    let keys = pair.a.admin(Method::GET, "/keys", None).await.ok();
    pair.a.admin_post("/keys/retire", json!({ "kid": keys["keys"][0]["kid"] })).await.ok();
    assert_eq!(ask(&pair.b, &bob.access).await.ok(), json!({ "active": false }), "its key was stolen");
    let bob = Session::of(&pair.b.refresh(&bob.refresh).await);
    assert!(is_active(&pair.a, &bob).await);

    pair.redis.kill();
    for token in [&bob.access, &bob.refresh, &alice.refresh] {
        let reply = ask(&pair.b, token).await;
        reply.refused(503, "temporarily_unavailable");
        assert!(reply.headers.contains_key("retry-after"));
    }
}
