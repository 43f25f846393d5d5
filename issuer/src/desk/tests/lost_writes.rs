//! A store fails over and loses the end of its revocation log, or everything. A living node puts the entries back.

use super::*;
use crate::domain::Appended;
use crate::store::Store;
use crate::testing::simulated_store::{Fault, SimulatedStore, State, pause};

async fn two_desks() -> (Arc<SimulatedStore>, ManualClock, [Arc<Desk>; 2]) {
    let clock = ManualClock::at(START);
    let store = Arc::new(SimulatedStore::new(clock.clone()));
    let desks = [open(&store).await, open(&store).await];
    (store, clock, desks)
}

async fn open(store: &Arc<SimulatedStore>) -> Arc<Desk> {
    Desk::open(store.clone(), Limits::default(), HEARTBEAT).await.expect("a desk")
}

/// Trace 2: node A appends X, verifier V applies it, and a failover loses X. Node B appends Y, A puts X back, and V
/// asks for the entries after X.
#[tokio::test]
async fn trace_2_no_number_is_used_twice_and_nothing_is_skipped() {
    let (store, clock, [a, b]) = two_desks().await;
    let alice = log_in(&a, &subject("alice")).await;
    let bob = log_in(&a, &subject("bob")).await;
    let before = store.state();
    let x = kicked(a.kick(&alice.sub, None).await.expect("the store"));
    store.fail_over_to(before);
    clock.advance(1);
    let y = kicked(b.kick(&bob.sub, None).await.expect("the store"));
    assert!(y.seq > x.seq);

    beat(&a).await.expect("a beat");
    let since_x: Vec<_> = a.log(|log| log.handles_since(x.seq).collect());
    assert!(since_x.contains(&bob.gid), "the verifier gets Y");
    assert!(since_x.contains(&alice.gid), "X is appended again after its first position");
    beat(&b).await.expect("a beat");
    assert!(is_listed(&b, alice.gid) && is_listed(&b, bob.gid));
    assert_eq!(a.last_confirmed().position, b.last_confirmed().position);
    // The failover brought back the old record with Alice's session, and healing then ended the session.
    assert_eq!(refresh(&b, &alice).await, Refresh::Refused(RefreshRefusal::NoSuchSession));
}

/// Trace 2, continued: a node that waits for entries after a lost sequence number is still woken.
#[tokio::test]
async fn trace_2_a_node_that_waits_past_the_lost_end_is_woken() {
    let (store, _, [a, b]) = two_desks().await;
    let alice = log_in(&a, &subject("alice")).await;
    let before = store.state();
    let x = kicked(a.kick(&alice.sub, None).await.expect("the store"));
    beat(&b).await.expect("a beat");
    let tail = tokio::spawn({
        let b = b.clone();
        async move { Upkeep::new(b).tail().await }
    });
    store.fail_over_to(before);
    beat(&a).await.expect("a beat");
    let restored = a.last_confirmed().position;
    assert!(restored.seq > x.seq);
    b.reached(restored).await;
    tail.abort();
}

/// While lost entries are put back, a late answer of the previous master arrives.
#[tokio::test]
async fn entries_read_while_restoring_are_kept() {
    let (store, clock, [a, b]) = two_desks().await;
    let alice = log_in(&a, &subject("alice")).await;
    let bob = log_in(&a, &subject("bob")).await;
    let before = store.state();
    clock.advance(1);
    kicked(a.kick(&bob.sub, None).await.expect("the store"));
    clock.advance(1);
    kicked(b.kick(&alice.sub, None).await.expect("the store"));
    let under_way = store.log_since(a.position().seq).await.expect("the log");
    drop(b);
    store.fail_over_to(before);
    clock.advance(1);
    let (pause, paused) = pause();
    store.arm(Fault::PauseBeforeAppend(pause));
    let beat = tokio::spawn({
        let a = a.clone();
        async move { beat(&a).await }
    });
    paused.there.await.expect("the restoring begins");
    assert_eq!(a.records.log_copy.apply(&under_way), crate::domain::Applied::News);
    assert!(is_listed(&a, alice.gid));
    paused.go_on.send(()).expect("the heartbeat waits");
    beat.await.expect("no panic").expect("a beat");
    assert!(is_listed(&a, bob.gid));
    assert!(is_listed(&a, alice.gid), "the entry was read before, and is restored");
}

