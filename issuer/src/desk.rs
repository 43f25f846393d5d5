//! The desk: applies the rules of [`crate::domain`] to requests, on top of a [`Store`].
//!
//! Every request on a subject runs the same loop: read the record and then the new entries of the revocation log, heal
//! the record ([`heal`](crate::domain::heal)), run the rule, commit. On a conflict the loop starts over. The desk also
//! keeps the node's [`LogView`], reads new entries with [`Desk::tail`], and proves with [`Desk::beat`] that the store
//! lost nothing. The node needs that proof before it signs a list, and before it answers a refresh that wrote nothing.
//!
//! An `Err` means that the outcome of the request is unknown (503), or that a record is damaged (500).

mod follow_log;
mod heartbeat;
mod introspect;
mod outcome;
mod request;
mod restore;
mod sessions;
mod subjects;
mod transact;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use doorlist_verifier::{Cursor, Handle, UnixSeconds};
use tokio::sync::watch;
use tokio::time::Instant;

pub use self::outcome::{
    Account, Acknowledged, ClaimsChange, Creation, CutoffSet, DamagedSubject, EndSession, KeySwap, Kick,
    Login, Refresh, SubjectDetails, SubjectPage,
};
pub use self::request::{CutoffSessions, PasswordCheck, PasswordVerdict, Proof, RefreshClaims};
pub use crate::domain::login::OpenSession;
pub use crate::domain::{Grant, LoginRefusal, RefreshRefusal};

use crate::domain::{AuditEvent, AuditKind, HandleBlock, Limits, LogSettings, LogView, NewEntry, Subject};
use crate::store::{AuditRow, Commit, Store, StoreError, Version};

/// See the [module](self).
pub struct Desk {
    store: Arc<dyn Store>,
    limits: Limits,
    heartbeat: Duration,
    log: Mutex<LogView>,
    handles: Mutex<HandleBlock>,
    standing: watch::Sender<Confirmed>,
    /// The key ring as last read. If the store loses its key ring, this node puts this copy back.
    ring: Mutex<Option<Vec<u8>>>,
    /// Only one confirmation runs at a time. A caller that waited for a confirmation uses its result.
    confirming: tokio::sync::Mutex<Option<heartbeat::Failure>>,
    /// Only one mending runs at a time.
    mending: tokio::sync::Mutex<restore::Mendings>,
    /// Subjects whose entries were put back, each with the number of the mending. A subject stays here until its
    /// record has been read and healed.
    unfinished: Mutex<HashSet<(u64, Subject)>>,
    /// The search for records that can be deleted continues after this subject.
    sweep: tokio::sync::Mutex<Option<Subject>>,
}

/// The position of the node's copy of the revocation log, and when the store last confirmed that nothing is
/// missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confirmed {
    /// How far the revocation log is known.
    pub position: Cursor,
    /// The store's time of the last confirming write that found nothing missing. A list that is signed now has this
    /// time as its `iat`.
    pub confirmed_at: UnixSeconds,
    /// When that write was sent, by this host's monotonic clock.
    pub confirmed: Instant,
    /// Seconds by which this host's clock differed from the store's clock at that write.
    pub clock_skew_secs: u64,
}

/// The host's clock is wrong, so this node may not sign: the times in tokens and lists would be wrong by the same
/// amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the host's clock differs from the store's by {skew_secs} s; at most {leeway_secs} s are allowed")]
pub struct ClockOff {
    /// The difference in seconds.
    pub skew_secs: u64,
    /// The largest tolerated difference in seconds.
    pub leeway_secs: u64,
}

impl Confirmed {
    /// Whether the confirmation is younger than `heartbeat`. Only then may a list be signed.
    pub fn is_fresh(&self, heartbeat: Duration) -> bool {
        self.confirmed.elapsed() < heartbeat
    }
}

