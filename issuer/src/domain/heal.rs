//! Healing: makes a record agree with the revocation log. If the two disagree, the revocation log is right and the
//! record is corrected.

use doorlist_verifier::Handle;

use super::lineage::Lineage;
use super::{AuditEvent, AuditKind, Change, GroupEnd, Record, Revocation, Subject, SubjectLog, SubjectState};

/// Returns the change that must be written before any other rule runs on this record. `None` if the revocation log
/// requires no change. The caller must call this again on the changed record until the result is `None`.
///
/// Sessions that an entry revokes are removed from the record. Entries are matched by handle, never by subject. A login
/// after a kick opens a session in the kick's `next` group. No entry revokes that group, so the session stays open.
///
/// 1. The record's group is revoked. Either the store lost a write of the record, or the node that appended the entry
///    died before it wrote the record. The record gets the last group on the path of replacements. The strongest
///    [`GroupEnd`] on that path applies.
/// 2. The record's group is not revoked, but a kick or a disable on another branch did not reach the record's sessions.
///    One cause is a race: the kick began first, but a void of the same subject wrote the record before the kick did.
///    Another cause is a failover that lost the kick before a node put the kick's entry back. The sessions are kicked
///    or the subject is disabled now.
/// 3. Another branch ends at a group that is not revoked. A failover may have lost the record that held this group,
///    so tokens with this group may exist. Every revocation after the fork was also meant for those tokens. The group
///    is revoked, and the record does not change.
///
/// `draw` returns a group that was never used before.
pub fn heal(
    sub: &Subject,
    record: &Record,
    log: &SubjectLog,
    draw: impl FnOnce() -> Handle,
) -> Option<Change> {
    if log.revoked.is_empty() {
        return None;
    }
    let lineage = Lineage::of(log);
    let mut healed = record.clone();
    healed.sessions.retain(|session| !lineage.is_logged(session.sid));

    let (end, ends) = match lineage.onward(record.gid) {
        Some(onward) => (Some(onward.end), onward.last),
        None => (lineage.escaped(record.gid), vec![record.gid]),
    };
    let revoked: Vec<_> = match (end, &ends[..]) {
        (Some(_), [next]) if *next != record.gid => {
            healed.gid = *next;
            Vec::new()
        }
        (Some(and), ends) => {
            let next = draw();
            healed.gid = next;
            // Two entries revoke the same group and name different `next` groups. Tokens may carry either `next` group,
            // so both are revoked. If the entries form a circle, the record's own group is revoked, and the record gets
            // a new group outside the circle.
            let ends = if ends.is_empty() { &[record.gid] } else { ends };
            ends.iter().map(|gid| Revocation::Group { gid: *gid, next, and }).collect()
        }
        (None, _) => {
            let strays = lineage.strays_of(record.gid).into_iter();
            strays
                .map(|stray| Revocation::Group { gid: stray.gid, next: record.gid, and: stray.end })
                .collect()
        }
    };
    if end >= Some(GroupEnd::Kick) {
        healed.sessions.clear();
    }
    if end == Some(GroupEnd::Disable) {
        healed.state = SubjectState::Disabled;
    }
    if healed == *record && revoked.is_empty() {
        return None;
    }
    let change = Change::to(healed).noting(AuditEvent::of(AuditKind::Healed, sub, record.gid));
    Some(revoked.into_iter().fold(change, |change, revocation| change.revoking(sub, revocation)))
}

#[cfg(test)]
mod tests;
