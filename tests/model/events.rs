//! The events: a request arrives, a node or a server dies, time passes, or the verifier loads a list.

use doorlist::domain::{Appended, LogView};
use doorlist_verifier::{Handle, Seq};

use crate::node::{Node, Phase, Request, Resume, Seen, Task};
use crate::store::Replica;
use crate::world::{Ask, Doorlist, Lagging, World, handle};

impl Doorlist {
    /// A request arrives, and the record is read.
    pub fn begin(&self, world: &mut World, node: usize, ask: Ask) {
        self.accept(world, node, ask);
        if ask != Ask::Beat {
            self.step(world, node);
        }
    }

    /// A request arrives.
    pub fn accept(&self, world: &mut World, node: usize, ask: Ask) -> Request {
        let promises = &mut world.promises;
        let issued = promises.issued.len() as u8;
        let mut seen = Seen { issued, ended: false, excused: false };
        let request = match ask {
            Ask::Kick => {
                world.left.kicks -= 1;
                promises.sessions.values_mut().for_each(|session| session.may_end = true);
                Request::Kick { next: named('k', world.left.kicks) }
            }
            Ask::Void => {
                world.left.voids -= 1;
                Request::Void { next: named('v', world.left.voids) }
            }
            Ask::Login => {
                world.left.logins -= 1;
                Request::Login { sid: named('s', world.left.logins), gid: named('g', world.left.logins) }
            }
            Ask::Refresh(number) => {
                world.left.refreshes -= 1;
                let client = &mut promises.clients[number];
                client.waiting += 1;
                seen.ended = promises.sessions[&client.sid].ended.is_some();
                Request::Refresh { client: number as u8, sid: client.sid, generation: client.generation }
            }
            Ask::Beat => Request::Beat,
        };
        let phase = match ask {
            Ask::Beat => Phase::Confirm(Resume::Confirmed),
            _ => Phase::ReadRecord,
        };
        let task = Task { request, phase, read: None, begun: None, healing: None, seen };
        world.nodes[node].task = Some(task);
        request
    }

    pub fn crash(&self, world: &mut World, node: usize) {
        world.left.crashes -= 1;
        self.drop_task(world, node);
        let whole = world.store.page(Seq::ZERO, self.limits.retain_secs());
        let phase = Phase::Confirm(Resume::Confirmed);
        let task = Task {
            request: Request::Start,
            phase,
            read: None,
            begun: None,
            healing: None,
            seen: Seen::default(),
        };
        world.nodes[node] = Node { task: Some(task), ..Node::new(LogView::new(&whole), 0) };
    }

    /// Ends the node's request without an answer to its caller.
    pub fn drop_task(&self, world: &mut World, node: usize) {
        if let Some(Task { request: Request::Refresh { client, .. }, .. }) = world.nodes[node].task.take() {
            world.promises.clients[usize::from(client)].waiting -= 1;
        }
    }

    pub fn fall_behind(&self, world: &mut World, lagging: Lagging) {
        world.left.failovers -= 1;
        let store = &world.store;
        let records = (lagging != Lagging::Log).then(|| store.records.clone());
        let log = (lagging != Lagging::Records).then(|| store.log.clone());
        world.store.replica = Replica::Behind { records, log, since: store.now };
    }

    pub fn fail_over(&self, world: &mut World) {
        let World { store, promises, lost, nodes, .. } = world;
        let Replica::Behind { records, log, .. } = &store.replica else { return };
        if let Some(log) = log {
            let known = |entry: &&_| nodes.iter().any(|node| node.knows(entry));
            lost.extend(store.would_lose(log).filter(known).cloned());
            for position in promises.acknowledged.iter_mut().filter(|at| at.is_some_and(|at| at > log.last)) {
                *position = None;
            }
        }
        if let Some(records) = records {
            for (sid, session) in &mut promises.sessions {
                session.may_end |= records.record.session(*sid).is_none();
            }
            promises.clients.iter_mut().for_each(|client| client.advances = 0);
        }
        store.fail_over();
        if lost.is_empty() {
            self.put_back(world);
        }
    }

    /// Each acknowledged revocation that a failover lost gets a new position. This position is the current end of the
    /// revocation log.
    pub fn put_back(&self, world: &mut World) {
        let last = world.store.log.last;
        world.promises.put_back = last;
        world.promises.acknowledged.iter_mut().for_each(|at| *at = at.or(Some(last)));
    }

    pub fn later(&self, world: &mut World, secs: u64) {
        world.store.now += secs;
        // If no heartbeat has put an entry back by now, the entry counts as permanently lost. From now on the loss of
        // the entry no longer excuses a violation.
        world.lost.clear();
        self.put_back(world);
        let retain_secs = self.limits.retain_secs();
        if matches!(world.store.replica, Replica::Behind { since, .. } if since + retain_secs < world.store.now)
        {
            world.store.replica = Replica::InStep;
        }
    }

    /// A node has put these entries back. The node has also healed the record, or acts as if the record were healed.
    /// From now on the loss of these entries no longer excuses a violation.
    pub fn end_excuse(&self, world: &mut World, put_back: &[Appended]) {
        if put_back.is_empty() {
            return;
        }
        world.lost.retain(|entry| !put_back.contains(entry));
        if world.lost.is_empty() {
            self.put_back(world);
        }
    }

    pub fn hear(&self, world: &mut World, node: usize) {
        let unfinished = world.nodes[node].unfinished.clone();
        self.end_excuse(world, &unfinished);
        let Node { view, confirmed, vouches, .. } = &world.nodes[node];
        let verifier = &mut world.promises.verifier;
        let since = if verifier.seq >= view.floor() { verifier.seq } else { Seq::ZERO };
        let retain_secs = self.limits.retain_secs();
        verifier.load(view.handles_since(since), view.position().seq, *confirmed, *vouches, retain_secs);
    }
}

/// A handle for a request is derived from the request, so that histories which differ only in the order of
/// requests reach the same state.
fn named(purpose: char, left: u8) -> Handle {
    handle(u64::from(purpose) << 8 | u64::from(left))
}
