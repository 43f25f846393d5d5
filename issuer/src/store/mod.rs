//! What a backend must be able to do, and nothing more: the rules exist once, in [`crate::domain`].
//!
//! Time in here is the store's own clock, in whole seconds; sequence numbers are the store's to give.

use async_trait::async_trait;
use doorlist_verifier::{Cursor, Epoch, Seq, UnixSeconds};

use crate::domain::{LogEntry, NewEntry, Record, Subject};

/// What identifies one stored state of a record or key ring; a swap names the one it was decided on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version(pub u64);

/// Why a store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The backend cannot be reached or refused; nothing is known of the write's fate. Answer 503.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// What is stored there is not ours or is damaged; it was left untouched.
    #[error("what the store holds at {place} cannot be read: {reason}")]
    Corrupt {
        /// Which table and key.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// What holds for the whole installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// The log's lineage.
    pub epoch: Epoch,
    /// Seconds an entry stays in the log; only ever raised.
    pub retain_secs: u64,
    /// Tokens issued before it are void; zero for none, never falls.
    pub cutoff: UnixSeconds,
    /// Sessions opened before it are gone; zero for none, never falls.
    pub sessions_since: UnixSeconds,
}

/// A subject's record, and what the log gained; the log was asked after the record.
#[derive(Debug, Clone)]
pub struct Reading {
    /// The record, if there is one.
    pub record: Option<(Version, Record)>,
    /// Entries past the cursor that was asked with, ascending.
    pub news: LogPage,
}

/// A stretch of the log.
#[derive(Debug, Clone)]
pub struct LogPage {
    /// Entries past what was asked for, ascending.
    pub entries: Vec<LogEntry>,
    /// The last sequence of the log (which may be past the last entry that is still kept).
    pub last: Seq,
    /// Settings, read with the log.
    pub settings: Settings,
    /// The store's clock at this answer.
    pub now: UnixSeconds,
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
    /// The last sequence of the log after this commit, when known durable; the position to wait for.
    pub position: Cursor,
    /// The store's clock at the commit.
    pub now: UnixSeconds,
}

/// An answer to the heartbeat's write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confirmation {
    /// The store's clock at the write.
    pub now: UnixSeconds,
    /// Whether the store's epoch and last sequence are the ones the node holds. False with a larger
    /// sequence only means news; a missing or smaller one means the store lost something.
    pub whole: bool,
    /// Where the store's log stands.
    pub position: Cursor,
}

/// Something that happened to a subject, a session or a key, for people to read later.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct AuditEvent {
    /// A stable word: `login`, `kick`, `refresh_reuse`, ….
    pub event: String,
    /// The subject, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub: Option<Subject>,
    /// The handle it was about, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handle: Option<doorlist_verifier::Handle>,
    /// More, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// The primitives of a backend.
///
/// Every method is cancel-safe for the store: a caller that goes away leaves either all of its write or none.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// A record, and after it the log's news past `since`.
    async fn read(&self, sub: &Subject, since: Seq) -> Result<Reading, StoreError>;

    /// Appends, then swaps; returns when it is durable.
    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError>;

    /// The log past `since` (from [`Seq::ZERO`]: all that is kept).
    async fn log_since(&self, since: Seq) -> Result<LogPage, StoreError>;

    /// Waits until the log has something past `since`. A hint, not a proof: may return early.
    async fn wait_for_news(&self, since: Seq) -> Result<(), StoreError>;

    /// The heartbeat: a *write* that compares epoch and last sequence with the node's.
    async fn confirm(&self, held: Cursor) -> Result<Confirmation, StoreError>;

    /// Drops entries up to `seq`, each of which was looked at and finished by the caller.
    async fn trim(&self, through: Seq) -> Result<(), StoreError>;

    /// Raises `retain` to at least this many seconds; returns what now holds.
    async fn raise_retain(&self, retain_secs: u64) -> Result<Settings, StoreError>;

    /// The key ring's bytes (sealed by the caller), if there is one.
    async fn keys(&self) -> Result<Option<(Version, Vec<u8>)>, StoreError>;

    /// Swaps the key ring; the entries are appended in the same step. False: it was not the one expected.
    async fn swap_keys(
        &self,
        expected: Option<Version>,
        ring: Vec<u8>,
        entries: Vec<NewEntry>,
    ) -> Result<bool, StoreError>;

    /// A page of subjects in order of their names, after `after`.
    async fn subjects(
        &self,
        after: Option<&Subject>,
        limit: usize,
    ) -> Result<Vec<(Subject, Record)>, StoreError>;

    /// Removes a record that is past its keeping, if it is still this version. False: it was not.
    async fn forget(&self, sub: &Subject, expected: Version) -> Result<bool, StoreError>;
}
