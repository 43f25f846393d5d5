//! The operations that every backend must provide. A backend contains no rules: all rules are in [`crate::domain`].
//!
//! All times here are from the store's own clock, in whole seconds. The store also chooses the sequence numbers.

pub mod clock;
#[cfg(test)]
pub(crate) mod contract;
pub mod embedded;
pub mod redis;
mod tallies;

use async_trait::async_trait;
use doorlist_verifier::{Cursor, Seq, UnixSeconds};
use serde::{Deserialize, Serialize};

pub use embedded::EmbeddedStore;
pub use redis::RedisStore;
pub(crate) use tallies::TallyTable;
pub use tallies::{MAX_TALLIES, TALLY_SECS, Tallies, TallyChange, TallyName};

use crate::domain::{AuditEvent, Durability, LogPage, LogSettings, NewEntry, Record, Subject};

/// Identifies one stored state of a record or of the key ring. A swap names the version that the rule read.
///
/// A version is never used twice for the same name. If a record is deleted and created again, the new record gets a new
/// version. After a failover, every stored state has a new version. So a version that was read on the old master does
/// not match on the new master.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version(pub u64);

/// Why an operation of the store failed. After every error except [`StoreError::Corrupt`], it is unknown whether the
/// write was done, so the client gets 503.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The backend cannot be reached, or cannot do the work at the moment. A later attempt can succeed.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// The same as `Unavailable`, but during the start. This error also names the address or file that could not be
    /// used.
    #[error("the store is unavailable: {place}: {reason}")]
    Away {
        /// The address or the file, for operators.
        place: String,
        /// The reason, without the place.
        reason: String,
    },
    /// The backend cannot be used because of its login, permissions, version or configuration. Every attempt fails
    /// until an operator changes the backend or a setting of the issuer.
    #[error("the store is unavailable: {0}")]
    Misconfigured(String),
    /// The stored data is damaged or was not written by an issuer. The issuer has not changed the data.
    #[error("the data in {place} cannot be read: {reason}")]
    Corrupt {
        /// The table and the key.
        place: String,
        /// The reason why the data cannot be read.
        reason: String,
    },
}

impl StoreError {
    /// Whether a later attempt can succeed without a change by an operator.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Away { .. })
    }

    /// The reason without addresses and files. Only operators are allowed to see addresses and files.
    pub fn reason(&self) -> &str {
        match self {
            Self::Unavailable(reason)
            | Self::Away { reason, .. }
            | Self::Misconfigured(reason)
            | Self::Corrupt { reason, .. } => reason,
        }
    }
}

/// A subject's record and the new entries of the revocation log. The store reads the revocation log after the record.
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
    /// The records, in the order of the subjects. A record that cannot be read does not affect the other records.
    pub records: Vec<Result<Option<(Version, Record)>, StoreError>>,
    /// The entries after the caller's sequence number, ascending.
    pub news: LogPage,
}

/// A change to write: first the entries are appended, then the record is swapped, then the audit events are written.
#[derive(Debug, Clone, Default)]
pub struct Commit {
    /// The entries to append. They are appended even if the swap fails. The embedded store is different: it does both
    /// the append and the swap, or neither of the two.
    pub entries: Vec<NewEntry>,
    /// The new record, if the record changes.
    pub swap: Option<Swap>,
    /// Audit events, for operators.
    pub audit: Vec<AuditEvent>,
    /// The last sequence number that the caller knows. The sequence numbers of the new entries are greater than this
    /// number.
    pub seen: Seq,
    /// Where the change must be stored before the caller gets an answer.
    pub durability: Durability,
}

/// One compare-and-swap of one record.
#[derive(Debug, Clone)]
pub struct Swap {
    /// The subject of the record.
    pub sub: Subject,
    /// The version that the rule read. `None` if there was no record.
    pub expected: Option<Version>,
    /// The new record.
    pub record: Record,
}

/// The result of a commit.
#[derive(Debug, Clone)]
pub struct Committed {
    /// Whether the swap took place. False if the stored record did not have the expected version.
    pub swapped: bool,
    /// A position in the revocation log. A verifier knows this commit when the verifier's list has reached this
    /// position.
    ///
    /// The revocation log durably holds all entries up to this position. The position is at or after the commit's
    /// last entry. If the commit appended no entries, the position is at or after the position
    /// that the caller knew.
    pub position: Cursor,
}

/// The result of the heartbeat's write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confirmation {
    /// The store's clock at the time of the write.
    pub now: UnixSeconds,
    /// Whether the store still has everything that the node holds. For this, the epochs must be equal. In addition,
    /// one of two conditions must be met:
    ///
    /// - The last sequence numbers are equal.
    /// - The store's last sequence number is greater than the node's, and the store still has the entry at the node's
    ///   position or has trimmed it.
    pub whole: bool,
    /// The end of the store's revocation log.
    pub position: Cursor,
}

/// One row in a page of subjects.
#[derive(Debug)]
pub struct SubjectRow {
    /// The subject of the record.
    pub sub: Subject,
    /// The record, or the reason why the record cannot be read. The page also contains damaged records.
    pub record: Result<(Version, Record), StoreError>,
}

