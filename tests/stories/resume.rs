//! A verifier that was away returns with its cursor and gets the missing entries.

use doorlist_verifier::{Epoch, Options, RevocationList, Seq};
use reqwest::Method;

use crate::support::{Follower, Issuer, Session, unverified_list};

#[tokio::test]
async fn the_stream_resumes_after_a_gap() {
    let issuer = Issuer::start().await;
    let mut verifier = Follower::of(&issuer).await;
    let (alice, bob) = (issuer.open_session("alice").await, issuer.open_session("bob").await);
    verifier.leave();
    issuer.revoking("/subjects/alice/revoke").await;
    let acknowledged = issuer.revoking("/subjects/bob/revoke").await;
    verifier.verify(&alice.access).expect("the verifier has not received the kick yet");

    verifier.resume(&issuer).await;

    verifier.reaches(acknowledged).await;
    for session in [alice, bob] {
        verifier.verify(&session.access).expect_err("the subject was kicked meanwhile");
    }
}

#[tokio::test]
async fn the_stream_resumes_with_since_too() {
    let issuer = Issuer::start().await;
    let mut verifier = Follower::offline(&issuer, Options::new(issuer.url(), None)).await;
    let alice = issuer.open_session("alice").await;
    let acknowledged = issuer.revoking("/subjects/alice/revoke").await;

    let path = format!("/revocations/stream?since={}", verifier.cursor());
    verifier.stream_from(issuer.request(Method::GET, &path)).await;

    verifier.reaches(acknowledged).await;
    verifier.verify(&alice.access).expect_err("the subject was kicked meanwhile");
}

#[tokio::test]
async fn a_poll_with_since_gets_a_delta() {
    let issuer = Issuer::start().await;
    let verifier = Follower::offline(&issuer, Options::new(issuer.url(), None)).await;
    let alice = issuer.open_session("alice").await;
    let acknowledged = issuer.revoking("/subjects/alice/revoke").await;

    issuer.list_with(acknowledged).await;
    let list = issuer.get(&format!("/revocations?since={}", verifier.cursor())).await;
    verifier.load(&list.success()).expect("a delta, or a snapshot");

    assert_eq!(verifier.cursor(), acknowledged);
    verifier.verify(&alice.access).expect_err("the subject was kicked meanwhile");
    let nothing_new = issuer.get(&format!("/revocations?since={acknowledged}")).await;
    assert!(
        unverified_list(&nothing_new.text()).revoked.is_empty(),
        "there is no entry after the last entry"
    );
}

#[tokio::test]
async fn a_cursor_that_cannot_be_continued_gets_the_snapshot() {
    let issuer = Issuer::start().await;
    let verifier = Follower::of(&issuer).await;
    let here = verifier.cursor();
    let elsewhere = doorlist_verifier::Cursor { epoch: Epoch(here.epoch.0 ^ 1), ..here };
    let long_ago = doorlist_verifier::Cursor { seq: Seq::ZERO, ..here };
    for since in [elsewhere, long_ago] {
        let list: RevocationList =
            unverified_list(&issuer.get(&format!("/revocations?since={since}")).await.text());
        assert_eq!(list.since, None, "the answer to {since} is a snapshot");
        assert!(list.jwks.is_some());
    }
}

#[tokio::test]
async fn a_cursor_ahead_of_the_issuer_waits() {
    let issuer = Issuer::start().await;
    let mut verifier = Follower::of(&issuer).await;
    let session = issuer.open_session("alice").await;
    let here = verifier.cursor();
    let ahead = doorlist_verifier::Cursor { seq: Seq::new(here.seq.get() + 1).expect("in range"), ..here };

    let path = format!("/revocations/stream?since={ahead}");
    verifier.stream_from(issuer.request(Method::GET, &path)).await;

    verifier.reaches(issuer.revoking("/subjects/alice/revoke").await).await;
    verifier.verify(&session.access).expect_err("kicked");
}

#[tokio::test]
async fn heartbeats_keep_the_list_fresh() {
    let issuer = Issuer::start().await;
    let verifier = Follower::of(&issuer).await;
    let session = issuer.open_session("alice").await;
    for second in 1..=3 {
        verifier.hears_of(session.claims.issued_at.plus_secs(second)).await;
    }
    let freshness = verifier.verify(&session.access).expect("a valid token").freshness;
    assert!(!freshness.stale);
    Session::of(&issuer.refresh(&session.refresh).await);
}
