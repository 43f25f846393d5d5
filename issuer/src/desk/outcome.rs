//! The desk's answers: one type for each kind of request.

use doorlist_verifier::{Cursor, Handle, UnixSeconds};

use crate::domain::{
    CustomClaims, Grant, LoginRefusal, RefreshRefusal, Session, Subject, SubjectState, UnfitClaims,
};

/// Answer to a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Login {
    /// A session is open.
    Opened(Grant),
    /// No session was opened and nothing was changed.
    Refused(LoginRefusal),
}

/// Answer to a refresh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refresh {
    /// The session was refreshed.
    Granted(Grant),
    /// RFC 6749 `invalid_grant`.
    Refused(RefreshRefusal),
    /// `invalid_grant`: a client presented a superseded refresh token, so two parties have tokens of the session. The
    /// session was revoked, and the revocation log holds the session's `sid` at or before this position.
    Reused(Cursor),
}

/// Answer to a kick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kick {
    /// Every token and session that the subject had when the kick began has ended. The entries that ended them are
    /// durable in the revocation log, at or before this position.
    Kicked(Cursor),
    /// The named group is not the current group, and no kick ended the named group. Nothing was done.
    NotCurrent {
        /// The current group.
        gid: Handle,
    },
    /// There is no such subject.
    UnknownSubject,
}

/// Answer to void, disable, enable, a new password and deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acknowledged {
    /// The change is durable. Its entries are in the revocation log at or before this position.
    Done(Cursor),
    /// There is no such subject.
    UnknownSubject,
}

/// Answer to a change of a subject's claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimsChange {
    /// Every new token carries the claims. Older tokens are void. The entry that makes them void is in the revocation
    /// log at or before this position.
    Done(Cursor),
    /// The new claims and the claims of one of the sessions together do not fit into a token. Nothing was done.
    Unfit(UnfitClaims),
    /// There is no such subject.
    UnknownSubject,
}

/// Answer to the end of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndSession {
    /// The session has ended. The session's entry is in the revocation log at or before this position.
    Ended(Cursor),
    /// The subject has no such session. Nothing was written.
    NoSuchSession,
    /// The session belongs to another client. Nothing was written.
    OtherClient,
}

/// Answer to the creation of a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Creation {
    /// The subject was created.
    Created(Cursor),
    /// A subject with this name already exists. It was not changed.
    Exists,
}

/// Answer to a cut-off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CutoffSet {
    /// Tokens issued before this time are void.
    pub cutoff: UnixSeconds,
    /// The revocation log holds the cut-off at or before this position.
    pub position: Cursor,
}

/// Answer to a swap of the key ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeySwap {
    /// The new ring is stored. The revocation log holds the change at or before this position.
    Swapped(Cursor),
    /// Another request changed the ring first. The caller should read the ring and decide again.
    Conflict,
}

/// The operator's view of a subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectDetails {
    /// The name.
    pub sub: Subject,
    /// The current token group.
    pub gid: Handle,
    /// Whether the subject is allowed to log in.
    pub state: SubjectState,
    /// Whether the subject has an account here.
    pub account: Account,
    /// Claims for all access tokens of the subject. These claims take precedence over the claims of a session.
    pub claims: CustomClaims,
    /// Live sessions, oldest first.
    pub sessions: Vec<Session>,
}

/// Whether a subject can sign in with a password at this issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Account {
    /// The subject has a password here.
    Local,
    /// A trusted back end signs the subject in.
    External,
}

/// A page of subjects in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectPage {
    /// The subjects. If the record of a subject is damaged, only the subject's name and the reason are listed.
    pub subjects: Vec<Result<SubjectDetails, DamagedSubject>>,
    /// The subject after which the next page begins; `None` if this is the last page.
    pub next: Option<Subject>,
}

/// A subject whose record cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DamagedSubject {
    /// The name.
    pub sub: Subject,
    /// Why the record cannot be read.
    pub reason: String,
}
