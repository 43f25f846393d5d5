//! Tests of the lists that a node signs after a failover, before the node has healed all records.

use doorlist_verifier::{Options, Verifier};

use super::*;
use crate::clock::host_time;
use crate::keys::Keys;
use crate::revocations::{Next, Revocations};
use crate::secret::MasterSecrets;
use crate::testing::simulated_store::SimulatedStore;
use crate::testing::{ISSUER, SECRET, now};

/// A node that signs lists. Its store has the host's time, because otherwise the node would sign nothing.
struct Signer {
    store: Arc<SimulatedStore>,
    clock: ManualClock,
    desk: Arc<Desk>,
    list: Revocations,
}

impl Signer {
    async fn new() -> Self {
        let clock = ManualClock::at(host_time().as_secs());
        let store = Arc::new(SimulatedStore::new(clock.clone()));
        let desk = desk_on(&store).await;
        let secrets = MasterSecrets::parse(SECRET).expect("a secret");
        let keys = Keys::open(desk.clone(), secrets, desk.last_confirmed().confirmed_at).await.expect("keys");
        let list = Revocations::new(desk.clone(), Arc::new(keys), ISSUER, HEARTBEAT).expect("a list");
        Self { store, clock, desk, list }
    }

    /// The number of entries that a new verifier has after it has loaded the list.
    fn listed(&self) -> usize {
        let Ok(Some(Next::List(list))) = self.list.next(None) else { panic!("no list") };
        let mut verifier = Verifier::new(Options::new(ISSUER, None)).expect("options");
        let jwks = serde_json::to_string(&self.list.jwks()).expect("JSON");
        verifier.add_jwks(&jwks).expect("keys");
        let jwt = String::from_utf8(list.jwt().to_vec()).expect("text");
        verifier.load(&jwt, now()).expect("a list").entries
    }
}

async fn desk_on(store: &Arc<SimulatedStore>) -> Arc<Desk> {
    Desk::open(store.clone(), Limits::default(), HEARTBEAT).await.expect("a desk")
}

/// Trace 59: node A voids a subject's tokens, and a token is issued in the next group. A failover loses both writes.
/// Node B kicks the subject. Then a request at node A puts the void back. Until the record is healed, the revocation
/// log does not name the next group. If a list were signed in this state, verifiers with this list would accept the
/// token, although the kick was acknowledged.
#[tokio::test]
async fn trace_59_no_list_is_signed_between_restoring_and_healing() {
    let a = Signer::new().await;
    let b = desk_on(&a.store).await;
    let alice = log_in(&a.desk, &subject("alice")).await;
    beat(&b).await.expect("a beat");
    let before = a.store.state();
    a.desk.void(&alice.sub).await.expect("the store");
    let lost = granted(refresh(&a.desk, &alice).await);
    a.clock.advance(1);
    a.store.fail_over_to(before);
    let kick = kicked(b.kick(&alice.sub, None).await.expect("the store"));

    log_in(&a.desk, &subject("bob")).await;
    let last = a.desk.last_confirmed();
    assert!(last.is_fresh(HEARTBEAT) && last.position.seq > kick.seq && is_listed(&a.desk, alice.gid));
    assert!(!is_listed(&a.desk, lost.gid), "the record is not healed yet");
    assert_eq!(a.desk.log_if_finished(LogView::position), None);
    a.list.publish().await;
    assert_eq!(a.listed(), 2, "the group of the login and the group of the lost void");
    assert_eq!(a.desk.log_if_finished(LogView::position), a.list.position());
}

/// Trace 60: a list with a kick is published as a delta. A failover loses the kick, and the node puts it back with a
/// greater sequence number. Then, before the next list is published, a new verifier requests the snapshot of the
/// published state.
#[tokio::test]
async fn trace_60_a_snapshot_of_the_published_state_names_an_entry_that_was_restored_since() {
    let a = Signer::new().await;
    let alice = log_in(&a.desk, &subject("alice")).await;
    a.list.publish().await;
    let before = a.store.state();
    let kick = kicked(a.desk.kick(&alice.sub, None).await.expect("the store"));
    a.list.publish().await;
    a.clock.advance(1);
    a.store.fail_over_to(before);
    log_in(&a.desk, &subject("bob")).await;
    assert!(a.desk.last_confirmed().position.seq > kick.seq, "the kick is restored");
    assert_eq!(a.list.position(), Some(kick));
    assert_eq!(a.listed(), 1);
}
