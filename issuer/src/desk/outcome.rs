//! What the desk answers: one type for each request.

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
    /// The session goes on.
    Granted(Grant),
    /// RFC 6749 `invalid_grant`.
    Refused(RefreshRefusal),
    /// `invalid_grant`: a superseded token came back, so two parties hold the session. It was revoked, and its
    /// `sid` is in the log up to here.
    Reused(Cursor),
}

/// Answer to a kick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kick {
    /// Every token and session the subject had when the kick began is gone, and was durable in the log here.
    Kicked(Cursor),
    /// The group that was named is no longer current, and not by a kick: nothing was done.
    NotCurrent {
        /// The current group.
        gid: Handle,
    },
    /// There is no such subject.
    UnknownSubject,
}

/// Answer to void, disable, enable, a new password and deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It is so, durably, and the log says so up to here.
    Done(Cursor),
    /// There is no such subject.
    UnknownSubject,
}

/// Answer to other claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimsChange {
    /// Every token from now on carries them, and the log says up to here that those before are void.
    Done(Cursor),
    /// They do not fit into a token beside those of some session: nothing was done.
    Unfit(UnfitClaims),
    /// There is no such subject.
    UnknownSubject,
}

/// Answer to the end of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndSession {
    /// It has ended, and the log says so up to here.
    Ended(Cursor),
    /// The subject has no such session: nothing was written.
    NoSuchSession,
    /// The session is another client's: nothing was written.
    OtherClient,
}

/// Answer to a new subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Creation {
    /// It is there.
    Created(Cursor),
    /// There was one of this name already; it was left as it is.
    Exists,
}

/// Answer to a cut-off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CutoffSet {
    /// Tokens issued before it are void.
    pub cutoff: UnixSeconds,
    /// Where the log says so.
    pub position: Cursor,
}

/// Answer to a swap of the key ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeySwap {
    /// It is the new one, and the log says so up to here.
    Swapped(Cursor),
    /// Somebody else changed it meanwhile: read it again and decide anew.
    Conflict,
}

/// A subject as an operator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectDetails {
    /// The name.
    pub sub: Subject,
    /// The current token group.
    pub gid: Handle,
    /// Whether it may log in.
    pub state: SubjectState,
    /// Whether it has an account here.
    pub account: Account,
    /// Claims of all its access tokens, over those of their sessions.
    pub claims: CustomClaims,
    /// Live sessions, oldest first.
    pub sessions: Vec<Session>,
}

/// Whether a subject can sign in with a password of this issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Account {
    /// It has a password here.
    Local,
    /// A trusted back end signs it in.
    External,
}

/// A page of subjects in order of their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectPage {
    /// The subjects; in the place of one whose record is damaged, its name and the reason.
    pub subjects: Vec<Result<SubjectDetails, DamagedSubject>>,
    /// Ask for the next page after this one; `None`: there is none.
    pub next: Option<Subject>,
}

/// A subject whose record cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DamagedSubject {
    /// The name.
    pub sub: Subject,
    /// What is wrong.
    pub reason: String,
}
