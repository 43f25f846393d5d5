//! Login: adds a session to the record.

use doorlist_verifier::{Handle, UnixSeconds};

use super::claims::{check_len, merged};
use super::{
    AuditEvent, AuditKind, Change, CustomClaims, Grant, Moment, Record, Revocation, Session, Subject,
    SubjectState, UnfitClaims,
};

/// A session to open for a user who is already authenticated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OpenSession {
    /// The client that the session is for (RFC 6749 §2.2).
    pub client_id: String,
    /// The RFC 6749 §3.3 scope.
    pub scope: Option<String>,
    /// The user's name for the device.
    pub device: Option<String>,
    /// The caller's claims, already checked against their limits.
    pub claims: CustomClaims,
}

/// The handles for one login. They are drawn once, even if the rule runs several times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoginHandles {
    /// The handle of the new session.
    pub sid: Handle,
    /// The handle of the token group. It is used only if the subject is new.
    pub gid: Handle,
}

/// The decision about a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// No session is opened and nothing is written.
    Refuse(LoginRefusal),
    /// The record shows that this login was already written.
    Done(Grant),
    /// Open a session. The grant is valid after the change has been written.
    Open(Change, Grant),
}

/// Why no session was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoginRefusal {
    /// The account does not exist here, or the password is wrong. The answer does not tell the client which of the
    /// two is true.
    WrongPassword,
    /// The password could not be checked now. The client should try again after a moment.
    CheckerBusy,
    /// The subject is disabled. The client learns this only if the password is right.
    Disabled,
    /// The subject already has the maximum number of handles in the revocation list. After this many seconds the
    /// subject can log in again.
    ListFull {
        /// Seconds, at least 1.
        retry_after_secs: u64,
    },
    /// The session's claims and the subject's claims together do not fit into a token.
    Claims(UnfitClaims),
}

/// The live handles of one subject in the revocation log are at most this many times the maximum between two kicks.
/// The number limits the list if operators kick a subject again and again.
const SHARES_IN_ALL: usize = 8;

/// Adds a session. If the subject already has the maximum number of sessions, the session that has been unused for
/// the longest time ends. An entry for the ended session is appended to the revocation log.
///
/// If the subject already has the maximum number of handles in the revocation log, the login is refused. Otherwise a
/// client could make the revocation list large. Only the handles since the last kick count: a stranger who knows the
/// password can use up the maximum, and a new password, which kicks, must let the owner in again (trace 13). The record
/// must have been healed.
pub fn login(
    sub: &Subject,
    record: Option<&Record>,
    open: &OpenSession,
    handles: LoginHandles,
    moment: &Moment<'_>,
) -> Decision {
    let record = record.map_or_else(|| Record::new(handles.gid), |record| record.pruned(moment));
    if let Some(session) = record.session(handles.sid) {
        return Decision::Done(Grant::of(sub, &record, session, moment));
    }
    if record.state == SubjectState::Disabled {
        return Decision::Refuse(LoginRefusal::Disabled);
    }
    if let Some(retry_after_secs) = full_for_secs(moment) {
        return Decision::Refuse(LoginRefusal::ListFull { retry_after_secs });
    }
    if let Err(unfit) = check_len(&merged(&open.claims, &record.claims)) {
        return Decision::Refuse(LoginRefusal::Claims(unfit));
    }
    let mut change = make_room(sub, Change::to(record), moment);
    let session = new_session(open, handles.sid, moment);
    change.record.last_session_end = change.record.last_session_end.max(session.ends_at);
    change.record.sessions.push(session.clone());
    let grant = Grant::of(sub, &change.record, &session, moment);
    Decision::Open(change.noting(AuditEvent::of(AuditKind::Login, sub, handles.sid)), grant)
}

/// Seconds until the subject may log in again. `None` if it may log in now.
fn full_for_secs(moment: &Moment<'_>) -> Option<u64> {
    let most = moment.limits.entries_per_subject;
    let since_last_kick = moment.log.since_last_kick().full_for_secs(most, moment.now);
    since_last_kick.max(moment.log.full_for_secs(most.saturating_mul(SHARES_IN_ALL), moment.now))
}

fn make_room(sub: &Subject, mut change: Change, moment: &Moment<'_>) -> Change {
    while change.record.sessions.len() >= moment.limits.sessions_per_subject.max(1) {
        let sessions = &mut change.record.sessions;
        let Some(unseen) =
            sessions.iter().min_by_key(|session| session.last_seen_at).map(|session| session.sid)
        else {
            break;
        };
        sessions.retain(|session| session.sid != unseen);
        change = change.revoking(sub, Revocation::Session { sid: unseen }).noting(AuditEvent::of(
            AuditKind::SessionEvicted,
            sub,
            unseen,
        ));
    }
    change
}

fn new_session(open: &OpenSession, sid: Handle, moment: &Moment<'_>) -> Session {
    Session {
        sid,
        generation: 1,
        previous: 0,
        rotated_at: UnixSeconds::ZERO,
        // If a cut-off ended all sessions in the current second, the new session must count as opened after the
        // cut-off.
        created_at: moment.now.max(moment.log.settings.sessions_since),
        last_seen_at: moment.now,
        ends_at: moment.now.plus_secs(moment.limits.refresh_absolute_secs),
        client_id: open.client_id.clone(),
        scope: open.scope.clone(),
        device: open.device.clone(),
        claims: open.claims.clone(),
    }
}

#[cfg(test)]
mod tests;