/// An audit event as the store recorded it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRow {
    /// The number of the event. A later event has a greater number.
    pub number: u64,
    /// The time of the event by the store's clock.
    pub at: UnixSeconds,
    /// The event.
    #[serde(flatten)]
    pub event: AuditEvent,
}

/// The operations of a backend.
///
/// A caller can drop the future of any method at any time. The store then does either the whole write or nothing.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Reads a record, and then the entries of the revocation log after `since`.
    async fn read(&self, sub: &Subject, since: Seq) -> Result<Reading, StoreError>;

    /// Like [`Self::read`], but for several subjects at once. A caller passes at most a few hundred subjects.
    async fn read_several(&self, subs: &[Subject], since: Seq) -> Result<Readings, StoreError> {
        let mut records = Vec::with_capacity(subs.len());
        for sub in subs {
            records.push(self.read(sub, since).await.map(|reading| reading.record));
        }
        Ok(Readings { records, news: self.log_since(since).await? })
    }

    /// Appends the entries, then swaps the record. Returns when the entries and the record are durable.
    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError>;

    /// Waits until this version of the record and the current revocation log are stored as [`Durability::Replicated`]
    /// requires. Returns false if the record now has another version.
    ///
    /// A caller must call this before it acknowledges or relies on a write of another caller. The default returns at
    /// once. The default is for stores whose readers see only durable data.
    async fn settle(&self, _sub: &Subject, _read: Option<Version>) -> Result<bool, StoreError> {
        Ok(true)
    }

    /// The entries of the revocation log after `since`, and whether the revocation log still has the entry `since`
    /// itself. If `since` is [`Seq::ZERO`], returns all entries that are kept.
    async fn log_since(&self, since: Seq) -> Result<LogPage, StoreError>;

    /// Waits until the revocation log has an entry after `since`. This method sometimes returns before there is such an
    /// entry, so the caller must check.
    async fn wait_for_news(&self, since: Seq) -> Result<(), StoreError>;

    /// The write of the heartbeat. It compares the store's epoch and last sequence number with the node's epoch and
    /// last sequence number. The comparison must be part of a *write*, because an isolated old master still answers
    /// reads.
    async fn confirm(&self, held: Cursor) -> Result<Confirmation, StoreError>;

    /// Drops the entries up to `through`. The caller must have read and healed the record of each of these entries.
    async fn trim(&self, through: Seq) -> Result<(), StoreError>;

    /// Raises `retain`, the cut-off and `sessions_since` to at least the values in `settings`. If the store has lost
    /// its epoch, the store takes the epoch of `settings`. Otherwise the epoch does not change. Returns the settings
    /// after the change.
    async fn merge_settings(&self, settings: LogSettings) -> Result<LogSettings, StoreError>;

    /// The current settings.
    async fn settings(&self) -> Result<LogSettings, StoreError>;

    /// The bytes of the key ring (encrypted by the caller), if there is one.
    async fn keys(&self) -> Result<Option<(Version, Vec<u8>)>, StoreError>;

    /// Swaps the key ring and appends the entries in the same step. Does nothing if the stored key ring does not have
    /// the expected version.
    async fn swap_keys(
        &self,
        expected: Option<Version>,
        ring: Vec<u8>,
        entries: Vec<NewEntry>,
        seen: Seq,
    ) -> Result<Committed, StoreError>;

    /// The installation's record, if there is one. The caller encodes the record (see
    /// [`crate::domain::installation`]).
    async fn installation(&self) -> Result<Option<(Version, Vec<u8>)>, StoreError>;

    /// Swaps the installation's record. Returns false if the stored record does not have the expected version.
    async fn swap_installation(
        &self,
        expected: Option<Version>,
        installation: Vec<u8>,
    ) -> Result<bool, StoreError>;

    /// A page of subjects in the order of their names, after `after`.
    async fn subjects(&self, after: Option<&Subject>, limit: usize) -> Result<Vec<SubjectRow>, StoreError>;

    /// The newest audit events, newest first. If `before` is given, only events with a smaller number are returned.
    async fn audit(&self, before: Option<u64>, limit: usize) -> Result<Vec<AuditRow>, StoreError>;

    /// Removes a record that no longer needs to be kept. Returns false, and removes nothing, if the stored record does
    /// not have the expected version.
    async fn forget(&self, sub: &Subject, expected: Version) -> Result<bool, StoreError>;

    /// The values of these counters. A counter can be lost at any time, for example by a restart or a failover.
    async fn tallies(&self, names: &[TallyName]) -> Result<Tallies, StoreError>;

    /// Does all changes in one step. Returns false, and changes nothing, if a counter does not have the expected value.
    async fn swap_tallies(&self, changes: Vec<TallyChange>) -> Result<bool, StoreError>;

    /// The reason why the backend cannot answer at this moment. `None` if no reason is known; even then, the backend
    /// can fail to answer.
    fn failure(&self) -> Option<StoreError> {
        None
    }
}
