//! Tests of a node that is left with an isolated store. A read proves nothing, so the confirmation is a write.

use super::*;
use crate::testing::simulated_store::{Fault, SimulatedStore};

struct Isolated {
    store: Arc<SimulatedStore>,
    desk: Arc<Desk>,
    grant: Grant,
}

/// The session is inside its grace window, so its refreshes write nothing.
async fn in_the_window() -> Isolated {
    let store = Arc::new(SimulatedStore::new(ManualClock::at(START)));
    let desk = Desk::open(store.clone(), Limits::default(), HEARTBEAT).await.expect("a desk");
    let grant = log_in(&desk, &subject("alice")).await;
    granted(refresh(&desk, &grant).await);
    Isolated { store, desk, grant }
}

/// Trace 6: node A stays on a demoted master and signs fresh lists that lack the kick made at node B.
#[tokio::test(start_paused = true)]
async fn trace_6_no_list_is_signed_without_a_confirmed_write() {
    let Isolated { store, desk, .. } = in_the_window().await;
    store.arm(Fault::RefuseWrites);
    let confirmed = desk.confirmed().await.expect("the last confirmation is fresh");
    assert!(confirmed.is_fresh(HEARTBEAT));
    tokio::time::advance(HEARTBEAT).await;
    assert!(!desk.last_confirmed().is_fresh(HEARTBEAT));
    desk.confirmed().await.expect_err("nothing was written");
    beat(&desk).await.expect_err("nothing was written");
    store.arm(Fault::None);
    assert!(desk.confirmed().await.expect("a confirmation").is_fresh(HEARTBEAT));
}

/// Trace 24: an isolated old master answers a refresh that writes nothing.
#[tokio::test(start_paused = true)]
async fn trace_24_a_refresh_that_writes_nothing_needs_a_confirmation() {
    let Isolated { store, desk, grant } = in_the_window().await;
    store.arm(Fault::RefuseWrites);
    granted(refresh(&desk, &grant).await);
    tokio::time::advance(HEARTBEAT).await;
    desk.refresh(&token(&grant), None).await.expect_err("the store is not confirmed");
    store.arm(Fault::None);
    granted(refresh(&desk, &grant).await);
}

/// A user logs in at a node that uses the new master, and logs out at a node that still uses the old master. The node
/// that uses the old master does not find the session, but must not answer that the session has ended (RFC 7009 answers
/// 200).
#[tokio::test(start_paused = true)]
async fn an_isolated_store_does_not_say_that_there_is_no_session() {
    let Isolated { store, desk, .. } = in_the_window().await;
    let demoted = store.state();
    let other = Desk::open(store.clone(), Limits::default(), HEARTBEAT).await.expect("a desk");
    let bob = log_in(&other, &subject("bob")).await;
    store.fail_over_to(demoted);
    store.arm(Fault::RefuseWrites);
    tokio::time::advance(HEARTBEAT * 2).await;
    let ended = desk.end_by_refresh_token(&token(&bob), None).await;
    assert!(ended.is_err(), "{ended:?}");
}

#[tokio::test(start_paused = true)]
async fn heartbeats_keep_the_confirmation_fresh() {
    let Isolated { desk, .. } = in_the_window().await;
    let beats = tokio::spawn({
        let desk = desk.clone();
        async move { Upkeep::new(desk).heartbeats().await }
    });
    let mut watch = desk.watch();
    let begun = desk.last_confirmed().confirmed;
    let later = |confirmed: &Confirmed| confirmed.confirmed >= begun + HEARTBEAT * 3;
    let confirmed = *watch.wait_for(later).await.expect("a beat");
    assert!(confirmed.is_fresh(HEARTBEAT));
    beats.abort();
}

/// Node A stays on a master that is isolated from its replicas. The master still accepts writes that wait for no
/// replica, because `min-replicas-max-lag` is long. A token that A issues in this state must not outlive the entry of a
/// kick that A cannot read.
#[tokio::test(start_paused = true)]
async fn a_token_from_an_isolated_node_does_not_outlive_the_entry() {
    let clock = ManualClock::at(START);
    let old = Arc::new(SimulatedStore::new(clock.clone()));
    let a = Desk::open(old.clone(), Limits::default(), HEARTBEAT).await.expect("a desk");
    let alice = log_in(&a, &subject("alice")).await;
    let new = Arc::new(SimulatedStore::new(clock.clone()));
    new.fail_over_to(old.state());
    old.arm(Fault::NoReplica);
    let b = Desk::open(new, Limits::default(), HEARTBEAT).await.expect("a desk");
    kicked(b.kick(&alice.sub, None).await.expect("the store"));

    for _ in 0..90 {
        clock.advance(10);
        tokio::time::advance(HEARTBEAT).await;
        beat(&a).await.expect_err("no replica confirms");
    }
    let minted = a.refresh(&token(&alice), None).await;
    clock.advance(Limits::default().retain_secs() - 899);
    let now = beat(&b).await.expect("a beat").confirmed_at;
    if let Ok(Refresh::Granted(grant)) = minted {
        assert!(
            is_listed(&b, grant.gid) || grant.expires_at <= now,
            "good for {} s",
            grant.expires_at.secs_since(now)
        );
    }
}
