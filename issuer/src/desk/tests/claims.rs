//! Tests of a subject's claims. After the answer to a change, every new token carries the new claims, and every token
//! without the new claims is void.

use serde_json::json;

use super::*;
use crate::domain::CustomClaims;
use crate::testing::simulated_store::{Fault, SimulatedStore, pause};

fn role(role: &str) -> CustomClaims {
    CustomClaims::from_iter([("role".to_owned(), json!(role))])
}

fn done(change: ClaimsChange) -> Cursor {
    match change {
        ClaimsChange::Done(position) => position,
        other => panic!("not set: {other:?}"),
    }
}

async fn faulty() -> (Arc<SimulatedStore>, Arc<Desk>, Subject) {
    let store = Arc::new(SimulatedStore::new(ManualClock::at(START)));
    let desk = Desk::open(store.clone(), Limits::default(), HEARTBEAT).await.expect("a desk");
    (store, desk, subject("alice"))
}

#[tokio::test]
async fn the_next_refresh_and_the_next_login_carry_them() {
    let office = Office::new().await;
    let before = office.log_in(&subject("alice")).await;
    done(office.desk.set_claims(&before.sub, role("viewer")).await.expect("the store"));
    assert!(office.is_listed(before.gid) && !office.is_listed(before.sid));
    let after = granted(refresh(&office.desk, &before).await);
    assert_eq!((after.sid, after.claims), (before.sid, role("viewer")));
    assert_eq!(office.log_in(&before.sub).await.claims, role("viewer"));
    assert_eq!(
        office.desk.subject(&before.sub).await.expect("the store").expect("her").claims,
        role("viewer")
    );
    assert_eq!(
        office.desk.set_claims(&subject("nobody"), role("viewer")).await,
        Ok(ClaimsChange::UnknownSubject)
    );
}

/// Two refreshes within the grace window. The second refresh gets the same answer as the first refresh, but with the
/// current claims.
#[tokio::test]
async fn an_answer_in_the_grace_window_has_the_new_claims_too() {
    let office = Office::new().await;
    let first = office.log_in(&subject("alice")).await;
    let second = granted(refresh(&office.desk, &first).await);
    done(office.desk.set_claims(&first.sub, role("viewer")).await.expect("the store"));
    let again = granted(refresh(&office.desk, &first).await);
    assert_eq!((again.generation, again.claims), (second.generation, role("viewer")));
    assert_ne!(again.gid, second.gid);
}

#[tokio::test]
async fn claims_that_do_not_fit_beside_a_session_s_change_nothing() {
    let office = Office::new().await;
    let long = CustomClaims::from_iter([("long".to_owned(), json!("x".repeat(2030)))]);
    let open = OpenSession { claims: long.clone(), ..open_for_app() };
    let alice = subject("alice");
    let opened = office.desk.open_session(&alice, open.clone(), Proof::Trusted).await;
    let Ok(Login::Opened(grant)) = opened else { panic!("no session: {opened:?}") };
    let before = office.desk.last_confirmed().position;
    assert!(matches!(office.desk.set_claims(&alice, role("viewer")).await, Ok(ClaimsChange::Unfit(_))));
    assert_eq!(office.desk.last_confirmed().position, before);
    assert_eq!(granted(refresh(&office.desk, &grant).await).claims, long);

    kicked(office.desk.kick(&alice, None).await.expect("the store"));
    done(office.desk.set_claims(&alice, role("viewer")).await.expect("the store"));
    let refused = office.desk.open_session(&alice, open, Proof::Trusted).await;
    assert!(matches!(refused, Ok(Login::Refused(LoginRefusal::Claims(_)))));
    assert!(office.sessions(&alice).await.is_empty());
}

/// The revocation log holds only a void, so another request that completes this void cannot know the new claims.
#[tokio::test]
async fn a_change_that_died_half_done_is_a_void_and_can_be_sent_again() {
    let (store, desk, alice) = faulty().await;
    let before = log_in(&desk, &alice).await;
    store.arm(Fault::DieBeforeSwap);
    desk.set_claims(&alice, role("viewer")).await.expect_err("the node died");
    store.arm(Fault::None);
    let between = granted(refresh(&desk, &before).await);
    assert_eq!((between.claims, is_listed(&desk, before.gid)), (CustomClaims::new(), true));
    done(desk.set_claims(&alice, role("viewer")).await.expect("the store"));
    assert!(is_listed(&desk, between.gid));
    assert_eq!(granted(refresh(&desk, &before).await).claims, role("viewer"));
}

/// A request changes the claims. It has appended its entry and has not swapped the record yet. Then another request
/// swaps the record, and issues a token with the old claims in the new group.
#[tokio::test]
async fn a_change_finished_by_another_request_still_voids_the_tokens_it_issued() {
    let (store, desk, alice) = faulty().await;
    let before = log_in(&desk, &alice).await;
    let (pause, paused) = pause();
    store.arm(Fault::PauseBeforeSwap(pause));
    let change = tokio::spawn({
        let (desk, alice) = (desk.clone(), alice.clone());
        async move { desk.set_claims(&alice, role("viewer")).await }
    });
    paused.there.await.expect("the entry is appended");
    let between = granted(refresh(&desk, &before).await);
    assert_eq!(between.claims, CustomClaims::new());
    paused.go_on.send(()).expect("the change waits");
    done(change.await.expect("no panic").expect("the store"));
    assert!(is_listed(&desk, before.gid) && is_listed(&desk, between.gid));
    let after = granted(refresh(&desk, &between).await);
    assert_eq!((after.claims, is_listed(&desk, after.gid)), (role("viewer"), false));
}

/// A failover undoes a change to other claims. The record no longer shows that change, but tokens with those claims
/// may exist.
#[tokio::test]
async fn claims_that_are_set_again_void_once_more() {
    let (store, desk, alice) = faulty().await;
    log_in(&desk, &alice).await;
    done(desk.set_claims(&alice, role("viewer")).await.expect("the store"));
    let viewer = store.state();
    done(desk.set_claims(&alice, role("admin")).await.expect("the store"));
    let admin = log_in(&desk, &alice).await;
    store.fail_over_records_to(&viewer);
    done(desk.set_claims(&alice, role("viewer")).await.expect("the store"));
    assert!(is_listed(&desk, admin.gid));
    assert_eq!(log_in(&desk, &alice).await.claims, role("viewer"));
}
