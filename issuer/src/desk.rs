//! The desk: applies the rules of [`crate::domain`] to requests, on top of a [`Store`].
//!
//! Every request on a subject runs the same loop: read the record and then the new entries of the revocation log, heal
//! the record ([`heal`](crate::domain::heal)), run the rule, commit. On a conflict the loop starts over. The node keeps
//! a [copy](LogView) of the revocation log, and proves with [`Desk::confirmed`] that the store lost nothing. The node
//! needs that proof before it signs a list, and before it answers a refresh that wrote nothing.
//!
//! Four types own the state of the desk. In this chain, a type uses only the types to its right:
//!
//! [`Upkeep`] → [`Desk`] → `Records` → `LogCopy`
//!
//! - [`Upkeep`]: the background work: follow, confirm, trim, delete.
//! - [`Desk`]: the requests, and the confirmations that they wait for.
//! - `Records`: the loop around a rule, and healing.
//! - `LogCopy`: the copy of the revocation log. It puts lost entries back and notes their subjects; it heals no record.
//!
//! An `Err` means that the outcome of the request is unknown (503), or that a record is damaged (500).

mod actor;
mod confirming;
mod introspect;
mod log_copy;
mod outcome;
mod records;
mod request;
mod sessions;
mod subjects;
mod upkeep;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use doorlist_verifier::{Cursor, Handle};
use tokio::sync::watch;

pub use self::actor::acting;
pub use self::log_copy::Confirmed;
pub use self::outcome::{
    Account, Acknowledged, ClaimsChange, Creation, CutoffSet, DamagedSubject, EndSession, KeySwap, Kick,
    Login, Refresh, SubjectDetails, SubjectPage,
};
pub use self::request::{CutoffSessions, PasswordCheck, PasswordVerdict, Proof, RefreshClaims};
pub use self::upkeep::Upkeep;
pub use crate::domain::login::OpenSession;
pub use crate::domain::{Grant, LoginRefusal, RefreshRefusal};

use self::actor::by_actor;
use self::log_copy::LogCopy;
use self::records::{Healing, Records, random_handles};
use crate::domain::{AuditEvent, AuditKind, Limits, LogView, NewEntry};
use crate::store::{AuditRow, Commit, Store, StoreError, Version};

/// See the [module](self).
pub struct Desk {
    records: Records,
    heartbeat: Duration,
    /// Only one confirmation runs at a time. If a caller waited for a confirmation, the caller uses the result of that
    /// confirmation.
    confirming: tokio::sync::Mutex<Option<confirming::Failure>>,
}

/// The host's clock is wrong, so this node must not sign: the times in tokens and lists would be wrong by the same
/// amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the host's clock differs from the store's by {skew_secs} s; at most {leeway_secs} s are allowed")]
pub struct ClockOff {
    /// The difference in seconds.
    pub skew_secs: u64,
    /// The largest tolerated difference in seconds.
    pub leeway_secs: u64,
}

impl Desk {
    /// Raises `retain` to the value that the limits require, reads the revocation log, confirms the store, and heals
    /// the record of every subject that has an entry.
    pub async fn open(
        store: Arc<dyn Store>,
        limits: Limits,
        heartbeat: Duration,
    ) -> Result<Arc<Self>, StoreError> {
        Self::open_with(store, limits, heartbeat, random_handles()).await
    }

    /// Like [`Self::open`], but draws new handles from `handles`. This is for the model, whose searches must be
    /// repeatable. In service, handles must not be predictable.
    #[doc(hidden)]
    pub async fn open_with(
        store: Arc<dyn Store>,
        limits: Limits,
        heartbeat: Duration,
        handles: Box<dyn FnMut() -> Handle + Send>,
    ) -> Result<Arc<Self>, StoreError> {
        let log_copy = LogCopy::read(Arc::clone(&store), limits.retain_secs()).await?;
        let last = log_copy.position().seq;
        let records = Records::new(log_copy, store, limits, handles);
        let desk = Arc::new(Self { records, heartbeat, confirming: tokio::sync::Mutex::default() });
        desk.confirm().await?;
        desk.records.heal_all(desk.log(|log| log.subjects_through(last)), Healing::Early).await?;
        Ok(desk)
    }

    /// Ends every token. With [`CutoffSessions::End`], also ends every session.
    ///
    /// First waits until the store's clock has reached the previous cut-off, at most one second. Otherwise the new
    /// cut-off would be two seconds ahead of the clock. New tokens would have this cut-off as their `iat`, and a
    /// verifier without leeway would reject these tokens.
    pub async fn cutoff(&self, sessions: CutoffSessions) -> Result<CutoffSet, StoreError> {
        let store = &self.records.store;
        let log = store.log_since(self.position().seq).await?;
        let ahead_secs = log.settings.cutoff.secs_since(log.now).min(1);
        tokio::time::sleep(Duration::from_secs(ahead_secs)).await;
        let end_sessions = sessions == CutoffSessions::End;
        let commit = Commit {
            entries: vec![NewEntry::Cutoff { end_sessions }],
            audit: by_actor(vec![AuditEvent::global(AuditKind::Cutoff)]),
            seen: self.position().seq,
            ..Commit::default()
        };
        let position = store.commit(commit).await?.position;
        self.catch_up().await?;
        Ok(CutoffSet { cutoff: self.log(|log| log.settings().cutoff), position })
    }

