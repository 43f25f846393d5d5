//! An issuer: its copy of the revocation log, and its one current request, at some step of the desk's loop.

use std::fmt;
use std::hash::{Hash, Hasher};

use doorlist::domain::{Appended, Durability, LogView};
use doorlist_verifier::{Handle, Seq};

use crate::shared::{Fingerprint, Shared};
use crate::store::{Kept, Version};

/// One of the two nodes.
#[derive(Debug, Clone, Hash)]
pub struct Node {
    pub view: View,
    pub task: Option<Task>,
    /// The store's time at the node's last confirmation.
    pub confirmed: u64,
    /// The number of acknowledgements at the node's last confirmation.
    pub vouches: u8,
    /// Entries that the node put back. The record of the subject has not been healed since.
    pub unfinished: Vec<Appended>,
}

impl Node {
    /// An idle node whose copy of the revocation log is `view`.
    pub fn new(view: LogView, confirmed: u64) -> Self {
        Self { view: view.into(), task: None, confirmed, vouches: 0, unfinished: Vec::new() }
    }

    pub fn knows(&self, entry: &Appended) -> bool {
        self.view.since(Seq::ZERO).any(|held| held.entry == *entry)
    }
}

/// A node's copy of the revocation log. The type is the issuer's own.
pub type View = Shared<LogView>;

impl Fingerprint for LogView {
    fn fingerprint<H: Hasher>(&self, state: &mut H) {
        (self.position().seq, self.floor()).hash(state);
        for held in self.since(Seq::ZERO) {
            (held.seq, held.at, &held.entry).hash(state);
        }
    }
}

/// A request that the node is processing.
#[derive(Debug, Clone, Hash)]
pub struct Task {
    pub request: Request,
    pub phase: Phase,
    pub read: Option<(Version, Kept)>,
    /// The record that a kick or a void found at its first decision.
    pub begun: Option<Kept>,
    /// Set if the task reads the record only to heal the record. After the healing, the task continues with this value.
    pub healing: Option<Resume>,
    /// Bookkeeping of the search. No rule uses this field.
    pub seen: Seen,
}

/// Facts about a request. The checks of the promises use these facts.
#[derive(Debug, Clone, Default, Hash)]
pub struct Seen {
    /// The number of tokens that were issued before the request began.
    pub issued: u8,
    /// Whether an acknowledged kick had ended the session before the request began.
    pub ended: bool,
    /// Whether the revocation log lacked entries when the node decided. A living node was about to put these entries
    /// back.
    pub excused: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Request {
    Kick {
        next: Handle,
    },
    Void {
        next: Handle,
    },
    Login {
        sid: Handle,
        gid: Handle,
    },
    Refresh {
        client: u8,
        sid: Handle,
        generation: u64,
    },
    Beat,
    /// The start of a node after it was killed.
    Start,
}

/// The next step.
#[derive(Debug, Clone, Hash)]
pub enum Phase {
    ReadRecord,
    /// Reads the new entries of the revocation log, and decides.
    ReadNews,
    Append(Write),
    Swap(Write),
    Tell(Write, Swapped),
    /// Compares the node's copy with the revocation log. The next two phases put back the entries that the revocation
    /// log has lost, and read the whole revocation log.
    RestoreRead(Resume),
    RestoreWrite(Vec<Appended>, Resume),
    RestoreHear(Resume),
    Confirm(Resume),
    CatchUp {
        through: Seq,
        confirmed: u64,
        vouches: u8,
        then: Resume,
    },
    Trim(Seq),
    Answer(Answer),
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReadRecord => f.write_str("reads the record"),
            Self::ReadNews => f.write_str("reads the log's news and decides"),
            Self::Append(write) => write!(f, "appends {:?}", write.entries),
            Self::Swap(write) => write!(
                f,
                "swaps, if it still fits: gid {:?}, sessions (sid, g, p) {:?}; for {:?}",
                write.record.gid,
                write.record.sessions.iter().map(|s| (s.sid, s.generation, s.previous)).collect::<Vec<_>>(),
                write.answer
            ),
            Self::Tell(write, swapped) => {
                write!(f, "tells its verifiers (swapped: {swapped:?}); for {:?}", write.answer)
            }
            Self::RestoreRead(_) => f.write_str("restores: compares its copy with the log"),
            Self::RestoreWrite(lost, _) => write!(f, "restores: puts back {lost:?} and a mark"),
            Self::RestoreHear(_) => f.write_str("restores: reads the whole log again"),
            Self::Confirm(_) => f.write_str("confirms"),
            Self::CatchUp { .. } => f.write_str("reads what the log has past its copy"),
            Self::Trim(through) => write!(f, "trims through {through}"),
            Self::Answer(answer) => write!(f, "answers {answer:?}"),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Swapped {
    Yes,
    No,
}

/// The continuation after lost entries have been put back, or after the record has been healed.
#[derive(Debug, Clone, Hash)]
pub enum Resume {
    ReadRecord,
    /// The record was healed after these entries were put back.
    Finished {
        put_back: Vec<Appended>,
        then: Box<Resume>,
    },
    Confirm(Box<Resume>),
    CaughtUp {
        through: Seq,
        confirmed: u64,
        vouches: u8,
        then: Box<Resume>,
    },
    /// A heartbeat or a start continues after its confirmation.
    Confirmed,
    Trim(Seq),
    Answer(Answer),
}

/// A commit.
#[derive(Debug, Clone, Hash)]
pub struct Write {
    pub entries: Vec<Appended>,
    pub record: Kept,
    pub waits: Waits,
    /// `None` if the write only heals the record. The request then starts again.
    pub answer: Option<Answer>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Waits {
    Yes,
    No,
}

impl From<Durability> for Waits {
    fn from(durability: Durability) -> Self {
        match durability {
            Durability::Replicated => Self::Yes,
            Durability::Local => Self::No,
        }
    }
}

/// The answer to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answer {
    Granted {
        token: Token,
        generation: u64,
        how: How,
    },
    /// `invalid_grant`.
    Refused,
    /// Done, at this position of the revocation log.
    Kicked(Seq),
    /// Done, at this position of the revocation log.
    Voided(Seq),
    Beaten,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum How {
    Login,
    /// Outside the grace window.
    Advance,
    /// Within the grace window.
    Repeat,
}

/// An access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Token {
    pub gid: Handle,
    pub sid: Handle,
    pub expires: u64,
}
