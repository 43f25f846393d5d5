//! Refresh: each session is one chain of generations and rotates at most once in a grace window.

use doorlist_verifier::Handle;

use super::{
    AuditEvent, AuditKind, Change, Durability, Grant, Moment, Record, Revocation, Subject, SubjectState,
};

/// A refresh token that a client presented and whose MAC is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Presented<'a> {
    /// The token's session.
    pub sid: Handle,
    /// The token's generation, `n`.
    pub generation: u64,
    /// The client that presents the token, if the request names one.
    pub client_id: Option<&'a str>,
}

/// The decision about a refresh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Answer with RFC 6749 `invalid_grant`. Nothing is written.
    Refuse(RefreshRefusal),
    /// Repeat the answer of the last rotation. Nothing is written.
    Repeat(Grant),
    /// Make a new generation. The grant is valid after the change has been written.
    Advance(Change, Grant),
    /// Two parties hold tokens of this session, so the session ends.
    Reuse(Change),
}

/// Why a refresh token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefreshRefusal {
    /// The subject has no session with this `sid`.
    NoSuchSession,
    /// The session has ended: its idle or absolute lifetime has ended, or a cut-off ended all sessions.
    Ended,
    /// The subject is disabled.
    Disabled,
    /// The token belongs to another client. Nothing was changed.
    WrongClient,
}

/// The decision table. `g` is the current generation. `p` is the generation that the last rotation replaced. `at` is
/// the time when `g` was made. `n` is the generation of the presented token. The first row that fits applies:
///
/// | case | answer |
/// |---|---|
/// | no such session, session ended, subject disabled, or another client | `invalid_grant` |
/// | `p ≤ n ≤ g`, and the grace window after `at` is still open | the token of `g` again; nothing is written |
/// | `n = g` | rotate: `p ← g`, `g ← g+1`, `at ← now` |
/// | `n = p` | the last answer was lost: `g ← g+1`, `at ← now`, `p` stays |
/// | `n > g` | the store lost a write: `g ← n`, `at ← now`, `p` stays |
/// | otherwise | reuse: revoke the session |
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
        // If no replica had this write, a failover could also undo the earlier write that gave the record its current
        // group. A later kick would then revoke the previous group, and the new token would stay valid.
        true => Durability::Replicated,
        // If a failover loses the write of this refresh, the client's next request restores the newer generation.
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