    /// The sealed bytes of the key ring.
    pub async fn keys(&self) -> Result<Option<(Version, Vec<u8>)>, StoreError> {
        let keys = self.records.store.keys().await?;
        if let Some((_, ring)) = &keys {
            self.records.log_copy.remember_ring(ring.clone());
        }
        Ok(keys)
    }

    /// Swaps the key ring. Appends an entry to the revocation log for each key that was added or removed.
    pub async fn swap_keys(
        &self,
        expected: Option<Version>,
        ring: Vec<u8>,
        changed_kids: &[String],
    ) -> Result<KeySwap, StoreError> {
        let entries = changed_kids.iter().map(|kid| NewEntry::Key { kid: kid.clone() }).collect();
        let seen = self.position().seq;
        let swapped = self.records.store.swap_keys(expected, ring.clone(), entries, seen).await?;
        if !swapped.swapped {
            return Ok(KeySwap::Conflict);
        }
        self.records.log_copy.remember_ring(ring);
        if actor::is_known() {
            self.note_keys_changed().await;
        }
        // The new entries are read now, so that this node's verifiers learn of the change at once. If the reading
        // fails, the change is still stored, and the background task that follows the revocation log will read it
        // later.
        if let Err(error) = self.catch_up().await {
            tracing::warn!(%error, "the revocation log cannot be read");
        }
        Ok(KeySwap::Swapped(swapped.position))
    }

    /// The key ring is stored apart from the audit, so the event is written after the change. The change is valid even if
    /// the event cannot be written.
    async fn note_keys_changed(&self) {
        let audit = by_actor(vec![AuditEvent::global(AuditKind::KeysChanged)]);
        let commit = Commit { audit, seen: self.position().seq, ..Commit::default() };
        if let Err(error) = self.records.store.commit(commit).await {
            tracing::warn!(%error, "an event is missing in the audit");
        }
    }

    /// The newest audit events, newest first. If `before` is given, only events with a smaller number are returned.
    pub async fn audit(&self, before: Option<u64>, limit: usize) -> Result<Vec<AuditRow>, StoreError> {
        self.records.store.audit(before, limit).await
    }

    /// Runs `look` on the node's copy of the revocation log. `look` must return quickly, because every request waits
    /// while it runs.
    pub fn log<R>(&self, look: impl FnOnce(&LogView) -> R) -> R {
        self.records.log_copy.view(look)
    }

    /// Like [`Self::log`], but returns `None` if entries were put back and the records of their subjects have not been
    /// healed yet. In this case the node must not sign a list: healing can append further entries, and the list would
    /// lack them (trace 59).
    pub fn log_if_finished<R>(&self, look: impl FnOnce(&LogView) -> R) -> Option<R> {
        self.records.log_copy.view_if_finished(look)
    }

    /// The position of this node's copy of the revocation log, and the time of the last confirmation.
    pub fn last_confirmed(&self) -> Confirmed {
        self.records.log_copy.last_confirmed()
    }

    /// Reports every change of [`Self::last_confirmed`]: new entries of the revocation log, and confirmations.
    pub fn watch(&self) -> watch::Receiver<Confirmed> {
        self.records.log_copy.watch()
    }

    /// Waits until this node's copy holds everything up to `position`. Returns at once if the epoch of the copy is not
    /// the epoch of `position`.
    pub async fn reached(&self, position: Cursor) {
        let there = |confirmed: &Confirmed| {
            confirmed.position.epoch != position.epoch || confirmed.position.seq >= position.seq
        };
        // This wait fails only if the desk was dropped.
        drop(self.watch().wait_for(there).await);
    }

    /// Reads the store's entries that are newer than this node's copy.
    pub async fn catch_up(&self) -> Result<(), StoreError> {
        self.records.log_copy.catch_up().await
    }

    /// Why the store cannot answer now, if this is known.
    pub fn store_failure(&self) -> Option<StoreError> {
        self.records.store.failure()
    }

    /// Whether this node is allowed to sign: the node's clock must have agreed with the store's clock at the last
    /// confirmation.
    pub fn check_clock(&self) -> Result<(), ClockOff> {
        let (skew_secs, leeway_secs) =
            (self.last_confirmed().clock_skew_secs, self.records.limits.leeway_secs);
        if skew_secs > leeway_secs { Err(ClockOff { skew_secs, leeway_secs }) } else { Ok(()) }
    }

    /// The limits that the rules apply.
    pub fn limits(&self) -> &Limits {
        &self.records.limits
    }

    /// How long a confirmation is valid.
    pub fn heartbeat(&self) -> Duration {
        self.heartbeat
    }

    fn position(&self) -> Cursor {
        self.records.log_copy.position()
    }
}

/// Locks `mutex` even after a panic. If a thread panicked while it held the lock, the locked state is still complete.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
