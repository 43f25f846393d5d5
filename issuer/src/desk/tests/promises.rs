//! Promise 2 as a property: a kick that was acknowledged is never lost. The test makes requests at two nodes in any
//! order. The test also has races, crashes between append and swap, lost answers, restarts and failovers. A failover
//! loses recent writes of the record, or recent writes of the whole store.

use proptest::prelude::*;

use super::*;
use crate::domain::{CustomClaims, SubjectState};
use crate::testing::simulated_store::{Fault, SimulatedStore, State, pause};

/// The greatest age, in seconds, of a write that a failover may lose.
const LOSS: u64 = 300;

#[derive(Debug, Clone, Copy)]
enum Request {
    Login,
    Refresh(usize),
    Kick,
    KickGroup(usize),
    Void,
    Claims(u8),
    Disable,
    Enable,
    EndSession(usize),
}

#[derive(Debug, Clone, Copy)]
enum Stop {
    BeforeAppend,
    BeforeSwap,
}

/// The index of one of the two nodes.
type Node = usize;

#[derive(Debug, Clone)]
enum Event {
    One(Node, Request),
    /// The first request is paused on its way to the store and continues after the second request is done.
    Overtaken((Node, Request), Stop, (Node, Request)),
    /// The node dies between append and swap.
    Dies(Node, Request),
    /// The request is done, but its answer is lost.
    AnswerLost(Node, Request),
    Later(u64),
    Beat(Node),
    /// The node restarts. After that it knows only the content of the store.
    Restart(Node),
    /// The record returns to the state that it had this many events ago. The failover counts as one of these events.
    /// The revocation log is on another shard, so the revocation log loses nothing.
    RecordFailsOver(usize),
    /// The whole store returns to the state that it had this many events ago. The failover counts as one of these
    /// events. At least one node still holds the lost entries.
    StoreFailsOver(usize),
}

