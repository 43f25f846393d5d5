//! A published state of the revocation log, and the lists that were signed for this state.

use std::collections::HashMap;
use std::sync::Arc;

use doorlist_verifier::list::LIST_TYPE;
use doorlist_verifier::{Cursor, Error, HandleSet, RevocationList, Seq, UnixSeconds, Verifier};

use super::{Revocations, SignedList};
use crate::domain::{LogSettings, LogView};
use crate::keys::KeyRing;

/// The state that is published now.
pub(super) struct State {
    /// The position of the revocation log in this state.
    pub(super) cursor: Cursor,
    /// The time at which the store confirmed that no entry was missing.
    confirmed_at: UnixSeconds,
    settings: LogSettings,
    /// The keys of this state. The active key signs the lists.
    pub(super) ring: Arc<KeyRing>,
    /// The sequence of the last entry about keys.
    pub(super) last_key_change: Seq,
    /// The signed lists of this state. Each delta is stored under the sequence at which the delta begins. The snapshot
    /// is stored under `None`.
    signed: HashMap<Option<Seq>, Arc<SignedList>>,
}

impl State {
    /// The current state of the revocation log, confirmed at `confirmed_at`.
    pub(super) fn new(log: &LogView, confirmed_at: UnixSeconds, ring: Arc<KeyRing>) -> Self {
        Self {
            cursor: log.position(),
            confirmed_at,
            settings: *log.settings(),
            ring,
            last_key_change: log.last_key_change(),
            signed: HashMap::new(),
        }
    }
}

impl Revocations {
    /// The list from `since` to this state. On the first call the list is signed, and the verifier checks the list.
    /// Later calls return the same list.
    pub(super) fn signed(
        &self,
        state: &mut State,
        verifier: &mut Verifier,
        since: Option<Seq>,
    ) -> Result<Arc<SignedList>, Error> {
        if let Some(list) = state.signed.get(&since) {
            return Ok(Arc::clone(list));
        }
        let cursor = state.cursor;
        // Every request waits while the revocation log is locked. So the handles are only collected here, and are
        // sorted later. Entries after the state's position are included. Such an entry may be part of this state: if
        // the store lost an entry, this node put the entry back with a greater sequence number.
        let revoked: Vec<_> = self.desk.log(|log| log.handles_since(since.unwrap_or(Seq::ZERO)).collect());
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
            revoked: HandleSet::from_handles(revoked),
        };
        let jwt = state.ring.active().sign(LIST_TYPE, list);
        verifier.load(&jwt, self.host_time())?;
        let list = Arc::new(SignedList::new(cursor, jwt));
        state.signed.insert(since, Arc::clone(&list));
        Ok(list)
    }
}
