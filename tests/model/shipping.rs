//! The search over the issuer's own desk, on the modelled store. Here the loop of the real desk runs each step of a
//! node.
//!
//! A desk with a request in progress cannot be copied. Therefore a state of this search is a history: to reach the
//! next state, the search opens two new desks and repeats the history. This takes about a millisecond, so only small
//! scopes are searched. Two histories reach the same state if four things are equal: the store, both nodes, the
//! promises, and the answers of the store to the requests in progress.
//!
//! The promises, and all events that are not steps, are the same as in the model. A rule of the desk cannot be
//! switched off here.

mod driven;

use std::future::Future;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use doorlist::desk::{Acknowledged, Desk, Kick, Login, OpenSession, Proof, Refresh, RefreshClaims, Upkeep};
use doorlist::domain::Grant;
use doorlist::store::StoreError;
use doorlist_verifier::Handle;
use stateright::{Model, Property};
use tokio::time::Instant;

use self::driven::{Driven, Gate, UNLOCKED};
use crate::decide::alice;
use crate::node::{Answer, How, Node, Phase, Request, Token};
use crate::rules::Scope;
use crate::world::{Action, Ask, Doorlist, Lagging, World, handle};

const HEARTBEAT: Duration = Duration::from_secs(10);

type Done = Result<Answer, StoreError>;
type Running = Pin<Box<dyn Future<Output = Done>>>;

thread_local! {
    /// The clock of the desks does not run. Only the search changes the time of this clock.
    static RUNTIME: tokio::runtime::Runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
}

fn pass(time: Duration) {
    RUNTIME.with(|runtime| runtime.block_on(tokio::time::advance(time)));
}

/// Two desks on one modelled store.
struct Live {
    model: Doorlist,
    world: Arc<Mutex<World>>,
    gates: [Arc<Gate>; 2],
    desks: [Arc<Mutex<Option<Arc<Desk>>>>; 2],
    running: [Option<Running>; 2],
    /// When each node was last confirmed.
    confirmed: [Option<Instant>; 2],
    /// The handles that each node's request draws first. These handles are derived from the request.
    names: [Arc<Mutex<Vec<Handle>>>; 2],
    /// How many other handles were drawn.
    drawn: Arc<AtomicU32>,
}

impl Live {
    fn open(model: &Doorlist) -> Self {
        let mut world = Doorlist::new(Scope { behind_by: &[], ..model.scope }).init_states().remove(0);
        world.left = model.scope.most;
        let mut live = Self {
            model: model.clone(),
            world: Arc::new(Mutex::new(world)),
            gates: Default::default(),
            desks: Default::default(),
            running: [None, None],
            confirmed: [None, None],
            names: Default::default(),
            drawn: Arc::default(),
        };
        for node in 0..2 {
            live.gates[node].permits.store(u32::MAX, Ordering::Relaxed);
            live.start(node);
            live.poll(node);
            live.gates[node].permits.store(0, Ordering::Relaxed);
        }
        if !model.scope.behind_by.is_empty() {
            model.fall_behind(&mut live.world(), Lagging::Both);
        }
        for ask in model.scope.behind_by {
            live.act(Action::Ask(0, *ask));
            while live.world().nodes[0].task.is_some() {
                live.act(Action::Step(0));
            }
        }
        live
    }