/// Trace 21: FLUSHALL keeps the connection open, so only the heartbeat's write finds the loss. The epoch, the keys,
/// the cut-off and the young entries come back. Records and old entries do not.
#[tokio::test]
async fn trace_21_an_emptied_store_gets_back_what_a_node_holds() {
    let (store, clock, [a, _]) = two_desks().await;
    let alice = log_in(&a, &subject("alice")).await;
    let bob = log_in(&a, &subject("bob")).await;
    let mallory = log_in(&a, &subject("mallory")).await;
    a.swap_keys(None, b"ring".to_vec(), &["kid".to_owned()]).await.expect("the store");
    kicked(a.kick(&alice.sub, None).await.expect("the store"));
    clock.advance(Limits::default().retain_secs() + 1);
    let cutoff = a.cutoff(CutoffSessions::Keep).await.expect("the store").cutoff;
    let position = kicked(a.kick(&bob.sub, None).await.expect("the store"));

    store.fail_over_to(State::emptied());
    let confirmed = beat(&a).await.expect("a beat");
    assert_eq!(confirmed.position.epoch, position.epoch);
    assert!(confirmed.position.seq > position.seq);
    assert!(is_listed(&a, bob.gid), "young");
    assert!(!is_listed(&a, alice.gid), "every token it matched has expired");
    let settings = store.settings().await.expect("settings");
    assert_eq!((settings.epoch, settings.cutoff), (position.epoch, cutoff));
    assert_eq!(settings.retain_secs, Limits::default().retain_secs());
    assert_eq!(store.keys().await.expect("keys").expect("a ring").1, b"ring");
    assert_eq!(refresh(&a, &mallory).await, Refresh::Refused(RefreshRefusal::NoSuchSession));

    let log = store.state().log;
    assert!(log.values().any(|entry| entry.entry == Appended::Cutoff { cutoff, end_sessions: false }));
    assert!(log.values().last().is_some_and(|entry| entry.entry == Appended::Mark));
    beat(&a).await.expect("a beat");
    assert_eq!(store.state().log.len(), log.len(), "put back once");
}

#[tokio::test]
async fn a_desk_that_reads_an_emptied_store_restores_it_first() {
    let (store, _, [a, _]) = two_desks().await;
    let alice = log_in(&a, &subject("alice")).await;
    let position = kicked(a.kick(&alice.sub, None).await.expect("the store"));
    store.fail_over_to(State::emptied());
    let again = log_in(&a, &alice.sub).await;
    assert!(is_listed(&a, alice.gid) && !is_listed(&a, again.gid));
    assert_eq!(store.settings().await.expect("settings").epoch, position.epoch);
}

/// A kick is acknowledged. Then the power fails, before the node has read its own entry. The store (AOF every second)
/// starts again without the kick.
#[tokio::test]
async fn a_node_remembers_a_kick_that_it_acknowledged() {
    let (store, clock, [a, _]) = two_desks().await;
    let alice = log_in(&a, &subject("alice")).await;
    beat(&a).await.expect("a beat");
    let before = store.state();
    store.arm(Fault::LoseAfterAnswer(Box::new(before)));
    let kick = a.kick(&alice.sub, None).await;
    clock.advance(1);
    beat(&a).await.expect("a beat");
    let again = refresh(&a, &alice).await;
    assert!(kick.is_err() || is_listed(&a, alice.gid), "{kick:?}, and then {again:?}");
}

/// A cut-off that is put back keeps its original time. So a session that was opened after the cut-off stays open.
#[tokio::test]
async fn a_lost_cutoff_is_restored_unchanged() {
    let (store, clock, [a, _]) = two_desks().await;
    let before = store.state();
    let cutoff = a.cutoff(CutoffSessions::End).await.expect("the store").cutoff;
    clock.advance(5);
    store.fail_over_to(before);
    let grant = log_in(&a, &subject("alice")).await;
    beat(&a).await.expect("a beat");
    let settings = store.settings().await.expect("settings");
    assert_eq!((settings.cutoff, settings.sessions_since), (cutoff, cutoff));
    granted(refresh(&a, &grant).await);
}

