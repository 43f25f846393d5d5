//! Finishing what the log began: the log is the truth, the record catches up.

use doorlist_verifier::Handle;

use super::lineage::Lineage;
use super::{AuditEvent, AuditKind, Change, GroupEnd, Record, Revocation, Subject, SubjectLog, SubjectState};

/// What a record must become before anything else is decided on it: `None` when the log asks nothing of it.
///
/// By handle, never by subject: a login made after a kick stands on the kick's `next` group, which no entry names,
/// and is left alone. A record whose group is in the log lost a write, or its writer died: it is led on to the group
/// that took its place, under the strongest end logged on the way. A record whose group is not in the log, but took
/// the place of a kicked one by a void that overtook the kick, is kicked now.
///
/// `draw` gives a group that was never used.
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
        None => match lineage.overtaken(record.gid) {
            Some(end) => (Some(end), vec![record.gid]),
            None => (None, Vec::new()),
        },
    };
    let mut revoked = Vec::new();
    if let Some(and) = end {
        healed.gid = match ends[..] {
            [next] if next != record.gid => next,
            // Two revocations met on one group, and tokens may carry the `next` of either: both are revoked.
            _ => {
                let next = draw();
                revoked.extend(ends.into_iter().map(|gid| Revocation::Group { gid, next, and }));
                next
            }
        };
        if and >= GroupEnd::Kick {
            healed.sessions.clear();
        }
        if and == GroupEnd::Disable {
            healed.state = SubjectState::Disabled;
        }
    }
    if healed == *record {
        return None;
    }
    let change = Change::to(healed).noting(AuditEvent::of(AuditKind::Healed, sub, record.gid));
    Some(revoked.into_iter().fold(change, |change, revocation| change.revoking(sub, revocation)))
}

#[cfg(test)]
mod tests;
