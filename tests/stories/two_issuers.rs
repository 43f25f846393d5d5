//! Two issuers run side by side on one Redis. They communicate only through this store.

use doorlist_verifier::Error;
use reqwest::Method;

use crate::support::{Follower, Pair, Session, kid, position, try_send, unverified_list};

#[tokio::test]
async fn a_kick_at_one_reaches_a_verifier_of_the_other() {
    let pair = Pair::start().await;
    let verifiers = [Follower::of(&pair.a).await, pair.follower_of_b().await];
    let (here, there) = (pair.a.open_session("alice").await, pair.b.open_session("alice").await);
    let bob = pair.b.open_session("bob").await;
    for verifier in &verifiers {
        for session in [&here, &there, &bob] {
            verifier.verify(&session.access).expect("every verifier accepts tokens of both issuers");
        }
    }

    let acknowledged = pair.a.revoking("/subjects/alice/revoke").await;

    for verifier in &verifiers {
        verifier.reaches(acknowledged).await;
        for session in [&here, &there] {
            let refusal = verifier.verify(&session.access).expect_err("Alice was kicked");
            assert!(matches!(refusal, Error::Revoked { .. }), "{refusal:?}");
        }
        verifier.verify(&bob.access).expect("Bob was not kicked");
    }
    for issuer in [&pair.a, &pair.b] {
        issuer.refresh(&here.refresh).await.refused(400, "invalid_grant");
        issuer.refresh(&there.refresh).await.refused(400, "invalid_grant");
        assert_eq!(issuer.session_count("alice").await, 0);
    }
    Session::of(&pair.a.refresh(&bob.refresh).await);
}

#[tokio::test]
async fn a_session_continues_at_the_other() {
    let mut pair = Pair::start().await;
    let verifier = pair.follower_of_b().await;
    let first = pair.a.open_session("alice").await;
    let second = Session::of(&pair.a.refresh(&first.refresh).await);
    pair.a.kill().await;
    let third = Session::of(&pair.b.refresh(&second.refresh).await);
    verifier.verify(&third.access).expect("the same session");
    assert_eq!(third.claims.sid, first.claims.sid);
    pair.a.restart().await;
    let fourth = Session::of(&pair.a.refresh(&third.refresh).await);
    assert_eq!(fourth.claims.sid, first.claims.sid);
    assert_eq!(pair.a.session_count("alice").await, 1);
}

/// Twenty tabs send one token, ten tabs to each issuer. All tabs get the same successor.
#[tokio::test]
async fn simultaneous_refreshes_at_both_get_one_successor() {
    let pair = Pair::start().await;
    let session = pair.a.open_session("alice").await;
    let refreshes = (0..20).map(|tab| {
        let issuer = if tab % 2 == 0 { &pair.a } else { &pair.b };
        issuer.refresh(&session.refresh)
    });
    let mut successors: Vec<_> = futures_util::future::join_all(refreshes)
        .await
        .iter()
        .map(|reply| Session::of(reply).refresh)
        .collect();
    successors.dedup();
    assert_eq!(successors.len(), 1, "all tabs have the same successor");
    Session::of(&pair.b.refresh(&successors[0]).await);
}

#[tokio::test]
async fn a_key_retired_on_one_is_no_longer_used_by_the_other() {
    let pair = Pair::start().await;
    let verifier = pair.follower_of_b().await;
    let session = pair.b.open_session("alice").await;
    let stolen = kid(&session.access);
    let body = serde_json::json!({ "kid": stolen });
    let acknowledged = position(&pair.a.admin_post("/keys/retire", body).await.ok());
    verifier.reaches(acknowledged).await;
    assert!(matches!(verifier.verify(&session.access), Err(Error::UnknownKey { .. })));
    let refreshed = Session::of(&pair.b.refresh(&session.refresh).await);
    assert_ne!(kid(&refreshed.access), stolen, "the other issuer signs with the reserve key");
    verifier.verify(&refreshed.access).expect("verifiers know the reserve key");
    let keys = [
        pair.a.get("/.well-known/jwks.json").await.text(),
        pair.b.get("/.well-known/jwks.json").await.text(),
    ];
    assert_eq!(keys[0], keys[1]);
}