fn request() -> impl Strategy<Value = Request> {
    prop_oneof![
        4 => Just(Request::Login),
        4 => any::<usize>().prop_map(Request::Refresh),
        3 => Just(Request::Kick),
        1 => any::<usize>().prop_map(Request::KickGroup),
        3 => Just(Request::Void),
        2 => (0..2_u8).prop_map(Request::Claims),
        1 => Just(Request::Disable),
        1 => Just(Request::Enable),
        2 => any::<usize>().prop_map(Request::EndSession),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let stop = prop_oneof![Just(Stop::BeforeAppend), Just(Stop::BeforeSwap)];
    let at_node = || (0..2_usize, request());
    prop_oneof![
        8 => at_node().prop_map(|(node, request)| Event::One(node, request)),
        4 => (at_node(), stop, at_node()).prop_map(|(first, at, second)| Event::Overtaken(first, at, second)),
        2 => at_node().prop_map(|(node, request)| Event::Dies(node, request)),
        1 => at_node().prop_map(|(node, request)| Event::AnswerLost(node, request)),
        2 => (0..600_u64).prop_map(Event::Later),
        2 => (0..2_usize).prop_map(Event::Beat),
        1 => (0..2_usize).prop_map(Event::Restart),
        3 => (1..5_usize).prop_map(Event::RecordFailsOver),
        1 => (1..4_usize).prop_map(Event::StoreFailsOver),
    ]
}

fn role_claims(role: u8) -> CustomClaims {
    CustomClaims::from_iter([("role".to_owned(), role.into())])
}

/// A grant that was issued, and whether an acknowledged request has ended the grant's token and session.
#[derive(Debug, Clone)]
struct Issued {
    grant: Grant,
    token: Fate,
    session: Fate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Open,
    Ended,
}

/// The acknowledged effect of a request.
enum Done {
    Nothing,
    Granted(Grant),
    Kicked,
    Voided,
    Ended(Handle),
}

struct Story {
    store: Arc<SimulatedStore>,
    clock: ManualClock,
    desks: [Arc<Desk>; 2],
    now: u64,
    issued: Vec<Issued>,
    /// States of the store with their times, the oldest first.
    past: Vec<(u64, State)>,
}

impl Story {
    async fn begin() -> Self {
        let clock = ManualClock::at(START);
        let store = Arc::new(SimulatedStore::new(clock.clone()));
        let desks = [desk_on(&store).await, desk_on(&store).await];
        let mut story = Self { store, clock, desks, now: START, issued: Vec::new(), past: Vec::new() };
        story.tell(Event::One(0, Request::Login)).await;
        // This test never loses the subject's first login, because no entry would name the group of that login.
        story.past.clear();
        story
    }

    async fn tell(&mut self, event: Event) {
        self.past.push((self.now, self.store.state()));
        match event {
            Event::One(node, request) => {
                let before = self.issued.len();
                let done = self.request(node, request).await;
                self.acknowledge(done.unwrap_or(Done::Nothing), before);
            }
            Event::Overtaken(first, stop, second) => self.overtake(first, stop, second).await,
            Event::Dies(node, request) => self.with_fault(Fault::DieBeforeSwap, node, request).await,
            Event::AnswerLost(node, request) => self.with_fault(Fault::LoseAnswer, node, request).await,
            Event::Later(seconds) => {
                // Lost entries are found within a heartbeat, long before they are as old as `retain`.
                self.all_beat().await;
                self.now += seconds;
                self.clock.advance(seconds);
            }
            Event::Beat(node) => self.beat(node).await,
            Event::Restart(node) => {
                self.all_beat().await;
                self.desks[node] = desk_on(&self.store).await;
            }
            Event::RecordFailsOver(writes) => {
                if let Some(state) = self.young_past(writes) {
                    self.store.fail_over_records_to(&state);
                    self.tick();
                }
            }
            Event::StoreFailsOver(writes) => {
                if let Some(state) = self.young_past(writes) {
                    self.store.fail_over_to(state);
                    self.tick();
                }
            }
        }
    }

    /// A failover takes time. So after a failover, the new master's clock is not behind the old master's last time.
    fn tick(&mut self) {
        self.now += 1;
        self.clock.advance(1);
    }

    /// Returns the state before the last `writes` events, and drops this state and all later states. The failover that
    /// calls this counts as one of these events. Returns `None` if there is no such state, or if the state is too old.
    fn young_past(&mut self, writes: usize) -> Option<State> {
        let place = self.past.len().checked_sub(writes)?;
        let (at, state) = self.past[place].clone();
        if at + LOSS < self.now {
            return None;
        }
        self.past.truncate(place);
        Some(state)
    }

    async fn with_fault(&mut self, fault: Fault, node: Node, request: Request) {
        self.store.arm(fault);
        let before = self.issued.len();
        let done = self.request(node, request).await;
        self.store.arm(Fault::None);
        self.acknowledge(done.unwrap_or(Done::Nothing), before);
    }

    async fn overtake(&mut self, first: (Node, Request), stop: Stop, second: (Node, Request)) {
        // Both nodes put lost entries back before the two requests begin. Otherwise one of the two requests would have
        // to put entries back, and the other request would wait until this is done.
        self.all_beat().await;
        let (pause, mut paused) = pause();
        self.store.arm(match stop {
            Stop::BeforeAppend => Fault::PauseBeforeAppend(pause),
            Stop::BeforeSwap => Fault::PauseBeforeSwap(pause),
        });
        let before = self.issued.len();
        let first = self.request(first.0, first.1);
        let mut first = std::pin::pin!(first);
        let early = tokio::select! {
            biased;
            done = &mut first => Some(done),
            _ = &mut paused.there => None,
        };
        self.store.arm(Fault::None);
        let second_done = self.request(second.0, second.1).await;
        let _ = paused.go_on.send(());
        let first_done = match early {
            Some(done) => done,
            None => first.await,
        };
        // It is possible that both requests issued a grant. When each request began, the grant of the other request did
        // not exist yet. So neither request can have ended the other's grant.
        let after = self.issued.len();
        self.acknowledge(second_done.unwrap_or(Done::Nothing), after);
        self.acknowledge(first_done.unwrap_or(Done::Nothing), before);
    }

    async fn beat(&mut self, node: Node) {
        let desk = &self.desks[node];
        let entries = desk.log(|log| log.len());
        beat(desk).await.expect("a beat");
        if desk.log(|log| log.len()) < entries {
            // Trimming waits until the records of the subjects of the trimmed entries are durable, so no failover loses
            // these records.
            self.past.clear();
        }
    }

    /// Each node puts back the entries that it holds, and reads the entries that the other node has put back.
    async fn all_beat(&mut self) {
        for node in [0, 1, 0] {
            self.beat(node).await;
        }
    }

    fn request(
        &self,
        node: Node,
        request: Request,
    ) -> impl Future<Output = Result<Done, StoreError>> + use<> {
        let (desk, alice) = (self.desks[node].clone(), subject("alice"));
        let chosen =
            |place: usize| self.issued.get(place % self.issued.len().max(1)).map(|i| i.grant.clone());
        let grant = match request {
            Request::Refresh(place) | Request::EndSession(place) | Request::KickGroup(place) => chosen(place),
            _ => None,
        };
        async move {
            Ok(match (request, grant) {
                (Request::Login, _) => match desk.open_session(&alice, open_for_app(), Proof::Trusted).await?
                {
                    Login::Opened(grant) => Done::Granted(grant),
                    Login::Refused(_) => Done::Nothing,
                },
                (Request::Refresh(_), Some(grant)) => match desk.refresh(&token(&grant), None).await? {
                    Refresh::Granted(grant) => Done::Granted(grant),
                    Refresh::Reused(_) => Done::Ended(grant.sid),
                    Refresh::Refused(_) => Done::Nothing,
                },
                (Request::EndSession(_), Some(grant)) => match desk.end_session(&alice, grant.sid).await? {
                    EndSession::Ended(_) => Done::Ended(grant.sid),
                    EndSession::NoSuchSession | EndSession::OtherClient => Done::Nothing,
                },
                (Request::Kick, _) => match desk.kick(&alice, None).await? {
                    Kick::Kicked(_) => Done::Kicked,
                    _ => Done::Nothing,
                },
                // A kick of a named group ends only that group, and this test does not track groups. So the test only
                // checks that this kick does not bring back an ended token or session.
                (Request::KickGroup(_), Some(grant)) => {
                    desk.kick(&alice, Some(grant.gid)).await?;
                    Done::Nothing
                }
                (Request::Void, _) => match desk.void(&alice).await? {
                    Acknowledged::Done(_) => Done::Voided,
                    Acknowledged::UnknownSubject => Done::Nothing,
                },
                (Request::Claims(role), _) => match desk.set_claims(&alice, role_claims(role)).await? {
                    ClaimsChange::Done(_) => Done::Voided,
                    ClaimsChange::Unfit(_) | ClaimsChange::UnknownSubject => Done::Nothing,
                },
                (Request::Disable, _) => match desk.disable(&alice).await? {
                    Acknowledged::Done(_) => Done::Kicked,
                    Acknowledged::UnknownSubject => Done::Nothing,
                },
                (Request::Enable, _) => {
                    desk.enable(&alice).await?;
                    Done::Nothing
                }
                (_, None) => Done::Nothing,
            })
        }
    }

    /// Marks the tokens and sessions that the request ended. Looks only at the first `begun_with` grants, because
    /// these were issued before the request began.
    fn acknowledge(&mut self, done: Done, begun_with: usize) {
        let issued = &mut self.issued[..begun_with];
        match done {
            Done::Nothing => {}
            Done::Granted(grant) => {
                self.issued.push(Issued { grant, token: Fate::Open, session: Fate::Open });
            }
            Done::Kicked => issued.iter_mut().for_each(|issued| {
                (issued.token, issued.session) = (Fate::Ended, Fate::Ended);
            }),
            Done::Voided => issued.iter_mut().for_each(|issued| issued.token = Fate::Ended),
            Done::Ended(sid) => {
                issued.iter_mut().filter(|issued| issued.grant.sid == sid).for_each(|issued| {
                    (issued.token, issued.session) = (Fate::Ended, Fate::Ended);
                })
            }
        }
    }

    /// Checks that every revoked token that has not expired is on the list, and that no ended session can be
    /// refreshed.
    async fn check(&mut self) -> Result<(), TestCaseError> {
        self.all_beat().await;
        let alice = subject("alice");
        let (leeway, now) = (Limits::default().leeway_secs, self.now);
        for Issued { grant, token: fate, session } in &self.issued {
            let could_pass = grant.expires_at.as_secs() + leeway >= now;
            for desk in &self.desks {
                if *fate == Fate::Ended && could_pass {
                    let listed = is_listed(desk, grant.gid) || is_listed(desk, grant.sid);
                    prop_assert!(listed, "a token of an ended session is not listed: {grant:?}");
                }
            }
            if *session == Fate::Ended {
                let refreshed = self.desks[0].refresh(&token(grant), None).await.expect("the store");
                prop_assert!(
                    !matches!(refreshed, Refresh::Granted(_)),
                    "an ended session was refreshed: {grant:?}"
                );
            }
        }
        if let Some(found) = self.desks[0].subject(&alice).await.expect("the store") {
            let of_disabled = found.state == SubjectState::Disabled && !found.sessions.is_empty();
            prop_assert!(!of_disabled, "a disabled subject has sessions");
            prop_assert!(!is_listed(&self.desks[0], found.gid), "the current group is listed");
        }
        Ok(())
    }
}

async fn desk_on(store: &Arc<SimulatedStore>) -> Arc<Desk> {
    Desk::open(store.clone(), Limits::default(), HEARTBEAT).await.expect("a desk")
}

async fn an_acknowledged_end_is_never_lost(events: Vec<Event>) -> Result<(), TestCaseError> {
    let mut story = Story::begin().await;
    for event in events {
        story.tell(event).await;
    }
    story.check().await
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn promise_2_an_acknowledged_kick_is_never_lost(events in prop::collection::vec(event(), 1..25)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        runtime.block_on(an_acknowledged_end_is_never_lost(events))?;
    }
}
