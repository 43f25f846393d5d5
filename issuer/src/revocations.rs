//! The node's live revocation list. Each change is signed once, and all clients get the same bytes.
//!
//! [`Revocations::publish`] reads the current revocation log and signs a delta from the last published state. Clients
//! get this delta only after the real verifier has accepted the delta. The snapshot and the other deltas of the same
//! state are signed on the first request.
//!
//! A new list is published only if the store has confirmed that no entry is missing. Without a confirmation, clients
//! still get the last published list, because that list was complete at its `iat`.

mod delta_starts;
mod follow;
mod publish;
mod signed;
mod state;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use doorlist_verifier::{Cursor, Error, HostTime, Jwks, Options, PublicKey, UnixSeconds, Verified, Verifier};
use tokio::sync::broadcast;
use tokio::time::Instant;

use crate::clock::host_time;
use crate::desk::{Confirmed, Desk};
use crate::keys::Keys;
use delta_starts::CutPoints;
use state::State;

pub use follow::Follower;
pub use publish::PublishError;
pub use signed::SignedList;

/// Maximum number of lists that wait for one subscriber. If more lists wait, the subscriber is dropped. The client then
/// reconnects with its cursor.
const BACKLOG: usize = 64;

/// See the [module](self).
pub struct Revocations {
    desk: Arc<Desk>,
    keys: Arc<Keys>,
    issuer: String,
    ttl: Duration,
    leeway_secs: u64,
    started: Instant,
    held: Mutex<Held>,
    /// Only one list is published at a time. Otherwise a list with an older confirmation could follow a list with a
    /// newer confirmation, and verifiers would see a rollback.
    publishing: tokio::sync::Mutex<()>,
    news: broadcast::Sender<Arc<SignedList>>,
}

struct Held {
    /// A verifier that loads every published list. The verifiers of clients do the same.
    verifier: Verifier,
    /// The cut points, as of the last read of the revocation log. Some cut points may be newer than `state`.
    cuts: CutPoints,
    /// `None` until the first list is signed.
    state: Option<State>,
    /// Why the last attempt to publish failed, if it failed.
    trouble: Option<String>,
}

/// The next answer for a client.
#[derive(Debug, Clone)]
pub enum Next {
    /// Send this list.
    List(Arc<SignedList>),
    /// Send nothing: the client's cursor is ahead of this node.
    Ahead,
}

impl Revocations {
    /// Prepares the list for verifiers of `issuer`. A new list is signed at least once every `ttl`.
    ///
    /// # Errors
    ///
    /// [`Error`] if the verifier rejects the issuer or the keys.
    pub fn new(desk: Arc<Desk>, keys: Arc<Keys>, issuer: &str, ttl: Duration) -> Result<Self, Error> {
        let mut verifier = Verifier::new(Options { cache_size: 0, ..Options::new(issuer, None) })?;
        verifier.add_jwks(&key_set(keys.ring().jwks().keys))?;
        let cuts = desk.log(|log| CutPoints::new(log.position().epoch, log.floor()));
        Ok(Self {
            issuer: issuer.to_owned(),
            ttl,
            leeway_secs: desk.limits().leeway_secs,
            desk,
            keys,
            started: Instant::now(),
            held: Mutex::new(Held { verifier, cuts, state: None, trouble: None }),
            publishing: tokio::sync::Mutex::new(()),
            news: broadcast::Sender::new(BACKLOG),
        })
    }

    /// The list for a client with the cursor `held`: a snapshot, or a delta that begins at or before `held`. `None` if
    /// this node has not signed a list yet.
    ///
    /// # Errors
    ///
    /// [`Error`] if the verifier refuses the list. In this case the client does not get the list.
    pub fn next(&self, held: Option<Cursor>) -> Result<Option<Next>, Error> {
        self.next_for(&mut self.held(), held)
    }

    fn next_for(&self, held: &mut Held, cursor: Option<Cursor>) -> Result<Option<Next>, Error> {
        let Held { verifier, cuts, state: Some(state), .. } = held else { return Ok(None) };
        let cursor = cursor.filter(|cursor| cursor.epoch == state.cursor.epoch);
        if cursor.is_some_and(|cursor| cursor.seq > state.cursor.seq) {
            return Ok(Some(Next::Ahead));
        }
        let since =
            cursor.filter(|cursor| cursor.seq >= state.last_key_change).and_then(|cursor| cuts.cut(cursor));
        self.signed(state, verifier, since).map(|list| Some(Next::List(list)))
    }

    /// Checks an access token in the same way as a verifier that holds this node's current list.
    ///
    /// # Errors
    ///
    /// See [`Verifier::verify`]. [`Error::ListMissing`] if this node has not signed a list yet.
    pub fn verify(&self, token: &str) -> Result<Verified, Error> {
        self.held().verifier.verify(token, self.host_time())
    }

    /// The keys that the published list trusts. Even if the latest key change is not published yet, a client that
    /// fetches the keys and the list gets the same keys from both.
    pub fn jwks(&self) -> Jwks {
        let published = self.held().state.as_ref().map(|state| state.ring.jwks());
        published.unwrap_or_else(|| self.keys.ring().jwks())
    }

    /// The position of the published list.
    pub fn position(&self) -> Option<Cursor> {
        self.held().state.as_ref().map(|state| state.cursor)
    }

    /// The reason why this node is not ready; `None` if it is ready. A node that is not ready can still serve its last
    /// list, but it signs no new list.
    pub fn trouble(&self) -> Option<String> {
        if let Some(failure) = self.desk.store_failure() {
            return Some(failure.to_string());
        }
        let held = self.held();
        if !self.desk.last_confirmed().is_fresh(self.ttl) {
            let secs = self.ttl_secs();
            return Some(format!(
                "the store has not confirmed for more than {secs} s that no write is missing"
            ));
        }
        match &held.trouble {
            None if held.state.is_none() => Some("no revocation list is signed yet".to_owned()),
            trouble => trouble.clone(),
        }
    }

    /// Seconds until a verifier should have a newer list.
    pub fn ttl_secs(&self) -> u64 {
        self.ttl.as_secs()
    }

    fn host_time(&self) -> HostTime {
        HostTime { wall: host_time(), monotonic: self.started.elapsed() }
    }

    /// Locks the state, even if a thread panicked while it held the lock. A step that fails does not change the
    /// state, so the state is complete.
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key_set(keys: impl Into<Vec<PublicKey>>) -> String {
    serde_json::to_string(&Jwks { keys: keys.into() }).expect("a key set is JSON")
}

/// The store's current time: the time of the last confirmation plus the seconds that have passed after it.
pub fn store_time(last: &Confirmed) -> UnixSeconds {
    last.confirmed_at.plus_secs(last.confirmed.elapsed().as_secs())
}
