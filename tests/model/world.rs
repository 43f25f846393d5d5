//! The whole state at one time, and the events that can follow.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use doorlist::domain::login::{self, LoginHandles, OpenSession, login};
use doorlist::domain::{Limits, LogView, Moment};
use doorlist_verifier::{Handle, Seq};
use stateright::{Model, Property};

use crate::decide::alice;
use crate::node::{Node, Phase, Request, Token};
use crate::promises::{Broken, Client, Promises, Session, Verifier};
use crate::rules::{Budget, Scope, Shards};
use crate::store::{Replica, Store};

/// The initial time in seconds.
const START: u64 = 1_000_000;

/// The whole state of the model at one time.
#[derive(Debug, Clone)]
pub struct World {
    pub store: Store,
    pub nodes: [Node; 2],
    pub promises: Promises,
    /// Revocations that a failover lost. A revocation is removed when the node that put it back heals the record,
    /// confirms, or signs a list. When time passes, all remaining revocations are removed.
    pub lost: Vec<doorlist::domain::Appended>,
    pub left: Budget,
    /// The number of handles drawn by nodes that healed a record or started a request again.
    pub drawn: u8,
}

impl Hash for World {
    /// The nodes are interchangeable: swapping their names makes no difference.
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

/// Two worlds are equal if their hashes are equal, as in the search itself.
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

/// An event. The two nodes have the numbers 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// A request arrives, and the record is read.
    Ask(usize, Ask),
    /// The node's request takes its next step.
    Step(usize),
    /// The node's answer never reaches its caller.
    LoseAnswer(usize),
    /// The node is killed, and starts again with the data of the store.
    Crash(usize),
    /// From now on the replica receives no writes.
    FallBehind(Lagging),
    /// The replica takes over.
    FailOver,
    /// The length of a grace window passes.
    WindowPasses,
    /// Enough time passes for every entry to expire.
    RetainPasses,
    /// The verifier loads a list of the node.
    Hear(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    Kick,
    Void,
    Login,
    /// The client with this index sends a refresh. Index 0 is the user. Index 1 is the thief, or the client of a
    /// later login.
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
    /// A description of the event. `before` is the world before the event.
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

/// The model that is searched.
#[derive(Debug, Clone)]
pub struct Doorlist {
    pub scope: Scope,
    pub limits: Limits,
}

impl Doorlist {
    pub fn new(scope: Scope) -> Self {
        Self { scope, limits: Limits::default() }
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
        let node = Node::new(LogView::new(&whole), START);
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
        let mut world = World {
            store: Store::new(START, change.record),
            nodes: [node.clone(), node],
            promises,
            lost: Vec::new(),
            left: self.scope.most,
            drawn: 0,
        };
        if !self.scope.behind_by.is_empty() {
            self.fall_behind(&mut world, Lagging::Both);
        }
        for ask in self.scope.behind_by {
            self.begin(&mut world, 0, *ask);
            while world.nodes[0].task.is_some() {
                self.step(&mut world, 0);
            }
        }
        vec![world]
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
        if world.left.retains > 0 && self.idle(world) == 2 && self.is_repaired(world) {
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
        world.promises.check(world.store.now, self.limits.leeway_secs);
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("no acknowledged kick is undone", |_, world: &World| {
                world.promises.broken != Some(Broken::KickUndone)
            }),
            Property::always("no client that sends its latest token is refused", |_, world: &World| {
                world.promises.broken != Some(Broken::ClientRefused)
            }),
            Property::always("one token never leads to two live chains", |_, world: &World| {
                world.promises.broken != Some(Broken::TwoLiveChains)
            }),
            Property::always(
                "no verifier accepts a token whose revocation its list contains",
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
