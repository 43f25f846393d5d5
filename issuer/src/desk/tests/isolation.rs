//! A node left with an isolated store: reading proves nothing, the confirmation is a write.

use super::*;
use crate::store::faulty::{Fault, FaultyStore};

struct Isolated {
    store: Arc<FaultyStore>,
    desk: Arc<Desk>,
    grant: Grant,
}

/// A session in its grace window, whose refreshes write nothing; and a heartbeat later.
async fn in_the_window() -> Isolated {
    let store = Arc::new(FaultyStore::new(ManualClock::at(START)));
    let desk = Desk::open(store.clone(), Limits::default(), HEARTBEAT).await.expect("a desk");
    let grant = log_in(&desk, &subject("alice")).await;
    granted(refresh(&desk, &grant).await);
    Isolated { store, desk, grant }
}

/// Trace 6: A stays on a demoted master and signs fresh lists without B's kick.
#[tokio::test(start_paused = true)]
async fn trace_6_no_list_is_signed_without_a_confirmed_write() {
    let Isolated { store, desk, .. } = in_the_window().await;
    store.arm(Fault::RefuseWrites);
    let confirmed = desk.confirmed().await.expect("confirmed a moment ago");
    assert!(confirmed.is_fresh(HEARTBEAT));
    tokio::time::advance(HEARTBEAT).await;
    assert!(!desk.standing().is_fresh(HEARTBEAT));
    desk.confirmed().await.expect_err("nothing was written");
    desk.beat().await.expect_err("nothing was written");
    store.arm(Fault::None);
    assert!(desk.confirmed().await.expect("a confirmation").is_fresh(HEARTBEAT));
}

/// Trace 24: a refresh that writes nothing is answered by an isolated old master.
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

#[tokio::test(start_paused = true)]
async fn heartbeats_keep_the_standing_fresh() {
    let Isolated { desk, .. } = in_the_window().await;
    let beats = tokio::spawn({
        let desk = desk.clone();
        async move { desk.heartbeats().await }
    });
    let mut watch = desk.watch();
    let begun = desk.standing().confirmed;
    let later = |standing: &Standing| standing.confirmed >= begun + HEARTBEAT * 3;
    let standing = *watch.wait_for(later).await.expect("a beat");
    assert!(standing.is_fresh(HEARTBEAT));
    beats.abort();
}
