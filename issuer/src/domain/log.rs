//! The revocation log: the ordered record of everything that was revoked. If a subject's record disagrees with the
//! revocation log, the revocation log is right and the record is corrected.

use doorlist_verifier::{Cursor, Epoch, Handle, Seq, UnixSeconds};
use serde::{Deserialize, Serialize};

use super::Subject;

/// A new entry for the revocation log. When the store appends the entry, the store chooses the entry's sequence number
/// and time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewEntry {
    /// A `gid` or a `sid` is void.
    Revoked(Revoked),
    /// Every token issued before the cut-off is void. The store sets the cut-off to its current second + 1, or to the
    /// previous cut-off + 1 if that is later. A token that is issued before the clock reaches the previous cut-off has
    /// that cut-off as its `iat`. So the new cut-off must be later than the previous one.
    Cutoff {
        /// Whether the cut-off also ends every session that was opened before the cut-off.
        end_sessions: bool,
    },
    /// The set of trusted keys changed: the key `kid` was added or removed.
    Key {
        /// RFC 7638 thumbprint.
        kid: String,
    },
    /// An entry without content. It only advances the sequence.
    Mark,
    /// An entry that was lost from the revocation log and is put back. The entry is appended unchanged, so a restored
    /// cut-off keeps its time.
    Restored(Appended),
}

/// A revoked group or session. Only issuer nodes see the subject and the reason. Verifiers get only the handle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Hash)]
pub struct Revoked {
    /// The subject that the group or session belongs to.
    pub sub: Subject,
    /// The effect on the subject's record.
    #[serde(flatten)]
    pub revocation: Revocation,
}

impl Revoked {
    /// The revoked handle. Verifiers receive nothing else.
    pub fn handle(&self) -> Handle {
        self.revocation.handle()
    }
}

/// The effect of a revocation on its subject's record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Hash)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Revocation {
    /// The session ends.
    Session {
        /// The session.
        sid: Handle,
    },
    /// A group ends, and a new group replaces this group.
    Group {
        /// The group that becomes void.
        gid: Handle,
        /// The group that replaces the void group. A node that completes this revocation must use exactly this group.
        /// If a failover loses writes of a record, the record then gets the same groups again, in the same order. A
        /// later entry that revokes one of these groups therefore applies to that record too.
        next: Handle,
        /// The effect on the subject's sessions.
        and: GroupEnd,
    },
}

impl Revocation {
    /// The revoked handle. Verifiers receive nothing else.
    pub fn handle(&self) -> Handle {
        match self {
            Self::Session { sid } => *sid,
            Self::Group { gid, .. } => *gid,
        }
    }
}

/// How the end of a group affects the record, ordered from the weakest effect to the strongest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupEnd {
    /// The sessions stay open. Their next access tokens have the next group.
    Void,
    /// The sessions end.
    Kick,
    /// The sessions end, and the subject is disabled.
    Disable,
}

/// An entry in the revocation log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    /// The sequence number. Each number is greater than the previous one. Some numbers may be left out.
    pub seq: Seq,
    /// The store's time when the entry was appended.
    pub at: UnixSeconds,
    /// The content of the entry.
    pub entry: Appended,
}

/// The content of an entry in the revocation log. A cut-off has a time here, but not in [`NewEntry`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Hash)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Appended {
    /// See [`NewEntry::Revoked`].
    Revoked(Revoked),
    /// Every token with an `iat` before `cutoff` is void.
    Cutoff {
        /// The time of the cut-off. The store sets it to its current second + 1, or to the previous cut-off + 1 if
        /// that is later.
        cutoff: UnixSeconds,
        /// Whether the cut-off also ended every session that was opened before the cut-off.
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

/// The settings of the whole installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogSettings {
    /// The epoch of the revocation log. The epoch changes if the store starts a new revocation log.
    pub epoch: Epoch,
    /// Seconds for which an entry stays in the revocation log. This value never decreases.
    pub retain_secs: u64,
    /// Tokens issued before this time are void. Zero if there is no cut-off. This value never decreases.
    pub cutoff: UnixSeconds,
    /// Sessions opened before this time have ended. Zero if there is no such time. This value never decreases.
    pub sessions_since: UnixSeconds,
}

impl LogSettings {
    /// Combines two sets of settings. The result has the greater value of each setting, and the epoch of `self`.
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

/// A part of the revocation log, as read from the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPage {
    /// The entries after the requested sequence, in ascending order.
    pub entries: Vec<LogEntry>,
    /// `true` if the revocation log still holds the entry at the requested sequence, or has trimmed this entry.
    /// `false` if the revocation log lost the entry. A node that still holds the entry must then put the entry back.
    pub continues: bool,
    /// The last sequence that the revocation log gave out. This sequence may be greater than the sequence of the last
    /// kept entry.
    pub last: Seq,
    /// The settings, read together with the revocation log.
    pub settings: LogSettings,
    /// The store's clock at the time of this answer.
    pub now: UnixSeconds,
}

impl LogPage {
    /// The position of the revocation log when this page was read.
    pub fn position(&self) -> Cursor {
        Cursor { epoch: self.settings.epoch, seq: self.last }
    }
}
