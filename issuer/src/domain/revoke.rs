//! The rules that revoke. Each rule appends an entry for the group or session that it ends. The new record no longer
//! holds that group or session.
//!
//! The record must have been healed. `next` is a group that was drawn for this request and can still be used, see
//! [`is_spent`].

use doorlist_verifier::Handle;

use super::claims::{check_len, merged};
use super::lineage::Lineage;
use super::{
    AuditEvent, AuditKind, Change, CustomClaims, GroupEnd, Moment, PasswordHash, Record, Revocation, Subject,
    SubjectLog, SubjectState, UnfitClaims,
};

/// Whether a request that starts over must draw another group, because `next` can no longer be used.
///
/// This happens if the first attempt of the request appended an entry with `next`, and another request then acted on
/// this entry. The other request either gave the record the group `next`, or revoked `next` because no record had this
/// group.
pub fn is_spent(next: Handle, record: &Record, log: &SubjectLog) -> bool {
    record.gid == next || Lineage::of(log).is_logged(next)
}

/// Gives the subject a new group and ends its sessions.
pub fn kick(sub: &Subject, record: &Record, next: Handle) -> Change {
    end_group(sub, record, next, GroupEnd::Kick, AuditKind::Kicked)
}

/// Gives the subject a new group. The sessions stay open. The next refresh of a session gives a token of the new group.
pub fn void(sub: &Subject, record: &Record, next: Handle) -> Change {
    end_group(sub, record, next, GroupEnd::Void, AuditKind::Voided)
}

/// A kick after which the subject cannot log in until the subject is enabled again.
pub fn disable(sub: &Subject, record: &Record, next: Handle) -> Change {
    end_group(sub, record, next, GroupEnd::Disable, AuditKind::Disabled)
}

/// A kick that also replaces the password.
pub fn set_password(sub: &Subject, record: &Record, next: Handle, password: PasswordHash) -> Change {
    let mut change = end_group(sub, record, next, GroupEnd::Kick, AuditKind::PasswordChanged);
    change.record.password = Some(password);
    change
}

/// A void that also replaces the subject's claims.
///
/// # Errors
///
/// [`UnfitClaims::TooLong`] if the new claims, merged with the claims of a live session, do not fit into a token. In
/// this case the caller must not write anything.
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

/// A kick that also empties the record. The caller can delete the record at once, because no token carries the record's
/// new group.
pub fn delete(sub: &Subject, record: &Record, next: Handle) -> Change {
    let mut change = end_group(sub, record, next, GroupEnd::Kick, AuditKind::SubjectDeleted);
    change.record = Record::new(next);
    change
}

/// Allows the subject to log in again. Everything that was revoked stays revoked.
pub fn enable(sub: &Subject, record: &Record) -> Change {
    let mut next = record.clone();
    next.state = SubjectState::Active;
    Change::to(next).noting(AuditEvent::of(AuditKind::Enabled, sub, record.gid))
}

/// The change that removes this session. `None` if the record does not hold this session. In this case the caller must
/// not append an entry, because the session can belong to another subject.
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

/// The group and the sessions that the record held when a kick began. The kick must not be acknowledged while the
/// record still holds the group or any of these sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holdings {
    gid: Handle,
    sids: Vec<Handle>,
}

impl Holdings {
    /// The group and the sessions of this record.
    pub fn of(record: &Record) -> Self {
        Self { gid: record.gid, sids: record.sessions.iter().map(|session| session.sid).collect() }
    }

    /// Whether the record holds neither the group nor any of the sessions. The result is also true if the record no
    /// longer exists.
    pub fn are_gone_from(&self, record: Option<&Record>) -> bool {
        record.is_none_or(|record| {
            record.gid != self.gid && record.sessions.iter().all(|session| !self.sids.contains(&session.sid))
        })
    }
}

#[cfg(test)]
mod tests;
