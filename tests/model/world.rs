//! Everything there is at one time, and what may happen next.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use doorlist::domain::login::{self, LoginHandles, OpenSession, login};
use doorlist::domain::{Limits, LogView, Moment};
use doorlist_verifier::{Handle, Seq};
use stateright::{Model, Property};

use crate::decide::alice;
use crate::node::{Node, Phase, Request, Resume, Seen, Task, Token, View};
use crate::promises::{Broken, Client, Promises, Session, Verifier};
use crate::rules::{Budget, Replicas, Scope, Shards};
use crate::store::{Replica, Store};

/// Seconds; the beginning.
const START: u64 = 1_000_000;

/// See the module.
#[derive(Debug, Clone)]
pub struct World {
    pub store: Store,
    pub nodes: [Node; 2],
    pub promises: Promises,
    /// Revocations that a failover lost and a living node will put back.
    pub lost: Vec<doorlist::domain::Appended>,
    pub left: Budget,
    /// Handles drawn.
    pub drawn: u8,
}

impl Hash for World {
    /// The nodes are alike: which of them is called A makes no difference.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let mut nodes = [0, 1].map(|node| {
            let mut hasher = DefaultHasher::new();
            self.nodes[node].hash(&mut hasher);
            hasher.finish()
        });
        nodes.sort_unstable();
        (nodes, &self.store, &self.promises, &self.lost, &self.left, self.drawn).hash(state);
    }
}

/// Two are one when they hash alike, which is how the search tells them apart.
impl PartialEq for World {
    fn eq(&self, other: &Self) -> bool {
        let fingerprint = |world: &Self| {
            let mut hasher = DefaultHasher::new();
            world.hash(&mut hasher);
            hasher.finish()
        };
        fingerprint(self) == fingerprint(other)
    }
}

