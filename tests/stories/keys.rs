//! Keys change, and running verifiers follow without a restart.

use doorlist_verifier::{Error, Options};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Follower, Issuer, Session, kid, position, unverified_list};

async fn keys(issuer: &Issuer) -> Vec<(String, String)> {
    let answer = issuer.admin(Method::GET, "/keys", None).await.ok();
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let keys = answer["keys"].as_array().expect("a list of keys");
    keys.iter().map(|key| (text(&key["kid"]), text(&key["state"]))).collect()
}

async fn retire(issuer: &Issuer, kid: &str) -> doorlist_verifier::Cursor {
    position(&issuer.admin_post("/keys/retire", json!({ "kid": kid })).await.ok())
}

#[tokio::test]
async fn there_are_two_keys_from_the_first_start() {
    let issuer = Issuer::start().await;
    let mut states: Vec<_> = keys(&issuer).await.into_iter().map(|(_, state)| state).collect();
    states.sort();
    assert_eq!(states, ["active", "announced"]);
    let jwks = issuer.get("/.well-known/jwks.json").await.ok();
    assert_eq!(jwks["keys"].as_array().map(Vec::len), Some(2));
    assert!(!jwks.to_string().contains("\"d\""), "no private key");
}

/// Trace 16: the active key was stolen and is retired at once. The reserve key signs the list with this change. An
/// offline verifier already knows the reserve key, so the verifier accepts the list. After that, the verifier refuses
/// every token of the retired key, even a token that the verifier remembers.
#[tokio::test]
async fn an_offline_verifier_follows_the_retirement_of_the_active_key() {
    let issuer = Issuer::start().await;
    let verifier = Follower::offline(&issuer, Options::new(issuer.url(), None)).await;
    let session = issuer.open_session("alice").await;
    verifier.verify(&session.access).expect("the token is valid and is remembered");
    let stolen = kid(&session.access);

    let acknowledged = retire(&issuer, &stolen).await;
    let list = issuer.list_with(acknowledged).await;

    assert_ne!(kid(&list), stolen, "the reserve key signs");
    verifier.load(&list).expect("the reserve key was trusted from the start");
    let refusal = verifier.verify(&session.access).expect_err("the token's key is retired");
    assert!(matches!(refusal, Error::UnknownKey { .. }), "{refusal:?}");
    let refreshed = Session::of(&issuer.refresh(&session.refresh).await);
    verifier.verify(&refreshed.access).expect("the reserve key signs");
    let mut states: Vec<_> = keys(&issuer).await;
    states.retain(|(_, state)| state == "active" || state == "announced");
    assert_eq!(states.len(), 2, "there is a new reserve key");

    // Trace 23: a cached key set does not bring a retired key back.
    let jwks = issuer.get("/.well-known/jwks.json").await.text();
    assert!(!jwks.contains(&stolen));
}

/// Traces 8 and 23: a verifier was offline while the keys changed. When the verifier returns, it gets a snapshot. It
/// must not resume with a delta that lacks the key change.
#[tokio::test]
async fn a_cursor_older_than_a_key_change_gets_the_snapshot() {
    let issuer = Issuer::start().await;
    let mut verifier = Follower::of(&issuer).await;
    let session = issuer.open_session("alice").await;
    verifier.leave();
    let before = verifier.cursor();

    let acknowledged = retire(&issuer, &kid(&session.access)).await;
    assert!(acknowledged.seq > before.seq, "the key change is an entry of the revocation log");
    verifier.resume(&issuer).await;
    verifier.reaches(acknowledged).await;
    let list = unverified_list(&issuer.get(&format!("/revocations?since={before}")).await.text());
    assert_eq!(list.since, None, "the answer is a snapshot");
    assert!(list.jwks.is_some());
    verifier.verify(&session.access).expect_err("the token's key is retired");
}

#[tokio::test]
async fn connected_verifiers_refuse_tokens_of_a_retired_key() {
    let issuer = Issuer::start().await;
    let verifier = Follower::of(&issuer).await;
    let session = issuer.open_session("alice").await;
    let acknowledged = retire(&issuer, &kid(&session.access)).await;
    verifier.reaches(acknowledged).await;
    verifier.verify(&session.access).expect_err("the token's key is retired");
    let refreshed = Session::of(&issuer.refresh(&session.refresh).await);
    verifier.verify(&refreshed.access).expect("the reserve key signs");
}

#[tokio::test]
async fn old_tokens_stay_valid_after_a_rotation() {
    let mut issuer = Issuer::start().await;
    let mut verifier = Follower::of(&issuer).await;
    let session = issuer.open_session("alice").await;
    // At first the reserve key is too young. It must have been published for longer than caches keep a list or a key
    // set.
    let rotated = verifier_of_rotation(&issuer, &verifier, &session).await;
    verifier.reaches(rotated).await;
    let new = Session::of(&issuer.refresh(&session.refresh).await);
    assert_ne!(kid(&new.access), kid(&session.access), "the reserve key signs");
    for token in [&session.access, &new.access] {
        verifier.verify(token).expect("old and new tokens are valid");
    }

    let keys_before = keys(&issuer).await;
    issuer.stop().await;
    issuer.restart().await;
    assert_eq!(keys(&issuer).await, keys_before, "keys survive a restart");
    verifier.resume(&issuer).await;
    let newer = Session::of(&issuer.refresh(&new.refresh).await);
    assert_eq!(kid(&newer.access), kid(&new.access));
    verifier.verify(&newer.access).expect("the key is still known");
}

/// Rotates the keys. If the issuer answers that the reserve key is too young, waits for a newer list and tries again.
async fn verifier_of_rotation(
    issuer: &Issuer,
    verifier: &Follower,
    session: &Session,
) -> doorlist_verifier::Cursor {
    let mut time = session.claims.issued_at;
    loop {
        let reply = issuer.admin(Method::POST, "/keys/rotate", None).await;
        if reply.status.is_success() {
            return position(&reply.json());
        }
        assert_eq!(reply.status, 409, "{}", reply.text());
        time = time.plus_secs(1);
        verifier.hears_of(time).await;
    }
}