    fn world(&self) -> std::sync::MutexGuard<'_, World> {
        self.world.lock().expect(UNLOCKED)
    }

    fn start(&mut self, node: usize) {
        let (model, world, gate) = (self.model.clone(), self.world.clone(), self.gates[node].clone());
        let (slot, limits) = (self.desks[node].clone(), model.limits);
        let (names, drawn) = (self.names[node].clone(), self.drawn.clone());
        let draw = move || {
            let named = names.lock().expect(UNLOCKED).pop();
            named.unwrap_or_else(|| handle(u64::from(drawn.fetch_add(1, Ordering::Relaxed) + 1)))
        };
        let store = Arc::new(Driven { node, model, world, gate });
        self.running[node] = Some(Box::pin(async move {
            let desk = Desk::open_with(store, limits, HEARTBEAT, Box::new(draw)).await?;
            *slot.lock().expect(UNLOCKED) = Some(desk);
            Ok(Answer::Beaten)
        }));
    }

    fn ask(&mut self, node: usize, ask: Ask) {
        let request = self.model.accept(&mut self.world(), node, ask);
        let desk = self.desks[node].lock().expect(UNLOCKED).clone().expect("an idle node is open");
        *self.names[node].lock().expect(UNLOCKED) = match request {
            Request::Kick { next } | Request::Void { next } => vec![next],
            // Handles are drawn from the end of this vector.
            Request::Login { sid, gid } => vec![gid, sid],
            Request::Refresh { .. } | Request::Beat | Request::Start => Vec::new(),
        };
        self.running[node] = Some(Box::pin(answer(desk, request, self.world.clone())));
        self.poll(node);
        if ask != Ask::Beat {
            self.step(node);
        }
    }

    fn step(&mut self, node: usize) {
        let phase = self.world().nodes[node].task.as_ref().map(|task| task.phase.clone());
        if let Some(Phase::Answer(answer)) = phase {
            return self.deliver(node, answer);
        }
        self.gates[node].permits.store(1, Ordering::Relaxed);
        self.poll(node);
    }

    /// The caller receives the answer.
    fn deliver(&self, node: usize, answer: Answer) {
        let world = &mut *self.world();
        let Some(task) = world.nodes[node].task.take() else { return };
        self.model.answer(world, &task, answer);
        world.nodes[node].task = Some(task);
        self.model.drop_task(world, node);
    }

    /// Runs the node's request until its next exchange with the store.
    fn poll(&mut self, node: usize) {
        // No two steps happen at the same time.
        pass(Duration::from_nanos(1));
        let Some(running) = &mut self.running[node] else { return };
        let polled = RUNTIME.with(|runtime| {
            let _inside = runtime.enter();
            running.as_mut().poll(&mut Context::from_waker(Waker::noop()))
        });
        self.read_node(node);
        let Poll::Ready(done) = polled else { return };
        self.running[node] = None;
        self.gates[node].digest.lock().expect(UNLOCKED).clear();
        let Ok(answer) = done else { return self.model.drop_task(&mut self.world(), node) };
        let world = &mut *self.world();
        let Some(mut task) = world.nodes[node].task.take() else { return };
        self.model.note(world, &task, answer);
        let at_once = self.model.is_heard_at_once(answer);
        if at_once {
            self.model.answer(world, &task, answer);
        }
        task.phase = Phase::Answer(answer);
        world.nodes[node].task = Some(task);
        if at_once {
            self.model.drop_task(world, node);
        }
    }

    /// Copies the state of the node's desk into the world. The events and the promises read this state in the world.
    fn read_node(&mut self, node: usize) {
        let Some(desk) = self.desks[node].lock().expect(UNLOCKED).clone() else { return };
        let last = desk.last_confirmed();
        let is_new = self.confirmed[node].replace(last.confirmed) != Some(last.confirmed);
        let world = &mut *self.world();
        world.drawn = self.drawn.load(Ordering::Relaxed) as u8;
        world.nodes[node].view = desk.log(Clone::clone).into();
        if desk.log_if_finished(|_| ()).is_some() {
            let healed = std::mem::take(&mut world.nodes[node].unfinished);
            self.model.end_excuse(world, &healed);
        }
        if is_new {
            let vouches = self.gates[node].vouches.load(Ordering::Relaxed) as u8;
            let vouches = vouches.min(world.promises.vouches());
            let Node { confirmed, vouches: vouched, .. } = &mut world.nodes[node];
            *confirmed = last.confirmed_at.as_secs();
            *vouched = vouches.max(*vouched);
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Ask(node, ask) => self.ask(node, ask),
            Action::Step(node) => self.step(node),
            Action::Crash(node) => {
                self.model.crash(&mut self.world(), node);
                self.gates[node].digest.lock().expect(UNLOCKED).clear();
                self.gates[node].permits.store(1, Ordering::Relaxed);
                self.desks[node] = Arc::default();
                self.start(node);
                self.poll(node);
            }
            Action::LoseAnswer(_)
            | Action::FallBehind(_)
            | Action::FailOver
            | Action::WindowPasses
            | Action::RetainPasses
            | Action::Hear(_) => {
                let before = self.world().store.now;
                let Some(world) = self.model.next_state(&self.world(), action) else { return };
                pass(Duration::from_secs(world.store.now - before));
                *self.world() = world;
            }
        }
        let world = &mut *self.world();
        world.promises.check(world.store.now, self.model.limits.leeway_secs);
    }
}

