//! Crashes between append and swap, and requests that race. The revocation log decides in every case.

use super::*;
use crate::domain::PasswordHash;
use crate::store::Store;
use crate::testing::simulated_store::{Fault, Paused, SimulatedStore, pause};

struct Ward {
    store: Arc<SimulatedStore>,
    clock: ManualClock,
    desk: Arc<Desk>,
    alice: Subject,
}

impl Ward {
    async fn new() -> Self {
        let clock = ManualClock::at(START);
        let store = Arc::new(SimulatedStore::new(clock.clone()));
        let desk = Self::desk_on(&store).await;
        Self { store, clock, desk, alice: subject("alice") }
    }

    async fn desk_on(store: &Arc<SimulatedStore>) -> Arc<Desk> {
        Desk::open(store.clone(), Limits::default(), HEARTBEAT).await.expect("a desk")
    }

    fn stop_next(&self, at: impl FnOnce(crate::testing::simulated_store::Pause) -> Fault) -> Paused {
        let (pause, paused) = pause();
        self.store.arm(at(pause));
        paused
    }

    fn spawn_void(&self) -> tokio::task::JoinHandle<Result<Acknowledged, StoreError>> {
        let (desk, alice) = (self.desk.clone(), self.alice.clone());
        tokio::spawn(async move { desk.void(&alice).await })
    }

    fn spawn_kick(&self) -> tokio::task::JoinHandle<Result<Kick, StoreError>> {
        let (desk, alice) = (self.desk.clone(), self.alice.clone());
        tokio::spawn(async move { desk.kick(&alice, None).await })
    }

    fn sessions(&self) -> usize {
        self.store.state().records.get(&self.alice).map_or(0, |(_, record)| record.sessions.len())
    }
}

async fn let_go(paused: Paused) {
    paused.go_on.send(()).expect("the operation waits");
}

#[tokio::test]
async fn a_kick_that_died_half_done_is_finished_by_the_next_reader() {
    let ward = Ward::new().await;
    let grant = log_in(&ward.desk, &ward.alice).await;
    ward.store.arm(Fault::DieBeforeSwap);
    ward.desk.kick(&ward.alice, None).await.expect_err("the node died");
    assert_eq!(ward.sessions(), 1);
    assert_eq!(refresh(&ward.desk, &grant).await, Refresh::Refused(RefreshRefusal::NoSuchSession));
    assert_eq!(ward.sessions(), 0);
    let gid = log_in(&ward.desk, &ward.alice).await.gid;
    assert!(gid != grant.gid && is_listed(&ward.desk, grant.gid) && !is_listed(&ward.desk, gid));
    // A retry of the kick finds that the kick is already done.
    let listed = ward.desk.log(|log| log.len());
    kicked(ward.desk.kick(&ward.alice, Some(grant.gid)).await.expect("the store"));
    assert_eq!((ward.sessions(), ward.desk.log(|log| log.len())), (1, listed));
}

#[tokio::test]
async fn a_kick_whose_answer_was_lost_is_done() {
    let ward = Ward::new().await;
    let grant = log_in(&ward.desk, &ward.alice).await;
    ward.store.arm(Fault::LoseAnswer);
    ward.desk.kick(&ward.alice, None).await.expect_err("the answer was lost");
    kicked(ward.desk.kick(&ward.alice, Some(grant.gid)).await.expect("the store"));
    assert_eq!(ward.sessions(), 0);
}

#[tokio::test]
async fn an_end_of_a_session_that_died_half_done_is_finished() {
    let ward = Ward::new().await;
    let grant = log_in(&ward.desk, &ward.alice).await;
    let other = log_in(&ward.desk, &ward.alice).await;
    ward.store.arm(Fault::DieBeforeSwap);
    ward.desk.end_session(&ward.alice, grant.sid).await.expect_err("the node died");
    assert_eq!(refresh(&ward.desk, &grant).await, Refresh::Refused(RefreshRefusal::NoSuchSession));
    granted(refresh(&ward.desk, &other).await);
}

/// Trace 20: a node crashes between append and swap, and the issuer is down for longer than `retain`.
#[tokio::test]
async fn trace_20_every_entry_is_looked_at_when_a_node_starts() {
    let ward = Ward::new().await;
    let grant = log_in(&ward.desk, &ward.alice).await;
    ward.store.arm(Fault::DieBeforeSwap);
    ward.desk.kick(&ward.alice, None).await.expect_err("the node died");
    ward.clock.advance(10 * 86_400);
    let restarted = Ward::desk_on(&ward.store).await;
    assert_eq!(ward.sessions(), 0);
    beat(&restarted).await.expect("a beat");
    assert!(ward.store.state().log.is_empty());
    assert_eq!(refresh(&restarted, &grant).await, Refresh::Refused(RefreshRefusal::NoSuchSession));
}

