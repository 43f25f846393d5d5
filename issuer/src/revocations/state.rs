//! A published state of the log, and the lists that were signed of it.

use std::collections::HashMap;
use std::sync::Arc;

use doorlist_verifier::list::LIST_TYPE;
use doorlist_verifier::{Cursor, Error, Handle, HandleSet, RevocationList, Seq, UnixSeconds, Verifier};

use super::{Revocations, SignedList};
use crate::domain::log::Appended;
use crate::domain::{LogView, Settings};
use crate::keys::KeyRing;

/// What is published now.
pub(super) struct State {
    /// As far as the log went.
    pub(super) cursor: Cursor,
    /// When the store confirmed that nothing is missing.
    confirmed_at: UnixSeconds,
    settings: Settings,
    /// The keys of then; its active one signs.
    pub(super) ring: Arc<KeyRing>,
    /// The last entry about keys.
    pub(super) last_key_change: Seq,
    /// By where they begin, `None` for the snapshot.
    signed: HashMap<Option<Seq>, Arc<SignedList>>,
}

impl State {
    /// The log as it stands, on the proof of `confirmed_at`.
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
    /// The list from `since` to what is current, signed once and checked by the verifier.
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
        // Sorted after the look: every request waits during it.
        let revoked: Vec<_> = self.desk.log(|log| handles(log, since, cursor.seq).collect());
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

/// Handles revoked after `since`, up to and with `through`.
fn handles(log: &LogView, since: Option<Seq>, through: Seq) -> impl Iterator<Item = Handle> {
    let entries = log.since(since.unwrap_or(Seq::ZERO)).take_while(move |entry| entry.seq <= through);
    entries.filter_map(|entry| match &entry.entry {
        Appended::Revoked(revoked) => Some(revoked.handle()),
        _ => None,
    })
}
