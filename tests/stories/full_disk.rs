//! The disk of the embedded store is full for a while.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use crate::support::{Follower, Issuer, Reply, Session};

#[tokio::test]
async fn b2_a_store_whose_disk_was_full_is_used_again_by_the_same_process() {
    let mut issuer = Issuer::stopped(&[]).on_small_disk();
    issuer.restart().await;
    let mut sessions = vec![issuer.open_session("alice").await];
    let carol = issuer.open_session("carol").await;
    let verifier = Follower::of(&issuer).await;
    let kicked = issuer.revoking("/subjects/carol/revoke").await;
    verifier.reaches(kicked).await;
    let ballast = issuer.disk().join("ballast");

    for round in 0..2 {
        fill(&ballast);
        let refused = open_sessions_until_refused(&issuer, round, &mut sessions).await;
        refused.refused(503, "temporarily_unavailable");
        let readiness = issuer.get("/readyz").await;
        assert_eq!(
            readiness.status,
            503,
            "one request is enough to notice the failure: {}",
            readiness.text()
        );
        assert!(readiness.text().contains("the store is unavailable"), "{}", readiness.text());
        issuer.get("/healthz").await.ok();
        assert_eq!(issuer.get("/revocations").await.status, 200, "the last list is still served");
        verifier.verify(&carol.access).expect_err("still kicked");

        fs::remove_file(&ballast).expect("the disk has free space again");
        issuer.until_ready().await;

        for session in &mut sessions {
            *session = Session::of(&issuer.refresh(&session.refresh).await);
        }
        issuer.refresh(&carol.refresh).await.refused(400, "invalid_grant");
        let dave = issuer.open_session("dave").await;
        verifier.reaches(issuer.revoking("/subjects/dave/revoke").await).await;
        verifier.verify(&dave.access).expect_err("kicked after the outage");
    }
    assert_eq!(issuer.stop().await.code(), Some(0));
}

/// Opens sessions and adds each session to `sessions`. Stops at the first refusal, and returns the refusal.
async fn open_sessions_until_refused(issuer: &Issuer, round: u32, sessions: &mut Vec<Session>) -> Reply {
    for number in 0..2000 {
        let sub = format!("round-{round}-{number}");
        let reply = issuer.admin_post("/sessions", serde_json::json!({ "sub": sub })).await;
        if reply.status != 200 {
            return reply;
        }
        sessions.push(Session::of(&reply));
    }
    panic!("the store accepted 2000 sessions on a full disk");
}

/// Writes until the disk is full.
fn fill(ballast: &Path) {
    let mut file = File::create(ballast).expect("a file on the small disk");
    for len in [64 << 10, 4096, 1] {
        let piece = vec![0; len];
        loop {
            match file.write(&piece) {
                Ok(written) if written > 0 => {}
                Err(error) if error.kind() != ErrorKind::StorageFull => panic!("{error}"),
                _ => break,
            }
        }
    }
}
