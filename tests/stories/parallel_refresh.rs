//! Many tabs of one browser refresh with the same token at once (seen in the field: supabase/auth-js#213,
//! directus/directus#22360, medplum/medplum#9113).

use std::collections::BTreeSet;

use crate::support::{Follower, Issuer, Session};

#[tokio::test]
async fn twenty_refreshes_of_one_token_get_one_successor() {
    let issuer = Issuer::start().await;
    let verifier = Follower::of(&issuer).await;
    let session = issuer.open_session("alice").await;

    let replies = futures_util::future::join_all((0..20).map(|_| issuer.refresh(&session.refresh))).await;

    let answers: Vec<Session> = replies.iter().map(Session::of).collect();
    let successors: BTreeSet<&str> = answers.iter().map(|answer| answer.refresh.as_str()).collect();
    assert_eq!(successors.len(), 1, "every tab holds the same refresh token");
    for answer in &answers {
        verifier.verify(&answer.access).expect("every access token is valid");
    }
    Session::of(&issuer.refresh(&answers[0].refresh).await);
    assert_eq!(issuer.session_count("alice").await, 1);
}

/// Trace 5 (b): two tabs send the same token. When the second tab's request arrives, the first tab has already
/// received a new token and sent a refresh with the new token.
#[tokio::test]
async fn a_tab_that_refreshes_late_with_the_same_token_gets_the_same_successor() {
    let issuer = Issuer::start().await;
    let verifier = Follower::of(&issuer).await;
    let first = issuer.open_session("alice").await;

    let second = Session::of(&issuer.refresh(&first.refresh).await);
    let third = Session::of(&issuer.refresh(&second.refresh).await);
    let late = Session::of(&issuer.refresh(&first.refresh).await);

    assert_eq!(third.refresh, second.refresh, "at most one rotation in a grace window");
    assert_eq!(late.refresh, third.refresh);
    verifier.verify(&late.access).expect("no session ended");
}
