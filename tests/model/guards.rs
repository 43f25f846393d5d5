//! The events that the scope and the assumptions allow. The top of `main.rs` lists the assumptions.

use crate::node::Node;
use crate::rules::{Replicas, Rule};
use crate::store::Replica;
use crate::world::{Ask, Doorlist, World};

/// How long a confirmation lasts: longer than a failover, and shorter than a grace window.
const HEARTBEAT_SECS: u64 = 10;

impl Doorlist {
    pub fn may(&self, world: &World, ask: Ask) -> bool {
        let left = &world.left;
        match ask {
            Ask::Kick => left.kicks > 0,
            Ask::Void => left.voids > 0,
            Ask::Login => left.logins > 0,
            Ask::Refresh(client) => {
                left.refreshes > 0
                    && world
                        .promises
                        .clients
                        .get(client)
                        .is_some_and(|client| client.waiting < self.scope.tabs)
            }
            Ask::Beat => false,
        }
    }

    /// Whether a heartbeat of the node would change anything.
    pub fn beats(&self, world: &World, node: &Node) -> bool {
        (node.confirmed != world.store.now && !world.promises.acknowledged.is_empty())
            || node.vouches != world.promises.vouches()
            || node.view.position().seq != world.store.log.last
            || node.view.expired_through(world.store.clock()).is_some()
            || !node.unfinished.is_empty()
    }

    /// Whether a failover is allowed to lose the writes that the replica lacks. If answers do not wait for the replica,
    /// at least one node must know the lost entries of the revocation log.
    pub fn may_lose(&self, world: &World) -> bool {
        let Replica::Behind { log, records, since } = &world.store.replica else { return false };
        if since + self.limits.retain_secs() < world.store.now {
            return false;
        }
        let known = |entry: &_| world.nodes.iter().any(|node| node.knows(entry));
        if self.scope.replicas == Replicas::Unheard
            && let Some(log) = log
            && !world.store.would_lose(log).all(known)
        {
            return false;
        }
        // The promises do not cover two pending requests of one session during a failover that loses more than one
        // write of the session.
        let in_the_air = world.promises.clients.iter().any(|client| client.waiting > 1);
        !(in_the_air
            && records.as_ref().is_some_and(|records| records.number + 1 < world.store.records.number))
    }

    /// Whether all repairs are done. A heartbeat takes little time. So before time passes in the model, the nodes
    /// find missing entries, put these entries back, and heal the records of the subjects.
    pub fn is_repaired(&self, world: &World) -> bool {
        let is_repaired =
            |node: &Node| node.unfinished.is_empty() && world.store.confirms(node.view.position());
        world.nodes.iter().all(is_repaired)
    }

    pub fn idle(&self, world: &World) -> usize {
        world.nodes.iter().filter(|node| node.task.is_none()).count()
    }

    /// A grace window can pass while one request is pending. If two requests of one session are pending when the window
    /// ends, the promises do not apply.
    pub fn window_may_pass(&self, world: &World) -> bool {
        let waiting = world.promises.clients.iter().any(|client| client.waiting > 0);
        self.idle(world) > 0 && self.is_repaired(world) && !(waiting && self.scope.tabs > 1)
    }

    pub fn may_crash(&self, world: &World, node: usize) -> bool {
        let other = &world.nodes[1 - node];
        self.scope.replicas == Replicas::Waited || world.lost.iter().all(|entry| other.knows(entry))
    }

    /// Whether the node would sign a list that contains something new for the verifier. The node may sign even if its
    /// last confirmation is older than the last failover.
    pub fn may_hear(&self, world: &World, node: &Node) -> bool {
        let (held, position) = (&world.promises.verifier, node.view.position());
        let news = position.seq > held.seq || (position.seq == held.seq && node.vouches > held.vouched);
        let is_finished = node.unfinished.is_empty() || !self.scope.has(Rule::HealBeforeList);
        world.store.now - node.confirmed < HEARTBEAT_SECS && is_finished && news
    }
}