/// Trace 4 (a): a void and a kick both append an entry for g1. The void's swap wins, and the kick finds another group
/// in the record.
#[tokio::test]
async fn trace_4a_a_kick_overtaken_by_a_void_starts_over() {
    let ward = Ward::new().await;
    let grant = log_in(&ward.desk, &ward.alice).await;
    let mut voids = ward.stop_next(Fault::PauseBeforeAppend);
    let void = ward.spawn_void();
    (&mut voids.there).await.expect("the void has read");
    let mut kicks = ward.stop_next(Fault::PauseBeforeSwap);
    let kick = ward.spawn_kick();
    (&mut kicks.there).await.expect("the kick has appended");
    let_go(voids).await;
    void.await.expect("no panic").expect("the store");
    assert_eq!(ward.sessions(), 1, "the void was written first");
    let_go(kicks).await;
    kicked(kick.await.expect("no panic").expect("the store"));
    assert_eq!(ward.sessions(), 0);
    assert_eq!(refresh(&ward.desk, &grant).await, Refresh::Refused(RefreshRefusal::NoSuchSession));
}

/// Trace 4 (a), but the node of the kick dies before the kick can start over.
#[tokio::test]
async fn a_kick_overtaken_by_a_void_is_finished_by_others() {
    let ward = Ward::new().await;
    let grant = log_in(&ward.desk, &ward.alice).await;
    let mut voids = ward.stop_next(Fault::PauseBeforeAppend);
    let void = ward.spawn_void();
    (&mut voids.there).await.expect("the void has read");
    ward.store.arm(Fault::DieBeforeSwap);
    ward.desk.kick(&ward.alice, None).await.expect_err("the node died");
    let_go(voids).await;
    void.await.expect("no panic").expect("the store");
    assert_eq!(refresh(&ward.desk, &grant).await, Refresh::Refused(RefreshRefusal::NoSuchSession));
    assert_eq!(ward.sessions(), 0);
}

/// Trace 4 (b) and (c): a void and a kick were both done, and a failover loses both writes of the record. A node that
/// has not yet read the two entries heals the record.
#[tokio::test]
async fn trace_4bc_a_record_that_lost_a_void_and_a_kick_is_kicked() {
    let ward = Ward::new().await;
    let lagging = Ward::desk_on(&ward.store).await;
    let grant = log_in(&ward.desk, &ward.alice).await;
    let before = ward.store.state();
    ward.desk.void(&ward.alice).await.expect("the store");
    kicked(ward.desk.kick(&ward.alice, None).await.expect("the store"));
    ward.store.fail_over_records_to(&before);
    assert_eq!(ward.sessions(), 1);
    assert_eq!(refresh(&lagging, &grant).await, Refresh::Refused(RefreshRefusal::NoSuchSession));
    assert_eq!(ward.sessions(), 0);
}

/// Trace 4 (d): a void reads the record and appends the void's entry. Then a kick is acknowledged, and a failover
/// undoes the kick's write of the record. After that, the void swaps the record. The restored record has the same bytes
/// as the record that the void read.
#[tokio::test]
async fn trace_4d_a_swap_read_on_one_master_does_not_fit_on_another() {
    let ward = Ward::new().await;
    let grant = log_in(&ward.desk, &ward.alice).await;
    let before = ward.store.state();
    let mut voids = ward.stop_next(Fault::PauseBeforeSwap);
    let void = ward.spawn_void();
    (&mut voids.there).await.expect("the void has appended");
    kicked(ward.desk.kick(&ward.alice, None).await.expect("the store"));
    ward.store.fail_over_records_to(&before);
    let_go(voids).await;
    void.await.expect("no panic").expect("the store");
    assert_eq!(ward.sessions(), 0);
    assert_eq!(refresh(&ward.desk, &grant).await, Refresh::Refused(RefreshRefusal::NoSuchSession));
}

/// Trace 4 (e): a void reads the record. Then a kick is acknowledged, and a login follows. After that, the void appends
/// the void's entry. This late entry does not affect the login.
#[tokio::test]
async fn trace_4e_a_login_after_a_kick_survives() {
    let ward = Ward::new().await;
    log_in(&ward.desk, &ward.alice).await;
    let mut voids = ward.stop_next(Fault::PauseBeforeAppend);
    let void = ward.spawn_void();
    (&mut voids.there).await.expect("the void has read");
    kicked(ward.desk.kick(&ward.alice, None).await.expect("the store"));
    let after = log_in(&ward.desk, &ward.alice).await;
    let_go(voids).await;
    void.await.expect("no panic").expect("the store");
    granted(refresh(&ward.desk, &after).await);
    let restarted = Ward::desk_on(&ward.store).await;
    assert_eq!(granted(refresh(&restarted, &after).await).sid, after.sid);
}

/// Trace 3: no request reads the record until the kick's entry expires.
#[tokio::test]
async fn trace_3_trimming_is_the_last_heal() {
    let ward = Ward::new().await;
    let grant = log_in(&ward.desk, &ward.alice).await;
    let before = ward.store.state();
    kicked(ward.desk.kick(&ward.alice, None).await.expect("the store"));
    ward.store.fail_over_records_to(&before);
    ward.clock.advance(Limits::default().retain_secs() + 1);
    beat(&ward.desk).await.expect("a beat");
    assert!(ward.store.state().log.is_empty() && ward.desk.log(|log| log.is_empty()));
    assert_eq!(ward.sessions(), 0);
    assert_eq!(refresh(&ward.desk, &grant).await, Refresh::Refused(RefreshRefusal::NoSuchSession));
}

