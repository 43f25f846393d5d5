//! After any mix of concurrent operations on one subject, the records and the list agree. If a session cannot be
//! refreshed, verifiers refuse its tokens. If a session can be refreshed, verifiers accept its tokens.

use futures_util::future::join_all;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use reqwest::Method;

use crate::support::{Follower, Issuer, Reply, Session};

/// An operation on a subject. A number in an operation is the index of the session on which the operation acts.
#[derive(Debug, Clone, Copy)]
enum Act {
    Open,
    Refresh(usize),
    LogOut(usize),
    Revoke(usize),
    EndByOperator(usize),
    Void,
    Kick,
    DisableAndEnable,
}

impl Act {
    fn random(random: &mut StdRng, sessions: usize) -> Self {
        let session = random.random_range(0..sessions);
        match random.random_range(0..32) {
            0..9 => Self::Open,
            9..20 => Self::Refresh(session),
            20..22 => Self::LogOut(session),
            22..24 => Self::Revoke(session),
            24..26 => Self::EndByOperator(session),
            26..30 => Self::Void,
            30 => Self::Kick,
            _ => Self::DisableAndEnable,
        }
    }

    /// Returns the new session if the operation produced one.
    async fn on(self, issuer: &Issuer, sub: &str, sessions: &[Session]) -> Option<Session> {
        let operator = async |path: &str| issuer.revoking(&format!("/subjects/{sub}/{path}")).await;
        let session = |reply: Reply| reply.status.is_success().then(|| Session::of(&reply));
        match self {
            Self::Open => {
                return session(issuer.admin_post("/sessions", serde_json::json!({ "sub": sub })).await);
            }
            Self::Refresh(number) => return session(issuer.refresh(&sessions[number].refresh).await),
            Self::LogOut(number) => {
                drop(issuer.as_subject(Method::POST, "/logout", &sessions[number].access).await)
            }
            Self::Revoke(number) => drop(issuer.revoke(&sessions[number].refresh).await),
            Self::EndByOperator(number) => {
                let path = format!("/subjects/{sub}/sessions/{}", sessions[number].sid());
                drop(issuer.admin(Method::DELETE, &path, None).await);
            }
            Self::Void => drop(operator("void").await),
            Self::Kick => drop(operator("revoke").await),
            Self::DisableAndEnable => {
                operator("disable").await;
                operator("enable").await;
            }
        }
        None
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_and_list_agree_after_concurrent_requests() {
    let seed =
        std::env::var("STORIES_SEED").map_or_else(|_| rand::random(), |seed| seed.parse().expect("a number"));
    println!("STORIES_SEED={seed} repeats the same operations");
    let mut random = StdRng::seed_from_u64(seed);
    let issuer = Issuer::start().await;
    let verifier = Follower::of(&issuer).await;
    let (mut alive, mut over) = (0, 0);

    for round in 0..24 {
        let sub = format!("alice-{round}");
        let mut sessions = Vec::new();
        for _ in 0..4 {
            sessions.push(issuer.open_session(&sub).await);
        }
        let acts: Vec<Act> = (0..8).map(|_| Act::random(&mut random, sessions.len())).collect();
        let made = join_all(acts.iter().map(|act| act.on(&issuer, &sub, &sessions))).await;
        sessions.extend(made.into_iter().flatten());

        // Writes one last entry. A verifier that holds this entry also holds every earlier entry.
        issuer.open_session("bob").await;
        verifier.reaches(issuer.revoking("/subjects/bob/void").await).await;
        for session in &sessions {
            let (reply, verified) =
                (issuer.refresh(&session.refresh).await, verifier.verify(&session.access));
            if reply.status.is_success() {
                alive += 1;
                let refreshed = Session::of(&reply);
                verifier.verify(&refreshed.access).unwrap_or_else(|error| panic!("{acts:?}: {error}"));
                let same_group = refreshed.claims.gid == session.claims.gid;
                assert_eq!(verified.is_ok(), same_group, "{acts:?}: {verified:?}");
            } else {
                over += 1;
                reply.refused(400, "invalid_grant");
                assert!(verified.is_err(), "{acts:?}: a token outlived its session");
            }
        }
    }
    println!("{alive} tokens of live sessions, {over} of sessions that are over");
    assert!(alive > 0 && over > 0);
}
