//! Trace 19: staging and production share a master secret. Nothing that one installation signs is valid at the other
//! installation.

use doorlist_verifier::Error;
use doorlist_verifier::error::ListFlaw;
use reqwest::Method;

use crate::support::{Follower, Issuer, Session};

#[tokio::test]
async fn tokens_of_one_installation_are_refused_at_the_other() {
    let (staging, production) = (Issuer::start().await, Issuer::start().await);
    let session = staging.open_session("alice").await;
    let own = production.open_session("alice").await;
    let verifier = Follower::of(&production).await;
    let before = production.log_position().await;

    production.refresh(&session.refresh).await.refused(400, "invalid_grant");
    production.as_subject(Method::GET, "/sessions", &session.access).await.refused(401, "invalid_token");
    for token in [&session.refresh, &session.access] {
        assert_eq!(production.revoke(token).await.status, 200);
    }
    verifier.verify(&session.access).expect_err("the token is from another issuer");

    assert_eq!(production.log_position().await, before, "nothing was written");
    Session::of(&production.refresh(&own.refresh).await);
    Session::of(&staging.refresh(&session.refresh).await);
}

#[tokio::test]
async fn a_list_of_one_installation_is_refused_at_the_other() {
    let (staging, production) = (Issuer::start().await, Issuer::start().await);
    let verifier = Follower::of(&production).await;
    let list = staging.get("/revocations").await.text();
    assert!(matches!(verifier.load(&list), Err(Error::UnknownKey { .. })));
    // A verifier that trusts both key sets still refuses the list, because the list contains the name of another
    // issuer.
    let jwks = staging.get("/.well-known/jwks.json").await.text();
    verifier.look(|verifier| verifier.add_jwks(&jwks)).expect("a valid key set");
    assert!(matches!(verifier.load(&list), Err(Error::ListInvalid { reason: ListFlaw::Issuer, .. })));
}
