//! Taking back: each names in the log what it ends, and leaves a record that no longer holds it.
//!
//! Records must have been healed. `next` is a group that was drawn for this request, and is not [spent](is_spent).

use doorlist_verifier::Handle;

use super::claims::{check_len, merged};
use super::lineage::Lineage;
use super::{
    AuditEvent, AuditKind, Change, CustomClaims, GroupEnd, Moment, PasswordHash, Record, Revocation, Subject,
    SubjectLog, SubjectState, UnfitClaims,
};

/// Whether another group must be drawn for a request that begins anew: with what it logged at first, somebody led the
/// record into its group already, or revoked it as one that no record has.
pub fn is_spent(next: Handle, record: &Record, log: &SubjectLog) -> bool {
    record.gid == next || Lineage::of(log).is_logged(next)
}

/// A new group, and no sessions.
pub fn kick(sub: &Subject, record: &Record, next: Handle) -> Change {
    end_group(sub, record, next, GroupEnd::Kick, AuditKind::Kicked)
}

/// A new group; sessions live on and refresh into it.
pub fn void(sub: &Subject, record: &Record, next: Handle) -> Change {
    end_group(sub, record, next, GroupEnd::Void, AuditKind::Voided)
}

/// A kick; no login until it is enabled again.
pub fn disable(sub: &Subject, record: &Record, next: Handle) -> Change {
    end_group(sub, record, next, GroupEnd::Disable, AuditKind::Disabled)
}

/// A kick; no login but with the new password.
pub fn set_password(sub: &Subject, record: &Record, next: Handle, password: PasswordHash) -> Change {
    let mut change = end_group(sub, record, next, GroupEnd::Kick, AuditKind::PasswordChanged);
    change.record.password = Some(password);
    change
}

/// A void, after which tokens carry other claims.
///
/// # Errors
///
/// [`UnfitClaims::TooLong`] when they do not fit into a token beside those of some session; nothing may be written then.
pub fn set_claims(
    sub: &Subject,
    record: &Record,
    next: Handle,
    claims: CustomClaims,
    moment: &Moment<'_>,
) -> Result<Change, UnfitClaims> {
    let mut change = end_group(sub, &record.pruned(moment), next, GroupEnd::Void, AuditKind::ClaimsChanged);
    for session in &change.record.sessions {
        check_len(&merged(&session.claims, &claims))?;
    }
    change.record.claims = claims;
    Ok(change)
}

/// A kick that leaves a record as of a subject that was never seen, which may be forgotten at once: nothing
/// carries its group.
pub fn delete(sub: &Subject, record: &Record, next: Handle) -> Change {
    let mut change = end_group(sub, record, next, GroupEnd::Kick, AuditKind::SubjectDeleted);
    change.record = Record::new(next);
    change
}

/// Logins are welcome again. What was revoked stays so.
pub fn enable(sub: &Subject, record: &Record) -> Change {
    let mut next = record.clone();
    next.state = SubjectState::Active;
    Change::to(next).noting(AuditEvent::of(AuditKind::Enabled, sub, record.gid))
}

/// The record without this session; `None` when it is not there, and then nothing may be logged: it may be
/// somebody else's.
pub fn end_session(sub: &Subject, record: &Record, sid: Handle) -> Option<Change> {
    record.session(sid)?;
    let mut next = record.clone();
    next.sessions.retain(|session| session.sid != sid);
    let change = Change::to(next).revoking(sub, Revocation::Session { sid });
    Some(change.noting(AuditEvent::of(AuditKind::SessionEnded, sub, sid)))
}

fn end_group(sub: &Subject, record: &Record, next: Handle, and: GroupEnd, event: AuditKind) -> Change {
    let mut record_to_be = record.clone();
    record_to_be.gid = next;
    if and >= GroupEnd::Kick {
        record_to_be.sessions.clear();
    }
    if and == GroupEnd::Disable {
        record_to_be.state = SubjectState::Disabled;
    }
    Change::to(record_to_be)
        .revoking(sub, Revocation::Group { gid: record.gid, next, and })
        .noting(AuditEvent::of(event, sub, record.gid))
}

/// What a kick must see gone before it may be acknowledged: the group and every session that the record held when
/// the kick began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holdings {
    gid: Handle,
    sids: Vec<Handle>,
}

impl Holdings {
    /// What this record holds.
    pub fn of(record: &Record) -> Self {
        Self { gid: record.gid, sids: record.sessions.iter().map(|session| session.sid).collect() }
    }

    /// Whether the record (or its absence) holds none of it any more.
    pub fn are_gone_from(&self, record: Option<&Record>) -> bool {
        record.is_none_or(|record| {
            record.gid != self.gid && record.sessions.iter().all(|session| !self.sids.contains(&session.sid))
        })
    }
}

#[cfg(test)]
mod tests;
