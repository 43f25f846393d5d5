//! Which of a subject's groups took the place of which, as the log tells it.

use std::collections::HashSet;

use doorlist_verifier::Handle;

use super::{GroupEnd, Revocation, SubjectLog};

/// The groups a subject's log entries lead through.
#[derive(Debug)]
pub struct Lineage<'a> {
    log: &'a SubjectLog,
}

/// Where the log leads from a group that is in it.
#[derive(Debug, PartialEq, Eq)]
pub struct Onward {
    /// The strongest end on the way.
    pub end: GroupEnd,
    /// The groups at the end of the way, which are not in the log themselves. More than one when two revocations
    /// met on one group, of which at most one reached the record.
    pub last: Vec<Handle>,
}

impl<'a> Lineage<'a> {
    /// The lineage told by these entries.
    pub fn of(log: &'a SubjectLog) -> Self {
        Self { log }
    }

    /// Whether an entry names this group or session.
    pub fn is_logged(&self, handle: Handle) -> bool {
        self.log.revoked.iter().any(|logged| logged.revocation.handle() == handle)
    }

    /// Where the log leads from this group; `None` when no entry names it.
    pub fn onward(&self, gid: Handle) -> Option<Onward> {
        let mut onward: Option<Onward> = None;
        let mut seen = HashSet::from([gid]);
        let mut open = vec![gid];
        while let Some(from) = open.pop() {
            for (_, next, and) in self.steps().filter(|(gid, ..)| *gid == from) {
                let onward = onward.get_or_insert(Onward { end: and, last: Vec::new() });
                onward.end = onward.end.max(and);
                if !seen.insert(next) {
                    continue;
                }
                if self.is_logged(next) {
                    open.push(next);
                } else {
                    onward.last.push(next);
                }
            }
        }
        onward
    }

    /// A kick or more of a group whose sessions a void carried on into this one, before the kick reached them.
    pub fn overtaken(&self, gid: Handle) -> Option<GroupEnd> {
        let mut end = None;
        let mut seen = HashSet::from([gid]);
        let mut open = vec![gid];
        while let Some(to) = open.pop() {
            for (from, ..) in self.steps().filter(|(_, next, and)| *next == to && *and == GroupEnd::Void) {
                let ends = self.steps().filter(|(gid, ..)| *gid == from).map(|(.., and)| and);
                end = end.max(ends.max());
                if seen.insert(from) {
                    open.push(from);
                }
            }
        }
        end.filter(|end| *end >= GroupEnd::Kick)
    }

    /// The strongest end on the way from one group to another; `None` when the log knows no such way.
    pub fn between(&self, from: Handle, to: Handle) -> Option<GroupEnd> {
        let mut seen = HashSet::from([to]);
        let mut open = vec![(to, GroupEnd::Void)];
        let mut end = None;
        while let Some((at, so_far)) = open.pop() {
            for (gid, _, and) in self.steps().filter(|(_, next, _)| *next == at) {
                let strongest = so_far.max(and);
                if gid == from {
                    end = end.max(Some(strongest));
                } else if seen.insert(gid) {
                    open.push((gid, strongest));
                }
            }
        }
        end
    }

    fn steps(&self) -> impl Iterator<Item = (Handle, Handle, GroupEnd)> {
        self.log.revoked.iter().filter_map(|logged| match logged.revocation {
            Revocation::Group { gid, next, and } => Some((gid, next, and)),
            Revocation::Session { .. } => None,
        })
    }
}
