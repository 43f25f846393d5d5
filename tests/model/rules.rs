//! What may be switched off, one by one, to see that the search finds what the rule is there for; and how far is
//! searched.

use crate::world::Ask;

/// A rule of the issuer that the model leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Trace 2: a new number is above the clock and above what its writer knows, not only above the last.
    SequenceNeverTwice,
    /// Trace 2: what a node holds and the log lost is put back.
    UnionAfterFailover,
    /// Trace 3: the record of an entry is read, and finished, before the entry is dropped.
    LookBeforeTrim,
    /// Trace 4: whoever reads a record finishes what the log asks of it.
    HealOnRead,
    /// Trace 4a: a void that overtook a kick does not carry sessions past it.
    KickOvertaken,
    /// A group that a failover took from the record is revoked when what led to it is put back.
    StraysRevoked,
    /// Trace 4a: a kick is acknowledged when no session it found is left, not when the group is another.
    KickSeesSessionsGone,
    /// Trace 4b: the strongest kind that is logged of a group counts, not the first.
    StrongestKind,
    /// Trace 4c: the log's news is read from the store after the record.
    NewsAfterRecord,
    /// Traces 4d and 25: what was read from one master does not fit on another.
    VersionNamesMaster,
    /// A swap fits only what was read.
    CompareAndSwap,
    /// Trace 4e: what the log asks of a record it asks by handle, not of whatever the subject has.
    HealByHandle,
    /// A record is swapped after the entry that says why is in the log.
    AppendFirst,
    /// Trace 5a: the token before the last is good once more, however late.
    LostAnswerHeals,
    /// Trace 5b: within the grace window the last two tokens get the same answer.
    GraceWindow,
    /// Trace 5c: a client may know of a generation that the store lost.
    StoreCatchesUp,
    /// Trace 5: once more, and not for ever.
    ParentOnlyOnce,
    /// An acknowledgement waits for the replica.
    Wait,
}

/// How much of everything may happen in one history, and under which rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope {
    /// What is left out.
    pub off: &'static [Rule],
    /// Whether what revokes, and logins, are acknowledged only with the replica's word.
    pub replicas: Replicas,
    /// What fails over.
    pub shards: Shards,
    /// What node A was asked, and has answered, since the replica fell behind: a search may begin there. None: the
    /// replica is in step.
    pub behind_by: &'static [Ask],
    /// Requests and faults, at most.
    pub most: Budget,
    /// How many of the user's tabs may wait for an answer at once.
    pub tabs: u8,
    /// Whether somebody else begins with a copy of the user's refresh token.
    pub thief: bool,
}

/// Whether answers wait for a replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replicas {
    /// No: a failover may lose what was acknowledged, as long as a living node knows of it.
    Unheard,
    /// Yes, with `WAIT`.
    Waited,
}

/// Where record and log live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shards {
    /// On one server: they fail over together.
    One,
    /// On two: either fails over.
    Two,
}

/// How often each thing may happen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Budget {
    pub kicks: u8,
    pub voids: u8,
    pub logins: u8,
    pub refreshes: u8,
    pub lost_answers: u8,
    pub crashes: u8,
    pub failovers: u8,
    pub windows: u8,
    pub retains: u8,
}

impl Scope {
    pub fn has(&self, rule: Rule) -> bool {
        !self.off.contains(&rule)
    }
}