/// Trace 3, continued: before the entry is trimmed, the record is read and healed. Then the record's shard fails over
/// to a replica whose copy of the record is not healed.
#[tokio::test]
async fn trace_3_the_last_look_waits_until_no_failover_can_lose_the_record() {
    let ward = Ward::new().await;
    let grant = log_in(&ward.desk, &ward.alice).await;
    let before = ward.store.state();
    kicked(ward.desk.kick(&ward.alice, None).await.expect("the store"));
    ward.store.arm(Fault::FailOverBeforeSettling(Box::new(before)));
    ward.clock.advance(Limits::default().retain_secs() + 1);
    beat(&ward.desk).await.expect("a beat");
    assert!(ward.store.state().log.is_empty());
    assert_eq!(ward.sessions(), 0);
    assert_eq!(refresh(&ward.desk, &grant).await, Refresh::Refused(RefreshRefusal::NoSuchSession));
}

/// While a record cannot be healed, the entry that the record needs is not trimmed.
#[tokio::test]
async fn an_entry_whose_record_was_not_finished_stays() {
    let ward = Ward::new().await;
    log_in(&ward.desk, &ward.alice).await;
    let before = ward.store.state();
    kicked(ward.desk.kick(&ward.alice, None).await.expect("the store"));
    ward.store.fail_over_records_to(&before);
    ward.clock.advance(Limits::default().retain_secs() + 1);
    ward.store.arm(Fault::DieBeforeSwap);
    beat(&ward.desk).await.expect_err("the node died while it healed the record");
    assert_eq!(ward.store.state().log.len(), 1);
    beat(&ward.desk).await.expect("a beat");
    assert_eq!((ward.sessions(), ward.store.state().log.len()), (0, 0));
}

/// Trace 5 (c): the store lost the write that made R2. One tab holds R2 while another tab's R1 is on its way.
#[tokio::test]
async fn trace_5c_generations_go_forward_over_a_failover() {
    let ward = Ward::new().await;
    let first = log_in(&ward.desk, &ward.alice).await;
    let before = ward.store.state();
    let second = granted(refresh(&ward.desk, &first).await);
    ward.store.fail_over_records_to(&before);
    let caught_up = granted(refresh(&ward.desk, &second).await);
    assert_eq!(caught_up.generation, 2);
    assert_eq!(granted(refresh(&ward.desk, &first).await).generation, 2);
    ward.clock.advance(60);
    assert_eq!(granted(refresh(&ward.desk, &caught_up).await).generation, 3);
    let events = ward.store.audit(None, 10).await.expect("events");
    assert!(events.iter().any(|row| row.event.event == AuditKind::RefreshCaughtUp));
}

/// Between the append and the swap of a password change, a user logs in with the old password. The login heals the
/// record according to the entry of the change. The record then lacks the new password, and has a session that did not
/// exist when the entry was appended.
#[tokio::test]
async fn a_new_password_overtaken_by_a_login_is_set_and_ends_it() {
    let ward = Ward::new().await;
    let hash = |phc: &str| PasswordHash::new(phc.into());
    ward.desk.create_subject(&ward.alice, Some(hash("$old"))).await.expect("the store");
    let Paused { there, go_on } = ward.stop_next(Fault::PauseBeforeSwap);
    let (desk, alice) = (ward.desk.clone(), ward.alice.clone());
    let set = tokio::spawn(async move { desk.set_password(&alice, hash("$new")).await });
    there.await.expect("the operation pauses");
    let grant = log_in(&ward.desk, &ward.alice).await;
    go_on.send(()).expect("the operation waits");
    assert!(matches!(set.await.expect("no panic").expect("the store"), Acknowledged::Done(_)));
    let (_, record) = ward.store.state().records[&ward.alice].clone();
    assert_eq!((record.password, record.sessions.len()), (Some(hash("$new")), 0));
    assert!(is_listed(&ward.desk, grant.gid));
}

#[tokio::test]
async fn a_deletion_overtaken_by_a_login_leaves_nothing() {
    let ward = Ward::new().await;
    let hash = PasswordHash::new("$right".into());
    ward.desk.create_subject(&ward.alice, Some(hash)).await.expect("the store");
    let Paused { there, go_on } = ward.stop_next(Fault::PauseBeforeSwap);
    let (desk, alice) = (ward.desk.clone(), ward.alice.clone());
    let deleted = tokio::spawn(async move { desk.delete_subject(&alice).await });
    there.await.expect("the operation pauses");
    let grant = log_in(&ward.desk, &ward.alice).await;
    go_on.send(()).expect("the operation waits");
    assert!(matches!(deleted.await.expect("no panic").expect("the store"), Acknowledged::Done(_)));
    assert!(!ward.store.state().records.contains_key(&ward.alice));
    assert!(is_listed(&ward.desk, grant.gid));
}
