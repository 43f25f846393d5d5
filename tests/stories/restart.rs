//! Everything that was acknowledged survives a restart, planned or not.

use std::os::unix::fs::PermissionsExt as _;

use doorlist_verifier::Options;
use reqwest::Method;
use serde_json::json;

use crate::support::{EMBEDDED, Follower, Issuer, Session, kid, unverified_list};

#[tokio::test]
async fn a_restart_keeps_keys_cutoff_epoch_list_and_sessions() {
    let mut issuer = Issuer::start().await;
    issuer.add_account("alice", "wonderland").await;
    issuer.admin_post("/cutoff", json!({ "end_sessions": false })).await.ok();
    let alice = Session::of(&issuer.login("alice", "wonderland").await);
    let bob = issuer.open_session("bob").await;
    let kicked = issuer.revoking("/subjects/bob/revoke").await;
    let mut verifier = Follower::of(&issuer).await;
    let before = unverified_list(&issuer.list_with(kicked).await);
    let jwks = issuer.get("/.well-known/jwks.json").await.json();

    for graceful in [true, false] {
        if graceful {
            issuer.stop().await;
        } else {
            issuer.kill().await;
        }
        issuer.restart().await;

        let after = unverified_list(&issuer.get("/revocations").await.text());
        assert_eq!((after.epoch, after.cutoff), (before.epoch, before.cutoff));
        assert!(after.seq >= kicked.seq, "the sequence numbers continue");
        assert!(after.revoked.contains(bob.claims.gid));
        assert_eq!(issuer.get("/.well-known/jwks.json").await.json(), jwks);
        verifier.resume(&issuer).await;
        verifier.verify(&bob.access).expect_err("kicked before the restart");
        verifier.verify(&alice.access).expect("the token's key is still known");
        issuer.refresh(&bob.refresh).await.refused(400, "invalid_grant");
    }
    let refreshed = Session::of(&issuer.refresh(&alice.refresh).await);
    assert_eq!(kid(&refreshed.access), kid(&alice.access));
    verifier.verify(&refreshed.access).expect("the session continues");
    Session::of(&issuer.login("alice", "wonderland").await);
}

/// Each session and each group gets a handle. After a crash, the issuer never draws an earlier handle again.
#[tokio::test]
async fn handles_are_not_used_twice_over_a_restart() {
    let mut issuer = Issuer::start().await;
    let mut handles = Vec::new();
    for _ in 0..3 {
        for sub in ["alice", "bob"] {
            let session = issuer.open_session(sub).await;
            handles.push(session.claims.sid);
            issuer.revoking(&format!("/subjects/{sub}/revoke")).await;
            handles.push(session.claims.gid);
        }
        issuer.kill().await;
        issuer.restart().await;
    }
    let count = handles.len();
    handles.sort();
    handles.dedup();
    assert_eq!(handles.len(), count);
}

#[tokio::test]
async fn secrets_are_created_once_and_only_their_owner_can_read_them() {
    let mut issuer = Issuer::stopped(EMBEDDED).forgetting(&["MASTER_SECRET", "ADMIN_KEY"]);
    issuer.restart().await;
    let files: Vec<_> = ["doorlist.redb.master-secret", "doorlist.redb.admin-key"]
        .map(|name| issuer.folder().join(name))
        .into_iter()
        .map(|file| {
            let mode = std::fs::metadata(&file)
                .unwrap_or_else(|_| panic!("{}", file.display()))
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600, "{}", file.display());
            let secret = std::fs::read_to_string(&file).expect("text");
            assert!(secret.trim().len() >= 32);
            (file, secret)
        })
        .collect();
    let admin_key = files[1].1.trim().to_owned();
    let verifier = Follower::offline(&issuer, Options::new(issuer.url(), None)).await;

    issuer.stop().await;
    issuer.restart().await;

    for (file, secret) in &files {
        assert_eq!(&std::fs::read_to_string(file).expect("text"), secret);
        assert!(!issuer.log().contains(secret.trim()), "a secret is in the log output");
    }
    let subjects = issuer.request(Method::GET, "/admin/subjects").bearer_auth(admin_key);
    assert_eq!(subjects.send().await.expect("an answer").status(), 200);
    verifier.load(&issuer.get("/revocations").await.text()).expect("keys sealed by the same secret");
}

#[tokio::test]
async fn another_master_secret_is_refused_at_the_start() {
    let mut issuer = Issuer::start().await;
    issuer.stop().await;
    let mut command = issuer.command("serve");
    let output = command
        .env("DOORLIST_MASTER_SECRET", "another-secret-of-some-length")
        .output()
        .await
        .expect("the process ends");
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.to_lowercase().contains("master secret") || said.contains("MASTER_SECRET"), "{said}");
    assert!(!said.contains("another-secret-of-some-length"));
    issuer.restart().await;
}

#[tokio::test]
async fn a_store_that_is_open_already_is_refused() {
    let mut issuer = Issuer::start_with(EMBEDDED).await;
    let mut command = issuer.command("serve");
    command.env("DOORLIST_LISTEN", "127.0.0.1:0").env("DOORLIST_STORE_WAIT_SECS", "0");
    let output = command.output().await.expect("the process ends");
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("doorlist.redb"), "the error names the file: {said}");
    assert!(issuer.is_alive());
    issuer.open_session("alice").await;
}
