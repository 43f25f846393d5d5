//! Finishing what the log began: the log is the truth, the record catches up.

use doorlist_verifier::Handle;

use super::lineage::Lineage;
use super::{AuditEvent, AuditKind, Change, GroupEnd, Record, Revocation, Subject, SubjectLog, SubjectState};

/// What a record must become before anything else is decided on it, or the log must gain: `None` when the log asks
/// nothing of it. To be asked again of what comes of it, until then.
///
/// By handle, never by subject: a login made after a kick stands on the kick's `next` group, which no entry names,
/// and is left alone.
///
/// 1. A record whose group is in the log lost a write, or its writer died: it is led on to the group that took its
///    place, under the strongest end logged on the way.
/// 2. A record whose group is not in the log, but whose sessions escaped an end on another branch of the log (a void
///    overtook a kick, or a failover lost the kick and somebody has put it back), is kicked or disabled now.
/// 3. The group at the end of another branch is revoked: a failover may have lost the record that had it, and tokens
///    of it were meant, too, by every revocation since the branches parted. The record stays as it is.
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
            // Two revocations met on one group, and tokens may carry the `next` of either: both are revoked. Where
            // the log leads in a circle, this is the way out of it.
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
