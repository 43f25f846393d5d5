//! What a backend must be able to do, and nothing more: the rules exist once, in [`crate::domain`].
//!
//! Time in here is the store's own clock, in whole seconds; sequence numbers are the store's to give.

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

/// What identifies one stored state of a record or key ring; a swap names the one it was decided on.
///
/// Never used twice for one name, not for a record that was forgotten and made again, and not by a master
/// that took over from the one that was read: what was read on one must not fit on the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version(pub u64);

/// Why a store did not do what it was asked. But for [`StoreError::Corrupt`] nothing is known of the write's fate:
/// answer 503.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The backend cannot be reached, or cannot do it now. A later attempt may succeed.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// The same at the start, with the address or file that was tried.
    #[error("the store is unavailable: {place}: {reason}")]
    Away {
        /// Which address or file; for operators.
        place: String,
        /// Why, without the place.
        reason: String,
    },
    /// The backend refuses: a login, a permission, its version or configuration. Until an operator changes that, or a
    /// setting, every attempt fails alike.
    #[error("the store is unavailable: {0}")]
    Misconfigured(String),
    /// What is stored there is not ours or is damaged; it was left untouched.
    #[error("what is stored in {place} cannot be read: {reason}")]
    Corrupt {
        /// Which table and key.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl StoreError {
    /// Whether a later attempt may succeed without anybody changing a setting.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Away { .. })
    }

    /// The reason without addresses and files, which are not for everybody.
    pub fn reason(&self) -> &str {
        match self {
            Self::Unavailable(reason)
            | Self::Away { reason, .. }
            | Self::Misconfigured(reason)
            | Self::Corrupt { reason, .. } => reason,
        }
    }
}

/// A subject's record, and what the log gained; the log was asked after the record.
#[derive(Debug, Clone)]
pub struct Reading {
    /// The record, if there is one.
    pub record: Option<(Version, Record)>,
    /// Entries past the cursor that was asked with, ascending.
    pub news: LogPage,
}

/// The records of several subjects, and what the log gained; the log was asked after every record.
#[derive(Debug)]
pub struct Readings {
    /// In the order of the subjects. One that cannot be read hides no other.
    pub records: Vec<Result<Option<(Version, Record)>, StoreError>>,
    /// Entries past the cursor that was asked with, ascending.
    pub news: LogPage,
}

/// What to write: entries are appended first, then the record is swapped, then the audit is written.
#[derive(Debug, Clone, Default)]
pub struct Commit {
    /// Appended whatever becomes of the swap (the embedded store does both or neither).
    pub entries: Vec<NewEntry>,
    /// The record to put in the place of the one that was read.
    pub swap: Option<Swap>,
    /// What happened, for people.
    pub audit: Vec<AuditEvent>,
    /// The last sequence the caller knows of; new ones are above it.
    pub seen: Seq,
    /// What has to have it before the caller is answered.
    pub durability: Durability,
}

/// One compare-and-swap of one record.
#[derive(Debug, Clone)]
pub struct Swap {
    /// Whose.
    pub sub: Subject,
    /// The version it was decided on; `None`: there was no record.
    pub expected: Option<Version>,
    /// The record to be.
    pub record: Record,
}

/// What became of a commit.
#[derive(Debug, Clone)]
pub struct Committed {
    /// Whether the swap took place; false: the record was not the one expected.
    pub swapped: bool,
    /// The position to wait for: the log has everything up to the commit's last entry here, durably; or, when it
    /// appended nothing, up to what the caller knew of at least.
    pub position: Cursor,
}

/// An answer to the heartbeat's write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confirmation {
    /// The store's clock at the write.
    pub now: UnixSeconds,
    /// Whether the store still has what the node holds: the same epoch, and either the same last sequence, or
    /// a larger one (news) while the entry at the node's position is there or was trimmed. False: it lost
    /// something.
    pub whole: bool,
    /// Where the store's log stands.
    pub position: Cursor,
}

/// A subject in a page.
#[derive(Debug)]
pub struct SubjectRow {
    /// Whose record it is.
    pub sub: Subject,
    /// The record, or why it cannot be read: one that is damaged does not hide the others.
    pub record: Result<(Version, Record), StoreError>,
}

