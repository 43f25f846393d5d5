//! The revocation log: the ordered record of what was revoked. It is the truth; records catch up.

use doorlist_verifier::{Cursor, Epoch, Handle, Seq, UnixSeconds};
use serde::{Deserialize, Serialize};

use super::Subject;

/// An entry that is not in the log yet: the store gives it its number and time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewEntry {
    /// A `gid` or a `sid` is void.
    Revoked(Revoked),
    /// Every token issued before the store's second + 1 is void (the store fills the time in). Tokens made since a
    /// cut-off of the same second are stamped with that one, so the next is a second after it.
    Cutoff {
        /// Whether every session opened before it ends too.
        end_sessions: bool,
    },
    /// The set of trusted keys changed about this key.
    Key {
        /// RFC 7638 thumbprint.
        kid: String,
    },
    /// Nothing: moves the sequence on.
    Mark,
    /// What the log held once and lost, as it stood: its cut-off keeps its time.
    Restored(Appended),
}

/// What is revoked, and for issuers only, whose it is and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Hash)]
pub struct Revoked {
    /// The subject it belongs to.
    pub sub: Subject,
    /// What to do to the record.
    #[serde(flatten)]
    pub revocation: Revocation,
}

impl Revoked {
    /// What verifiers are told.
    pub fn handle(&self) -> Handle {
        self.revocation.handle()
    }
}

/// What a revocation asks of its subject's record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Hash)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Revocation {
    /// The session ends.
    Session {
        /// The session.
        sid: Handle,
    },
    /// Another group takes the place of this one.
    Group {
        /// The group that is void.
        gid: Handle,
        /// The group that takes its place. Whoever finishes the job puts in this very one: so a record that
        /// lost writes is led through the same groups again, and a later revocation among them is found.
        next: Handle,
        /// What becomes of the sessions.
        and: GroupEnd,
    },
}

impl Revocation {
    /// What verifiers are told.
    pub fn handle(&self) -> Handle {
        match self {
            Self::Session { sid } => *sid,
            Self::Group { gid, .. } => *gid,
        }
    }
}

/// What the end of a group means for the record; ordered from the weakest to the strongest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupEnd {
    /// Sessions live on and refresh into the next group.
    Void,
    /// Sessions end.
    Kick,
    /// Sessions end, and the subject is disabled.
    Disable,
}

/// An entry as it stands in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    /// Its number: grows, with gaps.
    pub seq: Seq,
    /// The store's time of the append.
    pub at: UnixSeconds,
    /// What it says.
    pub entry: Appended,
}

/// What an entry in the log says; a cut-off has its time here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Hash)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Appended {
    /// See [`NewEntry::Revoked`].
    Revoked(Revoked),
    /// Every token with an `iat` before `cutoff` is void.
    Cutoff {
        /// The store's second + 1 at the append, or the cut-off before it + 1 if that is later.
        cutoff: UnixSeconds,
        /// Whether sessions opened before it ended too.
        end_sessions: bool,
    },
    /// See [`NewEntry::Key`].
    Key {
        /// RFC 7638 thumbprint.
        kid: String,
    },
    /// See [`NewEntry::Mark`].
    Mark,
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

impl Settings {
    /// These settings with each limit at the greater of the two; the epoch stays.
    #[must_use]
    pub fn merged(self, other: &Self) -> Self {
        Self {
            epoch: self.epoch,
            retain_secs: self.retain_secs.max(other.retain_secs),
            cutoff: self.cutoff.max(other.cutoff),
            sessions_since: self.sessions_since.max(other.sessions_since),
        }
    }
}

/// A stretch of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPage {
    /// Entries past what was asked for, ascending.
    pub entries: Vec<LogEntry>,
    /// Whether the entry it was asked for from is in the log, or was trimmed. False: the log lost it, and whoever
    /// holds it must put it back.
    pub continues: bool,
    /// The last sequence of the log (which may be past the last entry that is still kept).
    pub last: Seq,
    /// Settings, read with the log.
    pub settings: Settings,
    /// The store's clock at this answer.
    pub now: UnixSeconds,
}

impl LogPage {
    /// Where the log stood.
    pub fn position(&self) -> Cursor {
        Cursor { epoch: self.settings.epoch, seq: self.last }
    }
}
