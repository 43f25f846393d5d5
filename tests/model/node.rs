//! An issuer: its copy of the log, and the one request that it has in hand, at some step of the desk's loop.

use std::fmt;
use std::hash::{Hash, Hasher};

use doorlist::domain::{Appended, Durability, LogView};
use doorlist_verifier::{Handle, Seq};

use crate::shared::{Fingerprint, Shared};
use crate::store::{Kept, Version};

/// One of two.
#[derive(Debug, Clone, Hash)]
pub struct Node {
    pub view: View,
    pub task: Option<Task>,
    /// The store's time of the last confirmation.
    pub confirmed: u64,
    /// How many acknowledgements there were then.
    pub vouches: u8,
}

impl Node {
    pub fn knows(&self, entry: &Appended) -> bool {
        self.view.since(Seq::ZERO).any(|held| held.entry == *entry)
    }
}

/// The real copy of the log.
pub type View = Shared<LogView>;

impl Fingerprint for LogView {
    fn fingerprint<H: Hasher>(&self, state: &mut H) {
        (self.position().seq, self.floor()).hash(state);
        for held in self.since(Seq::ZERO) {
            (held.seq, held.at, &held.entry).hash(state);
        }
    }
}

/// A request in hand.
#[derive(Debug, Clone, Hash)]
pub struct Task {
    pub request: Request,
    pub phase: Phase,
    pub read: Option<(Version, Kept)>,
    /// What a kick or a void found when it began.
    pub begun: Option<Kept>,
    /// The record is read for the sake of the log, and this comes after it.
    pub looking: Option<Resume>,
    /// Bookkeeping of the search, which no rule sees.
    pub seen: Seen,
}

/// What there was when a request began.
#[derive(Debug, Clone, Default, Hash)]
pub struct Seen {
    /// How many tokens.
    pub issued: u8,
    /// The session it is about had ended by then, acknowledged.
    pub ended: bool,
    /// It was decided while the log lacked what a living node was about to put back.
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
    /// A node that was killed comes back.
    Start,
}

/// The next step.
#[derive(Debug, Clone, Hash)]
pub enum Phase {
    ReadRecord,
    /// And decide.
    ReadNews,
    Append(Write),
    Swap(Write),
    Tell(Write, Swapped),
    MendRead,
    MendWrite(Vec<Appended>),
    MendHear(Vec<Appended>),
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
            Self::MendRead => f.write_str("mends: compares its copy with the log"),
            Self::MendWrite(lost) => write!(f, "mends: puts back {lost:?} and a mark"),
            Self::MendHear(_) => f.write_str("mends: reads the log anew"),
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

/// What is done once the log is in order.
#[derive(Debug, Clone, Hash)]
pub enum Resume {
    ReadRecord,
    /// The record was read since these were put back.
    PutBack {
        lost: Vec<Appended>,
        then: Box<Resume>,
    },
    Confirm(Box<Resume>),
    CaughtUp {
        through: Seq,
        confirmed: u64,
        vouches: u8,
        then: Box<Resume>,
    },
    /// A beat or a start goes on after its confirmation.
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
    /// `None`: it only heals, and the request begins anew.
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

/// What its caller is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answer {
    Granted {
        token: Token,
        generation: u64,
        how: How,
    },
    /// `invalid_grant`.
    Refused,
    /// The log says so here.
    Kicked(Seq),
    /// Likewise.
    Voided(Seq),
    Beaten,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum How {
    Login,
    /// Outside the window.
    Advance,
    /// Within it.
    Repeat,
}

/// An access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Token {
    pub gid: Handle,
    pub sid: Handle,
    pub expires: u64,
}
