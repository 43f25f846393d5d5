//! A verifier trusts a list because of its signature, not because of its source. The verifier refuses older lists,
//! forged lists and lists of other issuers.

use doorlist_verifier::{Error, Options};
use serde_json::json;

use crate::support::{Follower, Forger, Issuer};

#[tokio::test]
async fn an_older_list_is_refused_and_changes_nothing() {
    let issuer = Issuer::start().await;
    let verifier = Follower::of(&issuer).await;
    let session = issuer.open_session("alice").await;
    let older = issuer.get("/revocations").await.text();
    verifier.reaches(issuer.revoking("/subjects/alice/revoke").await).await;
    let held = verifier.cursor();

    assert!(matches!(verifier.load(&older), Err(Error::ListRollback { .. })));

    assert_eq!(verifier.cursor(), held);
    verifier.verify(&session.access).expect_err("still kicked");
}

#[tokio::test]
async fn a_forged_list_is_refused() {
    let issuer = Issuer::start().await;
    let verifier = Follower::offline(&issuer, Options::new(issuer.url(), None)).await;
    let session = issuer.open_session("alice").await;
    let genuine = issuer.get("/revocations").await.text();
    let kid = crate::support::kid(&genuine);
    let forger = Forger::number(7);
    let later =
        |claims: &mut serde_json::Value| claims["seq"] = json!(claims["seq"].as_u64().expect("a number") + 1);

    let under_its_name = forger.resign(&genuine, &kid, later);
    assert!(matches!(verifier.load(&under_its_name), Err(Error::Signature)));
    let under_an_own_name = forger.resign(&genuine, &forger.kid(), later);
    assert!(matches!(verifier.load(&under_an_own_name), Err(Error::UnknownKey { .. })));
    let mut changed = genuine.into_bytes();
    let middle = changed.len() / 2;
    changed[middle] = if changed[middle] == b'A' { b'B' } else { b'A' };
    let changed = String::from_utf8(changed).expect("ASCII");
    assert!(matches!(verifier.load(&changed), Err(Error::Signature)));

    verifier.verify(&session.access).expect("refused lists changed nothing");
}

#[tokio::test]
async fn a_token_is_not_accepted_as_a_list_and_a_list_not_as_a_token() {
    let issuer = Issuer::start().await;
    let verifier = Follower::of(&issuer).await;
    let session = issuer.open_session("alice").await;
    let list = issuer.get("/revocations").await.text();
    assert!(matches!(verifier.load(&session.access), Err(Error::ListInvalid { .. })));
    assert!(matches!(verifier.verify(&list), Err(Error::Type { .. })));
    issuer.as_subject(reqwest::Method::GET, "/sessions", &list).await.refused(401, "invalid_token");
}
