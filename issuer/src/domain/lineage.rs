//! Which of a subject's groups took the place of which, as the log tells it.
//!
//! Mostly a single way: each group was revoked once, and its `next` is the group after it. Where two revocations met
//! on one group the log forks, and one of its branches ends at the record. The others were never in a record (their
//! writer came too late, and began anew), or they were and a failover has lost it: then tokens of theirs are about.

use std::collections::{HashMap, HashSet};

use doorlist_verifier::Handle;

use super::{GroupEnd, Revocation, SubjectLog};

/// The groups a subject's log entries lead through.
#[derive(Debug)]
pub struct Lineage {
    logged: HashSet<Handle>,
    steps: HashMap<Handle, Vec<Step>>,
}

/// From one group to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Step {
    next: Handle,
    and: GroupEnd,
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

/// A group at the end of a branch that is not the record's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stray {
    /// Not in the log itself.
    pub gid: Handle,
    /// What became of the sessions since the branches parted.
    pub end: GroupEnd,
}

impl Lineage {
    /// The lineage told by these entries.
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

    /// Whether an entry names this group or session.
    pub fn is_logged(&self, handle: Handle) -> bool {
        self.logged.contains(&handle)
    }

    /// Where the log leads from this group; `None` when no entry names it.
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

    /// The groups whose sessions came to this one, each with what became of them on the way: the strongest end, of
    /// several ways that of the weakest, since sessions may have come by it.
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

    /// An end of sessions that these in this group have escaped: on a branch of a group that they came from, it is
    /// stronger than what became of them on their own way.
    pub fn escaped(&self, gid: Handle) -> Option<GroupEnd> {
        let forks = self.forks_before(gid).into_iter();
        forks.filter(|(way, onward)| onward.end > *way).map(|(_, onward)| onward.end).max()
    }

    /// Where the other branches end, of the groups that led to this one.
    pub fn strays_of(&self, gid: Handle) -> Vec<Stray> {
        let mut strays: Vec<Stray> = Vec::new();
        for (_, Onward { end, last }) in self.forks_before(gid) {
            for other in last.into_iter().filter(|last| *last != gid) {
                // The less became of them, the nearer is the fork.
                match strays.iter_mut().find(|stray| stray.gid == other) {
                    Some(stray) => stray.end = stray.end.min(end),
                    None => strays.push(Stray { gid: other, end }),
                }
            }
        }
        strays.sort_unstable_by_key(|stray| stray.gid);
        strays
    }

    /// The groups before this one at which the log forks: what became of sessions on their way from there to here,
    /// and all that lies past it.
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
