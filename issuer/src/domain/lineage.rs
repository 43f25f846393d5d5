//! The token groups of one subject. The revocation log says which group replaced which group.
//!
//! Usually there is a single path: each group was revoked by one entry, and the `next` of this entry is the following
//! group. If two entries revoke the same group, the path forks. At most one of the branches ends at the record's group.
//! A group on another branch has one of two causes:
//!
//! - The request that drew the group came too late and started over. Then no record ever had the group.
//! - A failover lost the record that held the group. Then tokens with the group may still exist.

use std::collections::{HashMap, HashSet};

use doorlist_verifier::Handle;

use super::{GroupEnd, Revocation, SubjectLog};

/// The token groups that a subject's entries name.
#[derive(Debug)]
pub struct Lineage {
    logged: HashSet<Handle>,
    steps: HashMap<Handle, Vec<Step>>,
}

/// One replacement: from a group to its `next` group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Step {
    next: Handle,
    and: GroupEnd,
}

/// The paths in the revocation log that begin at a revoked group.
#[derive(Debug, PartialEq, Eq)]
pub struct Onward {
    /// The strongest [`GroupEnd`] on these paths.
    pub end: GroupEnd,
    /// The groups at the ends of these paths. No entry revokes these groups. There may be several ends if two entries
    /// revoke the same group. At most one of these ends is the record's group.
    pub last: Vec<Handle>,
}

/// A group at the end of a branch that does not lead to the record's group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stray {
    /// The group. No entry revokes this group.
    pub gid: Handle,
    /// The strongest [`GroupEnd`] on all paths that begin at the fork. The fork is the last group from which one path
    /// leads to this group and another path leads to the record's group.
    pub end: GroupEnd,
}

impl Lineage {
    /// The lineage that a subject's entries describe.
    pub fn of(log: &SubjectLog) -> Self {
        let mut lineage = Self { logged: HashSet::new(), steps: HashMap::new() };
        for logged in &log.revoked {
            lineage.logged.insert(logged.revocation.handle());
            if let Revocation::Group { gid, next, and } = logged.revocation {
                let steps = lineage.steps.entry(gid).or_default();
                let step = Step { next, and };
                if !steps.contains(&step) {
                    steps.push(step);
                }
            }
        }
        lineage
    }

    /// Whether an entry revokes this group or session.
    pub fn is_logged(&self, handle: Handle) -> bool {
        self.logged.contains(&handle)
    }

    /// The paths that begin at this group; `None` if no entry revokes this group.
    pub fn onward(&self, gid: Handle) -> Option<Onward> {
        let mut onward: Option<Onward> = None;
        let mut seen = HashSet::from([gid]);
        let mut open = vec![gid];
        while let Some(from) = open.pop() {
            for Step { next, and } in self.steps_from(from) {
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

    /// All groups from which a path leads to the group `gid`. Each group is returned with the [`GroupEnd`] that
    /// applied to the sessions of that group.
    ///
    /// On one path, the strongest [`GroupEnd`] applies. If several paths lead from a group to `gid`, the path with
    /// the weakest result counts, because the sessions may have taken that path.
    pub fn ways_to(&self, gid: Handle) -> HashMap<Handle, GroupEnd> {
        let mut back: HashMap<Handle, Vec<(Handle, GroupEnd)>> = HashMap::new();
        for (from, steps) in &self.steps {
            for step in steps {
                back.entry(step.next).or_default().push((*from, step.and));
            }
        }
        let mut ways = HashMap::new();
        let mut open = vec![(gid, GroupEnd::Void)];
        while let Some((to, so_far)) = open.pop() {
            for (from, and) in back.get(&to).into_iter().flatten() {
                let end = so_far.max(*and);
                if *from != gid && ways.get(from).is_none_or(|known| end < *known) {
                    ways.insert(*from, end);
                    open.push((*from, end));
                }
            }
        }
        ways
    }

    /// The strongest [`GroupEnd`] that did not reach the sessions of this group. Such a [`GroupEnd`] is on another
    /// branch, and every [`GroupEnd`] on the sessions' own path is weaker. `None` if there is no such [`GroupEnd`].
    pub fn escaped(&self, gid: Handle) -> Option<GroupEnd> {
        let forks = self.forks_before(gid).into_iter();
        forks.filter(|(way, onward)| onward.end > *way).map(|(_, onward)| onward.end).max()
    }

    /// The groups at the ends of all branches that do not lead to the group `gid`. Every fork on a path to `gid`
    /// counts.
    pub fn strays_of(&self, gid: Handle) -> Vec<Stray> {
        let mut strays: Vec<Stray> = Vec::new();
        for (_, Onward { end, last }) in self.forks_before(gid) {
            for other in last.into_iter().filter(|last| *last != gid) {
                // A nearer fork is followed by fewer entries. So if several forks lead to the same group, the weakest
                // `GroupEnd` is the `GroupEnd` of the nearest fork.
                match strays.iter_mut().find(|stray| stray.gid == other) {
                    Some(stray) => stray.end = stray.end.min(end),
                    None => strays.push(Stray { gid: other, end }),
                }
            }
        }
        strays.sort_unstable_by_key(|stray| stray.gid);
        strays
    }

    /// Returns one pair for each fork on the paths to the group `gid`. The first part is the [`GroupEnd`] that
    /// applied to the sessions between the fork and `gid`. The second part holds all paths that begin at the fork.
    fn forks_before(&self, gid: Handle) -> Vec<(GroupEnd, Onward)> {
        if self.steps.values().all(|steps| steps.len() < 2) {
            return Vec::new();
        }
        let ways = self.ways_to(gid).into_iter();
        let forks = ways.filter(|(group, _)| self.steps_from(*group).nth(1).is_some());
        forks.filter_map(|(group, way)| Some((way, self.onward(group)?))).collect()
    }

    fn steps_from(&self, gid: Handle) -> impl Iterator<Item = Step> {
        self.steps.get(&gid).into_iter().flatten().copied()
    }
}
