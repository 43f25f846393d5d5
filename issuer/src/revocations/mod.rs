//! The node's live revocation list: signed once a change, the same bytes to all.
//!
//! [`Revocations::publish`] takes the log as it stands, signs a delta from what was published before, lets the
//! real verifier check it, and only then shows it to anybody. Snapshots and older deltas of the same state are
//! signed when first asked for. While the store does not confirm that nothing is missing, nothing new is
//! published; what was published stays true of its `iat` and is served on.

mod cuts;
mod follow;
mod signed;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use doorlist_verifier::list::LIST_TYPE;
use doorlist_verifier::{
    Cursor, Error, Handle, HandleSet, HostTime, Jwks, Options, RevocationList, Seq, UnixSeconds, Verified,
    Verifier,
};
use tokio::sync::broadcast;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::clock::host_time;
use crate::desk::{Desk, Standing};
use crate::domain::log::Appended;
use crate::domain::{LogView, Settings};
use crate::keys::{KeyRing, Keys, KeysError};
use cuts::CutPoints;

pub use follow::Follower;
pub use signed::SignedList;

/// Lists that may wait for one subscriber; whoever is further behind is dropped, and returns with its cursor.
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
    news: broadcast::Sender<Arc<SignedList>>,
}

struct Held {
    /// Loaded everything that was published, as any other verifier.
    verifier: Verifier,
    /// As far as the log was looked at; may be ahead of `state`.
    cuts: CutPoints,
    /// `None` until the first list is signed.
    state: Option<State>,
    /// Why the last attempt to publish failed, if it did.
    trouble: Option<String>,
}

/// What is published now.
struct State {
    cursor: Cursor,
    confirmed_at: UnixSeconds,
    settings: Settings,
    ring: Arc<KeyRing>,
    last_key_change: Seq,
    /// By where they begin, `None` for the snapshot.
    signed: HashMap<Option<Seq>, Arc<SignedList>>,
}

/// Why there is no new list.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The store, or the key ring in it, cannot be read.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The host's clock is off: a list would be wrong by as much.
    #[error("the host's clock differs from the store's by {skew_secs} s, {leeway_secs} s are tolerated")]
    Clock {
        /// By how much.
        skew_secs: u64,
        /// What is tolerated.
        leeway_secs: u64,
    },
    /// The verifier refused what would have been published.
    #[error("a list was not published, since the verifier refuses it: {0}")]
    Refused(#[from] Error),
}

/// What a holder of some list is given next.
#[derive(Debug, Clone)]
pub enum Next {
    /// This list.
    List(Arc<SignedList>),
    /// Nothing: it holds more than this node knows of.
    Ahead,
}

impl Revocations {
    /// A list for verifiers of `issuer`, renewed every `ttl`.
    ///
    /// # Errors
    ///
    /// [`Error`] if the verifier takes neither the issuer nor the keys.
    pub fn new(desk: Arc<Desk>, keys: Arc<Keys>, issuer: &str, ttl: Duration) -> Result<Self, Error> {
        let mut verifier = Verifier::new(Options { cache_size: 0, ..Options::new(issuer, None) })?;
        verifier.add_jwks(&serde_json::to_string(&keys.ring().jwks()).expect("a key set is JSON"))?;
        let cuts = desk.log(|log| CutPoints::new(log.position().epoch, log.floor()));
        Ok(Self {
            issuer: issuer.to_owned(),
            ttl,
            leeway_secs: desk.limits().leeway_secs,
            desk,
            keys,
            started: Instant::now(),
            held: Mutex::new(Held { verifier, cuts, state: None, trouble: None }),
            news: broadcast::Sender::new(BACKLOG),
        })
    }

