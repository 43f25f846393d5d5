//! Tests of the desk on the embedded store in memory, with a clock that the test controls.

mod accounts;
mod claims;
mod failures;
mod isolation;
mod lost_writes;
mod promises;
mod revoking;
mod sessions;
mod signed_lists;
mod upkeep;

use std::sync::Arc;
use std::time::Duration;

use doorlist_verifier::{Cursor, Handle, Seq};
use redb::backends::InMemoryBackend;

use super::*;
use crate::domain::{Session, Subject};
use crate::store::EmbeddedStore;
use crate::store::clock::ManualClock;

/// The time at which tests begin: 2026-01-01T00:00:00Z.
pub(super) const START: u64 = 1_767_225_600;
const HEARTBEAT: Duration = Duration::from_secs(10);

/// A desk, its store and its clock.
struct Office {
    desk: Arc<Desk>,
    store: Arc<EmbeddedStore>,
    clock: ManualClock,
}

impl Office {
    async fn new() -> Self {
        Self::with(Limits::default()).await
    }

    async fn with(limits: Limits) -> Self {
        let clock = ManualClock::at(START);
        let store = EmbeddedStore::on(InMemoryBackend::new(), Arc::new(clock.clone()));
        let store = Arc::new(store.expect("a store in memory"));
        let desk = Desk::open(store.clone(), limits, HEARTBEAT).await.expect("a desk");
        Self { desk, store, clock }
    }

    async fn log_in(&self, sub: &Subject) -> Grant {
        log_in(&self.desk, sub).await
    }

    async fn sessions(&self, sub: &Subject) -> Vec<Session> {
        self.desk.subject(sub).await.expect("the store").map(|subject| subject.sessions).unwrap_or_default()
    }

    fn is_listed(&self, handle: Handle) -> bool {
        is_listed(&self.desk, handle)
    }
}

async fn beat(desk: &Arc<Desk>) -> Result<Confirmed, StoreError> {
    Upkeep::new(Arc::clone(desk)).beat().await
}

fn is_listed(desk: &Desk, handle: Handle) -> bool {
    desk.log(|log| log.handles_since(Seq::ZERO).any(|listed| listed == handle))
}

async fn log_in(desk: &Desk, sub: &Subject) -> Grant {
    match desk.open_session(sub, open_for_app(), Proof::Trusted).await.expect("the store") {
        Login::Opened(grant) => grant,
        Login::Refused(refusal) => panic!("no session: {refusal:?}"),
    }
}

fn open_for_app() -> OpenSession {
    OpenSession { client_id: "app".into(), ..OpenSession::default() }
}

fn subject(name: &str) -> Subject {
    name.try_into().expect("a subject")
}

fn token(grant: &Grant) -> RefreshClaims {
    RefreshClaims { sub: grant.sub.clone(), sid: grant.sid, generation: grant.generation }
}

async fn refresh(desk: &Desk, grant: &Grant) -> Refresh {
    desk.refresh(&token(grant), None).await.expect("the store")
}

fn granted(refresh: Refresh) -> Grant {
    match refresh {
        Refresh::Granted(grant) => grant,
        refused => panic!("not granted: {refused:?}"),
    }
}

fn kicked(kick: Kick) -> Cursor {
    match kick {
        Kick::Kicked(position) => position,
        other => panic!("not kicked: {other:?}"),
    }
}
