//! A token leaked, or claims changed: every access token becomes void, and clients refresh without any user noticing.

use doorlist_verifier::Error;
use doorlist_verifier::error::RevokedBy;

use crate::support::{Follower, Issuer, Session};

#[tokio::test]
async fn a_void_ends_tokens_and_keeps_sessions() {
    let issuer = Issuer::start().await;
    let verifier = Follower::of(&issuer).await;
    let (laptop, phone) = (issuer.open_session("alice").await, issuer.open_session("alice").await);

    let acknowledged = issuer.revoking("/subjects/alice/void").await;

    verifier.reaches(acknowledged).await;
    for session in [laptop, phone] {
        let refusal = verifier.verify(&session.access).expect_err("void");
        assert!(matches!(refusal, Error::Revoked { by: RevokedBy::Gid, .. }), "{refusal:?}");
        let refreshed = Session::of(&issuer.refresh(&session.refresh).await);
        assert_eq!(refreshed.claims.sid, session.claims.sid, "the session continues");
        assert_ne!(refreshed.claims.gid, session.claims.gid, "the session is in another group");
        verifier.verify(&refreshed.access).expect("the token has the new group");
    }
}

/// Trace 4 (a), the part that needs only one node: a void and a kick of one subject run at once. In either order, the
/// kick ends every session.
#[tokio::test]
async fn a_kick_that_runs_together_with_a_void_ends_every_session() {
    let issuer = Issuer::start().await;
    let verifier = Follower::of(&issuer).await;
    for round in 0..10 {
        let sub = format!("alice-{round}");
        let session = issuer.open_session(&sub).await;
        let (void, kick) = (format!("/subjects/{sub}/void"), format!("/subjects/{sub}/revoke"));
        let (voided, kicked) = tokio::join!(issuer.revoking(&void), issuer.revoking(&kick));

        assert_eq!(issuer.session_count(&sub).await, 0);
        issuer.refresh(&session.refresh).await.refused(400, "invalid_grant");
        verifier.reaches(voided).await;
        verifier.reaches(kicked).await;
        verifier.verify(&session.access).expect_err("the subject was kicked");
    }
}
