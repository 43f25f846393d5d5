//! The scope of the search, and the rules that the search can switch off. If a rule is switched off, the search must
//! find the bug that the rule prevents.

use crate::world::Ask;

/// A rule of the issuer that the model can leave out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Trace 2: a new sequence number is not lower than the clock. It is higher than the last number and than every
    /// number that the writer of the entry knows.
    SequenceNeverTwice,
    /// Trace 2: if the revocation log has lost an entry that a node still holds, the node puts the entry back.
    UnionAfterFailover,
    /// Trace 59: before a node confirms, it heals the records of the subjects whose entries it put back.
    HealBeforeConfirm,
    /// Trace 59: a node that has put entries back signs no list until the records of the subjects of these entries are
    /// healed. A fresh confirmation does not change this.
    HealBeforeList,
    /// Trace 3: before an entry is dropped, the record of its subject is read and healed.
    HealBeforeTrim,
    /// Trace 4: every reader of a record first applies the changes that the revocation log requires.
    HealOnRead,
    /// Trace 4a: if a void overtakes a kick, the kick still ends the sessions that the void kept.
    KickOvertaken,
    /// If a failover removed a group from the record, the group is revoked when the entry that created the group is
    /// put back.
    StraysRevoked,
    /// Trace 4a: a kick is acknowledged when every session that the kick found is gone. A new group in the record is
    /// not enough.
    KickSeesSessionsGone,
    /// Trace 4b: if a group is in the revocation log several times, the strongest kind of revocation counts, and not
    /// the kind of the first entry.
    StrongestKind,
    /// Trace 4c: a node reads the record from the store before it reads the new entries of the revocation log.
    NewsAfterRecord,
    /// Traces 4d and 25: a version that was read from one master never matches on another master.
    VersionNamesMaster,
    /// A swap succeeds only if the record was not changed after it was read.
    CompareAndSwap,
    /// Trace 4e: the revocation log ends sessions by handle, not all sessions of the subject.
    HealByHandle,
    /// A record is swapped only when the revocation log already contains the entry that explains the change.
    AppendFirst,
    /// Trace 5a: the token before the last token is accepted once more, even if it arrives late.
    LostAnswerHeals,
    /// Trace 5b: within the grace window the last two tokens get the same answer.
    GraceWindow,
    /// Trace 5c: a client can present a generation that the store has lost.
    StoreCatchesUp,
    /// Trace 5: the previous token is accepted once more, but not repeatedly.
    ParentOnlyOnce,
    /// An acknowledgement waits for the replica.
    Wait,
}

/// The rules that apply, and how often each event is allowed to happen in one history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope {
    /// The rules that are switched off.
    pub off: &'static [Rule],
    /// Whether revocations and logins are acknowledged only after a replica has confirmed them.
    pub replicas: Replicas,
    /// The shards that fail over.
    pub shards: Shards,
    /// The requests that node A answered after the replica fell behind. The search begins after these requests. If
    /// there are no such requests, the replica has all data at the start.
    pub behind_by: &'static [Ask],
    /// The maximum number of requests and faults.
    pub most: Budget,
    /// The maximum number of the user's tabs that wait for an answer at the same time.
    pub tabs: u8,
    /// Whether a thief begins with a copy of the user's refresh token.
    pub thief: bool,
}

/// Whether answers wait for a replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replicas {
    /// No answer waits for a replica. So a failover can lose acknowledged entries, but only if a living node knows
    /// these entries.
    Unheard,
    /// An answer waits until a replica has confirmed the write (Redis's command `WAIT`).
    Waited,
}

/// The servers of the record and the revocation log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shards {
    /// One server holds both, so the record and the revocation log fail over together.
    One,
    /// Two servers: each can fail over without the other.
    Two,
}

/// How often each event is allowed to happen.
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
