//! A subject can have twenty sessions. At this limit, a new login ends the session that has not been used for the
//! longest time.

use futures_util::future::join_all;

use crate::support::{Follower, Issuer, Session};

#[tokio::test]
async fn the_twenty_first_session_ends_the_one_idle_for_longest() {
    let issuer = Issuer::start().await;
    let verifier = Follower::of(&issuer).await;
    let mut sessions = Vec::new();
    for _ in 0..20 {
        sessions.push(issuer.open_session("alice").await);
    }
    for session in &sessions {
        verifier.verify(&session.access).expect("twenty sessions are allowed");
    }
    // The issuer counts time in whole seconds. So the test waits for the next second, and then refreshes the oldest
    // session.
    let opened = sessions[19].claims.issued_at;
    verifier.hears_of(opened.plus_secs(1)).await;
    sessions[0] = Session::of(&issuer.refresh(&sessions[0].refresh).await);

    let newcomer = issuer.open_session("alice").await;

    assert_eq!(issuer.session_count("alice").await, 20);
    verifier.refuses(&sessions[1].access).await;
    issuer.refresh(&sessions[1].refresh).await.refused(400, "invalid_grant");
    for session in sessions.iter().take(1).chain(&sessions[2..]).chain([&newcomer]) {
        verifier.verify(&session.access).expect("the other sessions continue");
        Session::of(&issuer.refresh(&session.refresh).await);
    }
}

#[tokio::test]
async fn simultaneous_logins_do_not_exceed_the_cap() {
    let issuer = Issuer::start().await;
    let verifier = Follower::of(&issuer).await;
    let sessions = join_all((0..30).map(|_| issuer.open_session("alice"))).await;

    assert_eq!(issuer.session_count("alice").await, 20);
    let mut alive = 0;
    for session in &sessions {
        let reply = issuer.refresh(&session.refresh).await;
        if reply.status.is_success() {
            alive += 1;
            verifier.verify(&session.access).expect("a live session");
        } else {
            reply.refused(400, "invalid_grant");
            verifier.refuses(&session.access).await;
        }
    }
    assert_eq!(alive, 20);
}