#[tokio::test]
async fn a_key_rotated_on_one_is_used_by_the_other() {
    let pair = Pair::start().await;
    let verifier = pair.follower_of_b().await;
    let session = pair.b.open_session("alice").await;
    let mut time = session.claims.issued_at;
    let rotated = loop {
        let reply = pair.a.admin(Method::POST, "/keys/rotate", None).await;
        if reply.status.is_success() {
            break position(&reply.json());
        }
        // The reserve key is too young. It must have been published for longer than caches keep a list or a key set.
        assert_eq!(reply.status, 409, "{}", reply.text());
        time = time.plus_secs(1);
        verifier.hears_of(time).await;
    };
    verifier.reaches(rotated).await;
    let refreshed = Session::of(&pair.b.refresh(&session.refresh).await);
    assert_ne!(
        kid(&refreshed.access),
        kid(&session.access),
        "the other issuer uses the new key without a restart"
    );
    for token in [&session.access, &refreshed.access] {
        verifier.verify(token).expect("old and new tokens are valid");
    }
}

/// A verifier leaves one issuer and continues at the other with the same cursor.
#[tokio::test]
async fn a_verifier_may_continue_at_the_other() {
    let pair = Pair::start().await;
    let mut verifier = Follower::of(&pair.a).await;
    let sessions = [pair.a.open_session("alice").await, pair.b.open_session("bob").await];
    verifier.leave();
    let before = verifier.cursor();
    pair.a.revoking("/subjects/alice/revoke").await;
    let acknowledged = pair.b.revoking("/subjects/bob/revoke").await;
    verifier.resume(&pair.b).await;
    verifier.reaches(acknowledged).await;
    for session in &sessions {
        verifier.verify(&session.access).expect_err("the subject was kicked meanwhile");
    }
    let list = unverified_list(&pair.b.get(&format!("/revocations?since={before}")).await.text());
    assert_eq!(list.epoch, before.epoch, "the epoch is unchanged");
}

#[tokio::test]
async fn a_cutoff_and_a_disabled_subject_take_effect_at_both() {
    let pair = Pair::start().await;
    let verifier = pair.follower_of_b().await;
    let (alice, bob) = (pair.b.open_session("alice").await, pair.b.open_session("bob").await);
    pair.a.revoking("/subjects/alice/disable").await;
    pair.b.refresh(&alice.refresh).await.refused(400, "invalid_grant");
    let acknowledged =
        position(&pair.a.admin_post("/cutoff", serde_json::json!({ "end_sessions": true })).await.ok());
    verifier.reaches(acknowledged).await;
    verifier.verify(&bob.access).expect_err("the cut-off ended all sessions");
    pair.b.refresh(&bob.refresh).await.refused(400, "invalid_grant");
    let again = pair.b.open_session("bob").await;
    verifier.verify(&again.access).expect("the login was after the cut-off");
}

/// In each round, one of the two issuers is killed during a refresh. The answer may be lost. The client continues at
/// the other issuer.
#[tokio::test]
async fn a_client_continues_at_the_other_when_its_issuer_is_killed() {
    let mut pair = Pair::start().await;
    let mut session = pair.a.open_session("alice").await;
    for round in 0..6 {
        let Pair { a, b, .. } = &mut pair;
        let (victim, other) = if round % 2 == 0 { (a, b) } else { (b, a) };
        let form = [("grant_type", "refresh_token"), ("refresh_token", session.refresh.as_str())];
        let request = victim.request(Method::POST, "/token").form(&form);
        let (answer, ()) = tokio::join!(try_send(request), victim.kill());
        if let Ok(answer) = answer {
            session = Session::of(&answer);
        }
        session = Session::of(&other.refresh(&session.refresh).await);
        victim.restart().await;
    }
    assert_eq!(pair.a.session_count("alice").await, 1);
}
