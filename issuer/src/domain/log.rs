//! The revocation log: the ordered record of what was revoked. It is the truth; records catch up.

use doorlist_verifier::{Handle, Seq, UnixSeconds};
use serde::{Deserialize, Serialize};

use super::Subject;

/// An entry that is not in the log yet: the store gives it its number and time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum NewEntry {
    /// A `gid` or a `sid` is void.
    Revoked(Revoked),
    /// Every token issued before the store's second + 1 is void (the store fills the time in).
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
}

/// A handle, and for issuers only, whose it is and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revoked {
    /// The `gid` or `sid`.
    pub handle: Handle,
    /// The subject it belongs to.
    pub sub: Subject,
    /// What to do to the record.
    pub kind: RevocationKind,
}

/// What a revoked handle asks of its subject's record; ordered from the weakest to the strongest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevocationKind {
    /// The session with this `sid` ends.
    EndSession,
    /// A new `gid`; sessions live on and refresh into it.
    Void,
    /// A new `gid` and no sessions.
    Kick,
    /// As a kick, and the subject is disabled.
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Appended {
    /// See [`NewEntry::Revoked`].
    Revoked(Revoked),
    /// Every token with an `iat` before `cutoff` is void.
    Cutoff {
        /// The store's second + 1 at the append.
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
