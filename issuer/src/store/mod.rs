//! The operations that every backend must provide, and no more: the rules exist only once, in [`crate::domain`].
//!
//! All times here are from the store's own clock, in whole seconds. The store also chooses the sequence numbers.

pub mod clock;
#[cfg(test)]
pub(crate) mod contract;
pub mod embedded;
#[cfg(test)]
pub(crate) mod faulty;
pub mod redis;

use async_trait::async_trait;
use doorlist_verifier::{Cursor, Seq, UnixSeconds};
use serde::{Deserialize, Serialize};

pub use embedded::EmbeddedStore;
pub use redis::RedisStore;

use crate::domain::{AuditEvent, Durability, LogPage, NewEntry, Record, Settings, Subject};

/// Identifies one stored state of a record or of the key ring. A swap names the version it was decided on.
///
/// A version is never used twice for the same name: not when a record is forgotten and made again, and not when
/// another master takes over. A version that was read on the old master must not match on the new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version(pub u64);

/// Why a store did not do what it was asked to do. Except after [`StoreError::Corrupt`], it is not known whether a
/// write took place, so the answer to the client is 503.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The backend cannot be reached, or cannot do the work now. A later attempt may succeed.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// Like `Unavailable`, but during the start, with the address or file that was tried.
    #[error("the store is unavailable: {place}: {reason}")]
    Away {
        /// The address or the file, for operators.
        place: String,
        /// The reason, without the place.
        reason: String,
    },
    /// The backend refuses because of a login, a permission, its version or its configuration. Every attempt fails
    /// until an operator changes that, or a setting.
    #[error("the store is unavailable: {0}")]
    Misconfigured(String),
    /// The stored data is damaged or was not written by an issuer. It was left unchanged.
    #[error("what is stored in {place} cannot be read: {reason}")]
    Corrupt {
        /// The table and the key.
        place: String,
        /// The reason why the data cannot be read.
        reason: String,
    },
}

impl StoreError {
    /// Whether a later attempt may succeed without a change by an operator.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Away { .. })
    }

    /// The reason without addresses and files, which only operators may see.
    pub fn reason(&self) -> &str {
        match self {
            Self::Unavailable(reason)
            | Self::Away { reason, .. }
            | Self::Misconfigured(reason)
            | Self::Corrupt { reason, .. } => reason,
        }
    }
}

/// A subject's record and the new entries of the revocation log. The revocation log is read after the record.
#[derive(Debug, Clone)]
pub struct Reading {
    /// The record, if the subject has one.
    pub record: Option<(Version, Record)>,
    /// The entries after the caller's sequence number, ascending.
    pub news: LogPage,
}

/// The records of several subjects and the new entries of the revocation log. The revocation log is read after all
/// records.
#[derive(Debug)]
pub struct Readings {
    /// In the order of the subjects. A record that cannot be read does not affect the others.
    pub records: Vec<Result<Option<(Version, Record)>, StoreError>>,
    /// The entries after the caller's sequence number, ascending.
    pub news: LogPage,
}

/// A change to write: first the entries are appended, then the record is swapped, then the audit events are written.
#[derive(Debug, Clone, Default)]
pub struct Commit {
    /// Appended even if the swap fails. (The embedded store does both or neither.)
    pub entries: Vec<NewEntry>,
    /// The record that replaces the one that was read.
    pub swap: Option<Swap>,
    /// Audit events: what happened, for people.
    pub audit: Vec<AuditEvent>,
    /// The last sequence number that the caller knows. New ones are above it.
    pub seen: Seq,
    /// Where the change must be stored before the caller is answered.
    pub durability: Durability,
}

/// One compare-and-swap of one record.
#[derive(Debug, Clone)]
pub struct Swap {
    /// The subject of the record.
    pub sub: Subject,
    /// The version on which the swap was decided. `None` if there was no record.
    pub expected: Option<Version>,
    /// The new record.
    pub record: Record,
}

/// The result of a commit.
#[derive(Debug, Clone)]
pub struct Committed {
    /// Whether the swap took place. False if the stored record was not the expected one.
    pub swapped: bool,
    /// The position that a verifier's list must reach. The revocation log durably holds everything up to the commit's
    /// last entry; if the commit appended nothing, at least everything up to the position that the caller knew.
    pub position: Cursor,
}

/// The result of the heartbeat's write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confirmation {
    /// The store's clock at the time of the write.
    pub now: UnixSeconds,
    /// Whether the store still has everything that the node holds. True if the epoch is the same, and the last
    /// sequence number is either the same or larger while the entry at the node's position is still there or was
    /// trimmed. False if the store lost something.
    pub whole: bool,
    /// The end of the store's revocation log.
    pub position: Cursor,
}