impl Desk {
    /// Raises `retain` to the value that `limits` need, reads the revocation log, confirms the store, and reads and
    /// heals the record of every entry.
    pub async fn open(
        store: Arc<dyn Store>,
        limits: Limits,
        heartbeat: Duration,
    ) -> Result<Arc<Self>, StoreError> {
        let settings = store.settings().await?;
        let needed = LogSettings { retain_secs: limits.retain_secs(), ..settings };
        store.merge_settings(needed).await?;
        let ring = store.keys().await?.map(|(_, ring)| ring);

        let sent = Instant::now();
        let whole = store.log_since(doorlist_verifier::Seq::ZERO).await?;
        let standing = Confirmed {
            position: whole.position(),
            confirmed_at: whole.now,
            confirmed: sent,
            clock_skew_secs: 0,
        };
        let desk = Arc::new(Self {
            store,
            limits,
            heartbeat,
            log: Mutex::new(LogView::new(&whole)),
            handles: Mutex::new(HandleBlock::draw(&mut rand::rng())),
            standing: watch::Sender::new(standing),
            ring: Mutex::new(ring),
            confirming: tokio::sync::Mutex::default(),
            mending: tokio::sync::Mutex::default(),
            unfinished: Mutex::default(),
            sweep: tokio::sync::Mutex::new(None),
        });
        desk.confirm().await?;
        desk.look_at_entries_through(whole.last).await?;
        Ok(desk)
    }

    /// Ends every token. With [`CutoffSessions::End`], also ends every session.
    ///
    /// First waits until the store's clock has reached the previous cut-off, at most one second. Otherwise the new
    /// cut-off would be two seconds ahead of the clock. New tokens would have this cut-off as their `iat`, and a
    /// verifier without leeway would reject them.
    pub async fn cutoff(&self, sessions: CutoffSessions) -> Result<CutoffSet, StoreError> {
        let log = self.store.log_since(self.position().seq).await?;
        let ahead_secs = log.settings.cutoff.secs_since(log.now).min(1);
        tokio::time::sleep(Duration::from_secs(ahead_secs)).await;
        let end_sessions = sessions == CutoffSessions::End;
        let commit = Commit {
            entries: vec![NewEntry::Cutoff { end_sessions }],
            audit: vec![AuditEvent::global(AuditKind::Cutoff)],
            seen: self.position().seq,
            ..Commit::default()
        };
        let position = self.store.commit(commit).await?.position;
        self.catch_up().await?;
        Ok(CutoffSet { cutoff: self.log(|log| log.settings().cutoff), position })
    }

    /// The sealed bytes of the key ring.
    pub async fn keys(&self) -> Result<Option<(Version, Vec<u8>)>, StoreError> {
        let keys = self.store.keys().await?;
        if let Some((_, ring)) = &keys {
            self.remember_ring(ring.clone());
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
        let swapped = self.store.swap_keys(expected, ring.clone(), entries, seen).await?;
        if !swapped.swapped {
            return Ok(KeySwap::Conflict);
        }
        self.remember_ring(ring);
        self.tell_at_once().await;
        Ok(KeySwap::Swapped(swapped.position))
    }

    /// The newest audit events, newest first. If `before` is given, only events with a smaller number are returned.
    pub async fn audit(&self, before: Option<u64>, limit: usize) -> Result<Vec<AuditRow>, StoreError> {
        self.store.audit(before, limit).await
    }

    /// Runs `look` on the node's copy of the revocation log. `look` must be short, because every request waits while
    /// it runs.
    pub fn log<R>(&self, look: impl FnOnce(&LogView) -> R) -> R {
        look(&lock(&self.log))
    }

    /// Why the store cannot answer now, if this is known.
    pub fn store_failure(&self) -> Option<StoreError> {
        self.store.failure()
    }

    /// Whether this node may sign: the node's clock must have agreed with the store's clock at the last confirmation.
    pub fn check_clock(&self) -> Result<(), ClockOff> {
        let (skew_secs, leeway_secs) = (self.last_confirmed().clock_skew_secs, self.limits.leeway_secs);
        if skew_secs > leeway_secs { Err(ClockOff { skew_secs, leeway_secs }) } else { Ok(()) }
    }

    /// The limits that the rules apply.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// How long a confirmation is valid.
    pub fn heartbeat(&self) -> Duration {
        self.heartbeat
    }

    fn remember_ring(&self, ring: Vec<u8>) {
        *lock(&self.ring) = Some(ring);
    }

    /// Draws a handle that was never used before.
    fn draw(&self) -> Handle {
        let rng = &mut rand::rng();
        let mut block = lock(&self.handles);
        loop {
            if let Some(handle) = block.take(rng) {
                return handle;
            }
            *block = HandleBlock::draw(rng);
        }
    }
}

/// Locks `mutex` even after a panic. If code panics while it holds such a lock, the locked state is still complete.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
