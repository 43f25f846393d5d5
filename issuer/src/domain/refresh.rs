//! Refresh: one chain of generations a session, rotated at most once in a grace window.

use doorlist_verifier::Handle;

use super::{
    AuditEvent, AuditKind, Change, Durability, Grant, Moment, Record, Revocation, Subject, SubjectState,
};

/// An authentic refresh token that was presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Presented<'a> {
    /// Its session.
    pub sid: Handle,
    /// Its generation, `n`.
    pub generation: u64,
    /// Who presents it, if they say so.
    pub client_id: Option<&'a str>,
}

/// What becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// RFC 6749 `invalid_grant`; nothing is written.
    Refuse(RefreshRefusal),
    /// The answer of the last rotation again; nothing is written.
    Repeat(Grant),
    /// A new generation, granted when it is written.
    Advance(Change, Grant),
    /// Two parties hold this session: it ends.
    Reuse(Change),
}

/// Why a refresh token is no good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefreshRefusal {
    /// The subject has no such session (any more).
    NoSuchSession,
    /// Idle or absolute lifetime is over.
    Ended,
    /// The subject is disabled.
    Disabled,
    /// The token belongs to another client; nothing was changed.
    WrongClient,
}

/// The table. With `g` the current generation, `p` the one last rotated away, `at` when `g` was made, for a token
/// of generation `n`, the first case that fits:
///
/// | case | answer |
/// |---|---|
/// | no such session, ended, subject disabled, another client | `invalid_grant` |
/// | `p ≤ n ≤ g`, and `at` younger than the grace window | `g` again; nothing changes |
/// | `n = g` | rotate: `p ← g`, `g ← g+1`, `at ← now` |
/// | `n = p` | the last answer was lost: `g ← g+1`, `at ← now`, `p` stays |
/// | `n > g` | the store lost a write: `g ← n`, `at ← now`, `p` stays |
/// | else | reuse: revoke the session |
///
/// The record must have been healed.
pub fn refresh(
    sub: &Subject,
    record: Option<&Record>,
    token: Presented<'_>,
    moment: &Moment<'_>,
) -> Decision {
    let Some(record) = record else { return Decision::Refuse(RefreshRefusal::NoSuchSession) };
    if record.state == SubjectState::Disabled {
        return Decision::Refuse(RefreshRefusal::Disabled);
    }
    let Some(session) = record.session(token.sid) else {
        return Decision::Refuse(RefreshRefusal::NoSuchSession);
    };
    if !session.is_live(moment) {
        return Decision::Refuse(RefreshRefusal::Ended);
    }
    if token.client_id.is_some_and(|client_id| client_id != session.client_id) {
        return Decision::Refuse(RefreshRefusal::WrongClient);
    }

    let (n, g, p) = (token.generation, session.generation, session.previous);
    let younger = moment.now.secs_since(session.rotated_at) < moment.limits.refresh_grace_secs;
    if younger && (p..=g).contains(&n) {
        return Decision::Repeat(Grant::of(sub, record, session, moment));
    }
    let (generation, previous, event) = match n {
        _ if n == g => (g.saturating_add(1), g, None),
        _ if n == p => (g.saturating_add(1), p, Some(AuditKind::RefreshRecovered)),
        _ if n > g => (n, p, Some(AuditKind::RefreshCaughtUp)),
        _ => return Decision::Reuse(reuse(sub, record, token.sid, moment)),
    };

    let mut next = record.pruned(moment);
    let Some(session) = next.sessions.iter_mut().find(|session| session.sid == token.sid) else {
        return Decision::Refuse(RefreshRefusal::Ended);
    };
    session.generation = generation;
    session.previous = previous;
    session.rotated_at = moment.now;
    session.last_seen_at = moment.now;
    let session = session.clone();
    let grant = Grant::of(sub, &next, &session, moment);
    let durability = match moment.log.leads_to(next.gid) {
        // A token of a group that a failover takes back would be in nobody's reach.
        true => Durability::Replicated,
        // A store that loses it is told the generation by the client.
        false => Durability::Local,
    };
    let rotated = Change { durability, ..Change::to(next) };
    let change =
        event.into_iter().fold(rotated, |change, kind| change.noting(AuditEvent::of(kind, sub, token.sid)));
    Decision::Advance(change, grant)
}

fn reuse(sub: &Subject, record: &Record, sid: Handle, moment: &Moment<'_>) -> Change {
    let mut next = record.pruned(moment);
    next.sessions.retain(|session| session.sid != sid);
    Change::to(next).revoking(sub, Revocation::Session { sid }).noting(AuditEvent::of(
        AuditKind::RefreshReused,
        sub,
        sid,
    ))
}

#[cfg(test)]
mod tests;