/// Sends a request to a desk.
async fn answer(desk: Arc<Desk>, request: Request, world: Arc<Mutex<World>>) -> Done {
    let sub = alice();
    Ok(match request {
        Request::Kick { .. } => match desk.kick(&sub, None).await? {
            Kick::Kicked(position) => Answer::Kicked(position.seq),
            other => panic!("there is a record: {other:?}"),
        },
        Request::Void { .. } => match desk.void(&sub).await? {
            Acknowledged::Done(position) => Answer::Voided(position.seq),
            other => panic!("there is a record: {other:?}"),
        },
        Request::Login { .. } => {
            let session = OpenSession { client_id: "app".into(), ..OpenSession::default() };
            match desk.open_session(&sub, session, Proof::Trusted).await? {
                Login::Opened(grant) => granted(&grant, How::Login),
                Login::Refused(_) => Answer::Refused,
            }
        }
        Request::Refresh { sid, generation, .. } => {
            let before = world.lock().expect(UNLOCKED).store.records.number;
            match desk.refresh(&RefreshClaims { sub, sid, generation }, None).await? {
                Refresh::Granted(grant) => {
                    let store = &world.lock().expect(UNLOCKED).store;
                    let rotated_at = store.records.record.session(sid).map(|session| session.rotated_at);
                    let grace_secs = desk.limits().refresh_grace_secs;
                    let is_young = rotated_at.is_some_and(|at| store.clock().secs_since(at) < grace_secs);
                    let is_unwritten = store.records.number == before;
                    granted(&grant, if is_young && is_unwritten { How::Repeat } else { How::Advance })
                }
                Refresh::Refused(_) | Refresh::Reused(_) => Answer::Refused,
            }
        }
        Request::Beat | Request::Start => {
            Upkeep::new(desk).beat().await?;
            Answer::Beaten
        }
    })
}

fn granted(grant: &Grant, how: How) -> Answer {
    let token = Token { gid: grant.gid, sid: grant.sid, expires: grant.expires_at.as_secs() };
    Answer::Granted { token, generation: grant.generation, how }
}

/// A history, and the facts that the search needs about the state at the end of this history.
#[derive(Debug, Clone)]
pub struct State {
    history: Vec<Action>,
    fingerprint: u64,
    actions: Vec<Action>,
    is_broken: bool,
}

impl Hash for State {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.fingerprint.hash(state);
    }
}

impl PartialEq for State {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint
    }
}

/// The search.
#[derive(Clone)]
pub struct Shipping(Doorlist);

impl Shipping {
    pub fn new(scope: Scope) -> Self {
        Self(Doorlist::new(scope))
    }

    fn after(&self, history: Vec<Action>) -> State {
        let mut live = Live::open(&self.0);
        for action in &history {
            live.act(*action);
        }
        let world = live.world();
        let mut nodes = [0, 1].map(|node| {
            let mut hasher = DefaultHasher::new();
            (&world.nodes[node], &*live.gates[node].digest.lock().expect(UNLOCKED)).hash(&mut hasher);
            hasher.finish()
        });
        // The nodes are interchangeable.
        nodes.sort_unstable();
        let mut hasher = DefaultHasher::new();
        (nodes, &*world).hash(&mut hasher);
        let mut actions = Vec::new();
        self.0.actions(&world, &mut actions);
        State { history, fingerprint: hasher.finish(), actions, is_broken: world.promises.broken.is_some() }
    }
}

impl Model for Shipping {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![self.after(Vec::new())]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        actions.extend(&state.actions);
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut history = state.history.clone();
        history.push(action);
        Some(self.after(history))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always("no promise is broken", |_, state: &State| !state.is_broken)]
    }
}