/// An event as the store wrote it down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRow {
    /// Its number: grows.
    pub number: u64,
    /// The store's time of the event.
    pub at: UnixSeconds,
    /// What happened.
    #[serde(flatten)]
    pub event: AuditEvent,
}

/// The primitives of a backend.
///
/// Every method is cancel-safe for the store: a caller that goes away leaves either all of its write or none.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// A record, and after it the log's news past `since`.
    async fn read(&self, sub: &Subject, since: Seq) -> Result<Reading, StoreError>;

    /// The same of several subjects at once, a few hundred at most.
    async fn read_several(&self, subs: &[Subject], since: Seq) -> Result<Readings, StoreError> {
        let mut records = Vec::with_capacity(subs.len());
        for sub in subs {
            records.push(self.read(sub, since).await.map(|reading| reading.record));
        }
        Ok(Readings { records, news: self.log_since(since).await? })
    }

    /// Appends, then swaps; returns when it is durable.
    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError>;

    /// Returns when this record, as it was read, and the log so far are where [`Durability::Replicated`] wants them:
    /// for whoever acknowledges what somebody else wrote, or builds on it. False: it is another record by now.
    /// Nothing to wait for where every reader sees only that.
    async fn settle(&self, _sub: &Subject, _read: Option<Version>) -> Result<bool, StoreError> {
        Ok(true)
    }

    /// The log past `since` (from [`Seq::ZERO`]: all that is kept), and whether it still has `since` itself.
    async fn log_since(&self, since: Seq) -> Result<LogPage, StoreError>;

    /// Waits until the log has something past `since`. A hint, not a proof: may return early.
    async fn wait_for_news(&self, since: Seq) -> Result<(), StoreError>;

    /// The heartbeat: a *write* that compares epoch and last sequence with the node's.
    async fn confirm(&self, held: Cursor) -> Result<Confirmation, StoreError>;

    /// Drops entries up to `seq`, each of which was looked at and finished by the caller.
    async fn trim(&self, through: Seq) -> Result<(), StoreError>;

    /// Raises `retain`, cut-off and `sessions_since` to at least these; a store that lost its epoch takes this
    /// one, else it keeps its own. Returns what now holds.
    async fn merge_settings(&self, settings: Settings) -> Result<Settings, StoreError>;

    /// What holds now.
    async fn settings(&self) -> Result<Settings, StoreError>;

    /// The key ring's bytes (sealed by the caller), if there is one.
    async fn keys(&self) -> Result<Option<(Version, Vec<u8>)>, StoreError>;

    /// Swaps the key ring; the entries are appended in the same step. Not swapped: it was not the one expected.
    async fn swap_keys(
        &self,
        expected: Option<Version>,
        ring: Vec<u8>,
        entries: Vec<NewEntry>,
        seen: Seq,
    ) -> Result<Committed, StoreError>;

    /// What the installation is called, as bytes of the caller's (see [`crate::domain::installation`]), if it is stored.
    async fn installation(&self) -> Result<Option<(Version, Vec<u8>)>, StoreError>;

    /// Swaps that; false: it was not the one expected.
    async fn swap_installation(
        &self,
        expected: Option<Version>,
        installation: Vec<u8>,
    ) -> Result<bool, StoreError>;

    /// A page of subjects in order of their names, after `after`.
    async fn subjects(&self, after: Option<&Subject>, limit: usize) -> Result<Vec<SubjectRow>, StoreError>;

    /// The newest events, newest first; those before number `before` if it is given.
    async fn audit(&self, before: Option<u64>, limit: usize) -> Result<Vec<AuditRow>, StoreError>;

    /// Removes a record that is past its keeping, if it is still this version. False: it was not.
    async fn forget(&self, sub: &Subject, expected: Version) -> Result<bool, StoreError>;

    /// Why the backend is known to answer nothing at this moment. `None` is no promise that it answers.
    fn failure(&self) -> Option<StoreError> {
        None
    }
}