/// Nodes are 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// A request arrives, and the record is read.
    Ask(usize, Ask),
    /// The node's request takes its next step.
    Step(usize),
    /// What the node answers now never reaches its caller.
    LoseAnswer(usize),
    /// The node is killed, and comes back with what the store has.
    Crash(usize),
    /// From now on the replica gets nothing more.
    FallBehind(Lagging),
    /// The replica takes over.
    FailOver,
    /// As long as a grace window passes.
    WindowPasses,
    /// Longer than any entry is kept passes.
    RetainPasses,
    /// The verifier loads what the node has signed.
    Hear(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    Kick,
    Void,
    Login,
    /// By the client of this number: 0 is the user, 1 the thief or whoever logged in since.
    Refresh(usize),
    Beat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lagging {
    Records,
    Log,
    Both,
}

impl Action {
    /// In words; `before` is the world in which it happens.
    pub fn told(&self, before: &World) -> String {
        let name = |node: usize| ["A", "B"][node];
        match *self {
            Self::Ask(node, ask) => format!("{}: is asked: {ask:?}", name(node)),
            Self::Step(node) => match &before.nodes[node].task {
                Some(task) => format!("{}: {}", name(node), task.phase),
                None => format!("{}: has nothing to do", name(node)),
            },
            Self::LoseAnswer(node) => format!("{}: its answer is lost", name(node)),
            Self::Crash(node) => format!("{}: is killed and started again", name(node)),
            Self::FallBehind(lagging) => format!("the replica gets nothing more: {lagging:?}"),
            Self::FailOver => "the replica takes over".to_owned(),
            Self::WindowPasses => "a grace window passes".to_owned(),
            Self::RetainPasses => "longer than retain passes".to_owned(),
            Self::Hear(node) => format!("the verifier hears {}", name(node)),
        }
    }
}

/// What is searched.
#[derive(Debug, Clone)]
pub struct Doorlist {
    pub scope: Scope,
    pub limits: Limits,
}

impl Doorlist {
    pub fn new(scope: Scope) -> Self {
        Self { scope, limits: Limits::default() }
    }

    fn may(&self, world: &World, ask: Ask) -> bool {
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

    /// Whether a beat of the node would change anything.
    fn beats(&self, world: &World, node: &Node) -> bool {
        (node.confirmed != world.store.now && !world.promises.acknowledged.is_empty())
            || node.vouches != world.promises.vouches()
            || node.view.position().seq != world.store.log.last
            || node.view.expired_through(world.store.clock()).is_some()
    }

    /// Whether what this replica lacks may be lost: something must know of it.
    fn may_lose(&self, world: &World) -> bool {
        let Replica::Behind { log, records, since } = &world.store.replica else { return false };
        if since + self.limits.retain_secs() < world.store.now {
            return false;
        }
        let known = |entry: &_| world.nodes.iter().any(|node| node.view.knows(entry));
        if self.scope.replicas == Replicas::Unheard
            && let Some(log) = log
            && !world.store.would_lose(log).all(known)
        {
            return false;
        }
        // Not promised: two requests of one session in the air over the loss of more than one write of it.
        let in_the_air = world.promises.clients.iter().any(|client| client.waiting > 1);
        !(in_the_air
            && records.as_ref().is_some_and(|records| records.number + 1 < world.store.records.number))
    }

    /// Heartbeats are short: whatever is missing is found before time passes.
    fn is_whole(&self, world: &World) -> bool {
        world.nodes.iter().all(|node| world.store.confirms(node.view.position()))
    }

    fn idle(&self, world: &World) -> usize {
        world.nodes.iter().filter(|node| node.task.is_none()).count()
    }

    /// A grace window may pass while one request is on its way. Not promised: two of one session across its edge.
    fn window_may_pass(&self, world: &World) -> bool {
        let waiting = world.promises.clients.iter().any(|client| client.waiting > 0);
        self.idle(world) > 0 && self.is_whole(world) && !(waiting && self.scope.tabs > 1)
    }

    fn may_crash(&self, world: &World, node: usize) -> bool {
        let other = &world.nodes[1 - node];
        self.scope.replicas == Replicas::Waited || world.lost.iter().all(|entry| other.view.knows(entry))
    }

    fn begin(&self, world: &mut World, node: usize, ask: Ask) {
        let promises = &mut world.promises;
        let issued = promises.issued.len() as u8;
        let mut seen = Seen { issued, ended: false, excused: false };
        let draw = |drawn: &mut u8| {
            *drawn += 1;
            handle(u64::from(*drawn))
        };
        let request = match ask {
            Ask::Kick => {
                world.left.kicks -= 1;
                promises.sessions.values_mut().for_each(|session| session.may_end = true);
                Request::Kick { next: draw(&mut world.drawn) }
            }
            Ask::Void => {
                world.left.voids -= 1;
                Request::Void { next: draw(&mut world.drawn) }
            }
            Ask::Login => {
                world.left.logins -= 1;
                Request::Login { sid: draw(&mut world.drawn), gid: draw(&mut world.drawn) }
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
        let task = Task { request, phase, read: None, begun: None, looking: None, seen };
        world.nodes[node].task = Some(task);
        if ask != Ask::Beat {
            self.step(world, node);
        }
    }

    fn crash(&self, world: &mut World, node: usize) {
        world.left.crashes -= 1;
        self.drop_task(world, node);
        let whole = world.store.page(Seq::ZERO, self.limits.retain_secs());
        let phase = Phase::Confirm(Resume::Confirmed);
        let task = Task {
            request: Request::Start,
            phase,
            read: None,
            begun: None,
            looking: None,
            seen: Seen::default(),
        };
        world.nodes[node] = Node { view: View::new(&whole), task: Some(task), confirmed: 0, vouches: 0 };
    }

    /// Nobody hears of it.
    pub fn drop_task(&self, world: &mut World, node: usize) {
        if let Some(Task { request: Request::Refresh { client, .. }, .. }) = world.nodes[node].task.take() {
            world.promises.clients[usize::from(client)].waiting -= 1;
        }
    }

    fn fall_behind(&self, world: &mut World, lagging: Lagging) {
        world.left.failovers -= 1;
        let store = &world.store;
        let records = (lagging != Lagging::Log).then(|| store.records.clone());
        let log = (lagging != Lagging::Records).then(|| store.log.clone());
        world.store.replica = Replica::Behind { records, log, since: store.now };
    }

    fn fail_over(&self, world: &mut World) {
        let World { store, promises, lost, nodes, .. } = world;
        let Replica::Behind { records, log, .. } = &store.replica else { return };
        if let Some(log) = log {
            let known = |entry: &&_| nodes.iter().any(|node| node.view.knows(entry));
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

    /// Whatever was acknowledged and lost is there again, at the log's end.
    pub fn put_back(&self, world: &mut World) {
        let last = world.store.log.last;
        world.promises.put_back = last;
        world.promises.acknowledged.iter_mut().for_each(|at| *at = at.or(Some(last)));
    }

    fn later(&self, world: &mut World, secs: u64) {
        world.store.now += secs;
        // What no heartbeat has put back by now is lost for good, and nothing is excused any more.
        world.lost.clear();
        self.put_back(world);
        let retain_secs = self.limits.retain_secs();
        if matches!(world.store.replica, Replica::Behind { since, .. } if since + retain_secs < world.store.now)
        {
            world.store.replica = Replica::InStep;
        }
    }

    fn may_hear(&self, world: &World, node: &Node) -> bool {
        let (held, position) = (&world.promises.verifier, node.view.position());
        let news = position.seq > held.seq || (position.seq == held.seq && node.vouches > held.vouched);
        node.confirmed == world.store.now && news
    }

    fn hear(&self, world: &mut World, node: usize) {
        let Node { view, confirmed, vouches, .. } = &world.nodes[node];
        let verifier = &mut world.promises.verifier;
        let since = if verifier.seq >= view.floor() { verifier.seq } else { Seq::ZERO };
        let retain_secs = self.limits.retain_secs();
        verifier.load(view.handles_since(since), view.position().seq, *confirmed, *vouches, retain_secs);
    }
}

impl Model for Doorlist {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        let (sid, gid) = (handle(0x51), handle(0x61));
        let store = Store::new(START, doorlist::domain::Record::new(gid));
        let whole = store.page(Seq::ZERO, self.limits.retain_secs());
        let log = LogView::new(&whole).of(&alice());
        let moment = Moment { now: store.clock(), limits: &self.limits, log: &log };
        let open = OpenSession { client_id: "app".into(), ..OpenSession::default() };
        let opened = login(&alice(), None, &open, LoginHandles { sid, gid }, &moment);
        let login::Decision::Open(change, grant) = opened else { panic!("no session: {opened:?}") };
        let node = Node { view: View::new(&whole), task: None, confirmed: START, vouches: 0 };
        let user = Client { sid, generation: grant.generation, waiting: 0, advances: 0 };
        let mut promises = Promises {
            clients: vec![user.clone()],
            sessions: [(sid, Session::default())].into(),
            issued: Vec::new(),
            acknowledged: Vec::new(),
            put_back: Seq::ZERO,
            verifier: Verifier::default(),
            broken: None,
        };
        if self.scope.thief {
            promises.clients.push(user);
        }
        promises.grant(Token { gid, sid, expires: grant.expires_at.as_secs() }, false);
        let store = Store::new(START, change.record);
        vec![World {
            store,
            nodes: [node.clone(), node],
            promises,
            lost: Vec::new(),
            left: self.scope.most,
            drawn: 0,
        }]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        if world.promises.broken.is_some() {
            return;
        }
        for (number, node) in world.nodes.iter().enumerate() {
            match &node.task {
                Some(task) => {
                    actions.push(Action::Step(number));
                    if matches!(task.phase, Phase::Answer(_))
                        && matches!(task.request, Request::Refresh { .. })
                        && world.left.lost_answers > 0
                    {
                        actions.push(Action::LoseAnswer(number));
                    }
                }
                None => {
                    let asks = [Ask::Kick, Ask::Void, Ask::Login, Ask::Refresh(0), Ask::Refresh(1)];
                    let asked = asks.into_iter().filter(|ask| self.may(world, *ask));
                    actions.extend(asked.map(|ask| Action::Ask(number, ask)));
                    if self.beats(world, node) {
                        actions.push(Action::Ask(number, Ask::Beat));
                    }
                }
            }
            if world.left.crashes > 0 && self.may_crash(world, number) {
                actions.push(Action::Crash(number));
            }
            if self.may_hear(world, node) {
                actions.push(Action::Hear(number));
            }
        }
        if matches!(world.store.replica, Replica::InStep) && world.left.failovers > 0 {
            actions.extend(match self.scope.shards {
                Shards::One => vec![Action::FallBehind(Lagging::Both)],
                Shards::Two => vec![Action::FallBehind(Lagging::Records), Action::FallBehind(Lagging::Log)],
            });
        }
        if self.may_lose(world) {
            actions.push(Action::FailOver);
        }
        if world.left.windows > 0 && self.window_may_pass(world) {
            actions.push(Action::WindowPasses);
        }
        if world.left.retains > 0 && self.idle(world) == 2 && self.is_whole(world) {
            actions.push(Action::RetainPasses);
        }
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        let mut world = world.clone();
        match action {
            Action::Ask(node, ask) => self.begin(&mut world, node, ask),
            Action::Step(node) => self.step(&mut world, node),
            Action::LoseAnswer(node) => {
                world.left.lost_answers -= 1;
                self.drop_task(&mut world, node);
            }
            Action::Crash(node) => self.crash(&mut world, node),
            Action::FallBehind(lagging) => self.fall_behind(&mut world, lagging),
            Action::FailOver => self.fail_over(&mut world),
            Action::WindowPasses => {
                world.left.windows -= 1;
                self.later(&mut world, self.limits.refresh_grace_secs);
            }
            Action::RetainPasses => {
                world.left.retains -= 1;
                self.later(&mut world, self.limits.retain_secs() + 1);
            }
            Action::Hear(node) => self.hear(&mut world, node),
        }
        world.promises.look(world.store.now, self.limits.leeway_secs);
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("no acknowledged kick is undone", |_, world: &World| {
                world.promises.broken != Some(Broken::KickUndone)
            }),
            Property::always(
                "no client that sends its last answer's token is refused",
                |_, world: &World| world.promises.broken != Some(Broken::ClientRefused),
            ),
            Property::always("no two live chains from one token", |_, world: &World| {
                world.promises.broken != Some(Broken::TwoLiveChains)
            }),
            Property::always(
                "no revoked token is accepted after its verifier has heard",
                |_, world: &World| world.promises.broken != Some(Broken::RevokedTokenAccepted),
            ),
            Property::always("staleness is never understated", |_, world: &World| {
                world.promises.broken != Some(Broken::StalenessUnderstated)
            }),
        ]
    }
}

pub fn handle(number: u64) -> Handle {
    Handle::new(number).expect("a handle")
}