/// One row in a page of subjects.
#[derive(Debug)]
pub struct SubjectRow {
    /// The subject of the record.
    pub sub: Subject,
    /// The record, or why it cannot be read: a damaged record does not hide the others.
    pub record: Result<(Version, Record), StoreError>,
}

/// An audit event as the store recorded it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRow {
    /// The number of the event. Numbers only grow.
    pub number: u64,
    /// The time of the event by the store's clock.
    pub at: UnixSeconds,
    /// The event.
    #[serde(flatten)]
    pub event: AuditEvent,
}

/// The operations of a backend.
///
/// A caller may drop the future of any method: the store then has either all of its write or none of it.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Reads a record, and after it the entries of the revocation log after `since`.
    async fn read(&self, sub: &Subject, since: Seq) -> Result<Reading, StoreError>;

    /// Like [`Self::read`] for several subjects at once, at most a few hundred.
    async fn read_several(&self, subs: &[Subject], since: Seq) -> Result<Readings, StoreError> {
        let mut records = Vec::with_capacity(subs.len());
        for sub in subs {
            records.push(self.read(sub, since).await.map(|reading| reading.record));
        }
        Ok(Readings { records, news: self.log_since(since).await? })
    }

    /// Appends the entries, then swaps the record. Returns when both are durable.
    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError>;

    /// Waits until this record, in the version that was read, and the revocation log so far are stored as
    /// [`Durability::Replicated`] requires. A caller needs this before it acknowledges, or builds on, a write that
    /// another caller made. Returns false if the record has another version by now. There is nothing to wait for in a
    /// store where readers only see such data.
    async fn settle(&self, _sub: &Subject, _read: Option<Version>) -> Result<bool, StoreError> {
        Ok(true)
    }

    /// The entries of the revocation log after `since` (from [`Seq::ZERO`]: all that are kept), and whether it still
    /// has the entry `since` itself.
    async fn log_since(&self, since: Seq) -> Result<LogPage, StoreError>;

    /// Waits until the revocation log has an entry after `since`. May return early, so the caller must check.
    async fn wait_for_news(&self, since: Seq) -> Result<(), StoreError>;

    /// The heartbeat: a *write* that compares the store's epoch and last sequence number with the node's.
    async fn confirm(&self, held: Cursor) -> Result<Confirmation, StoreError>;

    /// Drops the entries up to `through`. The caller has looked at each of them and finished its work.
    async fn trim(&self, through: Seq) -> Result<(), StoreError>;

    /// Raises `retain`, the cut-off and `sessions_since` to at least these values. A store that lost its epoch takes
    /// this one; otherwise it keeps its own. Returns the settings that now hold.
    async fn merge_settings(&self, settings: Settings) -> Result<Settings, StoreError>;

    /// The settings that hold now.
    async fn settings(&self) -> Result<Settings, StoreError>;

    /// The bytes of the key ring (encrypted by the caller), if there is one.
    async fn keys(&self) -> Result<Option<(Version, Vec<u8>)>, StoreError>;

    /// Swaps the key ring and appends the entries in the same step. Does neither if the stored key ring is not the
    /// expected one.
    async fn swap_keys(
        &self,
        expected: Option<Version>,
        ring: Vec<u8>,
        entries: Vec<NewEntry>,
        seen: Seq,
    ) -> Result<Committed, StoreError>;

    /// The installation's record, if there is one. The caller encodes it (see [`crate::domain::installation`]).
    async fn installation(&self) -> Result<Option<(Version, Vec<u8>)>, StoreError>;

    /// Swaps the installation's record. Returns false if the stored one is not the expected one.
    async fn swap_installation(
        &self,
        expected: Option<Version>,
        installation: Vec<u8>,
    ) -> Result<bool, StoreError>;

    /// A page of subjects in the order of their names, after `after`.
    async fn subjects(&self, after: Option<&Subject>, limit: usize) -> Result<Vec<SubjectRow>, StoreError>;

    /// The newest audit events, newest first. With `before`, only events with a smaller number.
    async fn audit(&self, before: Option<u64>, limit: usize) -> Result<Vec<AuditRow>, StoreError>;

    /// Removes a record that no longer needs to be kept, if it still has this version. Returns false if it has
    /// another.
    async fn forget(&self, sub: &Subject, expected: Version) -> Result<bool, StoreError>;

    /// The reason, if the backend is known to answer nothing at this moment. `None` does not promise that it answers.
    fn failure(&self) -> Option<StoreError> {
        None
    }
}