/// Node A voids, and a token is issued in the new group. A failover loses both writes. Node B never read the void. Node
/// B kicks (or voids) the restored record and acknowledges this. After that, node A puts the entry of the void back.
/// The model found this case.
#[tokio::test]
async fn a_token_made_after_a_void_that_was_lost_is_taken_back_too() {
    for by_kick in [true, false] {
        let (store, clock, [a, b]) = two_desks().await;
        let alice = log_in(&a, &subject("alice")).await;
        beat(&b).await.expect("a beat");
        let before = store.state();
        a.void(&alice.sub).await.expect("the store");
        let lost = granted(refresh(&a, &alice).await);
        clock.advance(1);
        store.fail_over_to(before);
        if by_kick {
            kicked(b.kick(&alice.sub, None).await.expect("the store"));
        } else {
            b.void(&alice.sub).await.expect("the store");
        }
        beat(&a).await.expect("a beat");
        beat(&b).await.expect("a beat");
        for desk in [&a, &b] {
            assert!(is_listed(desk, alice.gid) && is_listed(desk, lost.gid));
        }
        match refresh(&a, &lost).await {
            Refresh::Granted(grant) => assert!(!by_kick && !is_listed(&a, grant.gid)),
            refused => assert!(by_kick, "a void ends no session: {refused:?}"),
        }
    }
}

/// A disable is acknowledged, and a failover loses this write. The restored record is kicked, and a login follows.
/// After that, a node puts the disable back.
#[tokio::test]
async fn a_disable_that_was_lost_is_finished_past_a_kick() {
    let (store, clock, [a, b]) = two_desks().await;
    let alice = log_in(&a, &subject("alice")).await;
    beat(&b).await.expect("a beat");
    let before = store.state();
    assert!(matches!(a.disable(&alice.sub).await, Ok(Acknowledged::Done(_))));
    clock.advance(1);
    store.fail_over_to(before);
    kicked(b.kick(&alice.sub, None).await.expect("the store"));
    let meanwhile = log_in(&b, &alice.sub).await;
    beat(&a).await.expect("a beat");
    assert_eq!(refresh(&a, &meanwhile).await, Refresh::Refused(RefreshRefusal::Disabled));
    assert!(is_listed(&a, meanwhile.gid));
    assert!(matches!(b.enable(&alice.sub).await, Ok(Acknowledged::Done(_))));
    granted(refresh(&b, &log_in(&b, &alice.sub).await).await);
}

/// A failover loses a kick, and node B voids the restored record. Then node A puts the kick back, but gets no answer to
/// the write that puts it back.
#[tokio::test]
async fn a_restored_entry_is_finished_although_the_answer_was_lost() {
    let (store, clock, [a, b]) = two_desks().await;
    let alice = log_in(&a, &subject("alice")).await;
    beat(&b).await.expect("a beat");
    let before = store.state();
    kicked(a.kick(&alice.sub, None).await.expect("the store"));
    let lost = log_in(&a, &alice.sub).await;
    clock.advance(1);
    store.fail_over_to(before);
    b.void(&alice.sub).await.expect("the store");
    store.arm(Fault::LoseAnswer);
    beat(&a).await.expect_err("the answer was lost");
    beat(&a).await.expect("a beat");
    assert!(is_listed(&a, lost.gid));
    assert!(store.state().records[&alice.sub].1.sessions.is_empty());
}

/// Node B's confirmation covers A's kick, and a failover loses the kick before B reads it. The old master's
/// confirmation must not count.
#[tokio::test]
async fn a_confirmation_whose_entries_were_lost_does_not_count() {
    let (store, clock, [a, b]) = two_desks().await;
    let alice = log_in(&a, &subject("alice")).await;
    let before = store.state();
    kicked(a.kick(&alice.sub, None).await.expect("the store"));
    let (pause, paused) = pause();
    store.arm(Fault::PauseAfterConfirm(pause));
    let beat = tokio::spawn({
        let b = b.clone();
        async move { beat(&b).await }
    });
    paused.there.await.expect("a confirmation");
    store.fail_over_to(before);
    clock.advance(1);
    paused.go_on.send(()).expect("the heartbeat waits");
    let confirmed = beat.await.expect("a beat").expect("the store");
    assert_eq!(confirmed.confirmed_at.as_secs(), START + 1, "the store was asked again");
}