    /// Publishes whatever is new, and at least a heartbeat every `ttl`, until dropped. Run once.
    pub async fn run(&self) {
        let mut standing = self.desk.watch();
        let mut heartbeat = interval_at(Instant::now() + self.ttl, self.ttl);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                changed = standing.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let position = standing.borrow_and_update().position;
                    if self.position() == Some(position) {
                        continue;
                    }
                }
                _ = heartbeat.tick() => {}
            }
            self.publish().await;
        }
    }

    /// Signs and shows the log as it stands, once the store confirmed that nothing is missing. On failure, what
    /// was published before stays, and [`Self::trouble`] says why.
    pub async fn publish(&self) {
        let trouble = self.try_publish().await.err();
        if let Some(error) = &trouble {
            tracing::error!(%error, "no new revocation list");
        }
        self.held().trouble = trouble.map(|error| error.to_string());
    }

    async fn try_publish(&self) -> Result<(), PublishError> {
        let standing = self.desk.confirmed().await.map_err(KeysError::from)?;
        if standing.clock_skew_secs > self.leeway_secs {
            let (skew_secs, leeway_secs) = (standing.clock_skew_secs, self.leeway_secs);
            return Err(PublishError::Clock { skew_secs, leeway_secs });
        }
        loop {
            // Read before the ring is: a change after it is seen by `advance`, and the ring is read again.
            let key_change = self.desk.log(LogView::last_key_change);
            if self.held().state.as_ref().is_none_or(|state| state.last_key_change != key_change) {
                self.keys.reload().await?;
            }
            self.keys.expire(store_time(&standing)).await?;
            if self.advance(&standing, key_change)? {
                return Ok(());
            }
        }
    }

    /// Moves on to the log as it is. False: the keys have changed meanwhile, and must be read again.
    fn advance(&self, standing: &Standing, key_change: Seq) -> Result<bool, Error> {
        let mut held = self.held();
        let Held { verifier, cuts, state: shown, .. } = &mut *held;
        let mut state = self.desk.log(|log| {
            cuts.follow(log);
            State {
                cursor: log.position(),
                confirmed_at: standing.confirmed_at,
                settings: *log.settings(),
                ring: self.keys.ring(),
                last_key_change: log.last_key_change(),
                signed: HashMap::new(),
            }
        });
        if state.last_key_change != key_change {
            return Ok(false);
        }
        let before = shown.as_ref().map(|shown| shown.cursor);
        let since = before.filter(|before| before.epoch == state.cursor.epoch).map(|before| before.seq);
        let list = self.signed(&mut state, verifier, since)?;
        *shown = Some(state);
        // While `held` is locked, so that a subscriber gets this list as its first or as news, never as neither.
        let _nobody_listens = self.news.send(list);
        Ok(true)
    }

    /// The list from `since` to what is current, signed once and checked by the verifier.
    fn signed(
        &self,
        state: &mut State,
        verifier: &mut Verifier,
        since: Option<Seq>,
    ) -> Result<Arc<SignedList>, Error> {
        if let Some(list) = state.signed.get(&since) {
            return Ok(Arc::clone(list));
        }
        let cursor = state.cursor;
        let revoked = self.desk.log(|log| HandleSet::from_handles(handles(log, since, cursor.seq)));
        let crosses_key_change = since.is_none_or(|since| since < state.last_key_change);
        let list = RevocationList {
            issuer: self.issuer.clone(),
            issued_at: state.confirmed_at,
            ttl_secs: self.ttl.as_secs(),
            retain_secs: state.settings.retain_secs,
            leeway_secs: self.leeway_secs,
            epoch: cursor.epoch,
            seq: cursor.seq,
            since,
            cutoff: state.settings.cutoff,
            jwks: crosses_key_change.then(|| state.ring.jwks()),
            revoked,
        };
        let jwt = state.ring.active().sign(LIST_TYPE, list);
        verifier.load(&jwt, self.host_time())?;
        let list = Arc::new(SignedList::new(cursor, jwt));
        state.signed.insert(since, Arc::clone(&list));
        Ok(list)
    }

    /// What a holder of `held` lacks: a snapshot, or a delta that reaches back at least so far. `None` as long as
    /// nothing was signed since the start.
    ///
    /// # Errors
    ///
    /// [`Error`] if the verifier refuses the list, which is then not shown.
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

    /// Checks an access token as any verifier of this issuer would that is in step with this node.
    ///
    /// # Errors
    ///
    /// See [`Verifier::verify`]; [`Error::ListMissing`] as long as nothing was signed since the start.
    pub fn verify(&self, token: &str) -> Result<Verified, Error> {
        self.held().verifier.verify(token, self.host_time())
    }

    /// The keys that the published list trusts: whoever asks for both between a change of keys and its publication
    /// gets two that fit.
    pub fn jwks(&self) -> Jwks {
        let published = self.held().state.as_ref().map(|state| state.ring.jwks());
        published.unwrap_or_else(|| self.keys.ring().jwks())
    }

    /// Where the published list stands.
    pub fn position(&self) -> Option<Cursor> {
        self.held().state.as_ref().map(|state| state.cursor)
    }

    /// Why this node is not fit to be asked, if it is not: the list it has may be served, but it signs none.
    pub fn trouble(&self) -> Option<String> {
        let held = self.held();
        if !self.desk.standing().is_fresh(self.ttl) {
            return Some(
                "the store has not confirmed within the heartbeat that nothing is missing".to_owned(),
            );
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

    /// A failure changes nothing in there, so what a poisoned lock holds is whole.
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Handles revoked after `since`, up to and with `through`.
fn handles(log: &LogView, since: Option<Seq>, through: Seq) -> impl Iterator<Item = Handle> {
    let entries = log.since(since.unwrap_or(Seq::ZERO)).take_while(move |entry| entry.seq <= through);
    entries.filter_map(|entry| match &entry.entry {
        Appended::Revoked(revoked) => Some(revoked.handle()),
        _ => None,
    })
}

/// The store's time now, by the last confirmation and the time since.
pub fn store_time(standing: &Standing) -> UnixSeconds {
    standing.confirmed_at.plus_secs(standing.confirmed.elapsed().as_secs())
}
