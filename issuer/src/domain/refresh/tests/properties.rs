//! Tests the promises about refresh tokens in a small simulation. The simulation has one session, a store that may
//! lose its last write, a client with several tabs, answers that may be lost, and a thief.

use proptest::prelude::*;

use super::*;
use crate::domain::{Session, fixtures};

const GRACE: u64 = 30;

/// The issuer's side: one record and its clock.
struct Issuer {
    world: World,
    record: Record,
    /// The record before the last write. `None` if a failover cannot bring that record back.
    before: Option<Record>,
    now: u64,
}

impl Issuer {
    fn new() -> Self {
        let world = World::new();
        let record = world.record(1, &[10], NOW);
        Self { world, record, before: None, now: NOW }
    }

    /// Presents a token of the generation `n`. Returns the generation in the answer, or `None` if the session is
    /// lost.
    fn present(&mut self, n: u64) -> Option<u64> {
        let token = Presented { sid: fixtures::handle(10), generation: n, client_id: None };
        match refresh(&alice(), Some(&self.record), token, &self.world.moment(self.now)) {
            Decision::Repeat(grant) => Some(grant.generation),
            Decision::Advance(change, grant) => {
                self.before = Some(std::mem::replace(&mut self.record, change.record));
                Some(grant.generation)
            }
            Decision::Reuse(change) => {
                assert_eq!(fixtures::revoked(&change), [fixtures::handle(10)]);
                self.record = change.record;
                None
            }
            Decision::Refuse(_) => None,
        }
    }

    fn fail_over(&mut self) {
        if let Some(before) = self.before.take() {
            self.record = before;
        }
    }

    fn session(&self) -> &Session {
        &self.record.sessions[0]
    }

    fn window_left(&self) -> u64 {
        GRACE.saturating_sub(self.now - self.session().rotated_at.as_secs())
    }
}

/// One request of a burst. `later` is the number of seconds after the previous request. `with_newest` says whether
/// the tab already has the newest answer of the burst. `answered` says whether the answer to this request arrives.
#[derive(Debug, Clone)]
struct Request {
    later: u64,
    with_newest: bool,
    answered: bool,
}

#[derive(Debug, Clone)]
enum Event {
    /// The laptop sleeps for this many seconds.
    Sleep(u64),
    /// Several tabs refresh their shared token at the same time.
    Burst(Vec<Request>),
    /// The store fails over and loses at most the last write of the session.
    FailOver,
}

fn request() -> impl Strategy<Value = Request> {
    (0..8_u64, any::<bool>(), prop::bool::weighted(0.7)).prop_map(|(later, with_newest, answered)| Request {
        later,
        with_newest,
        answered,
    })
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => (0..100_u64).prop_map(Event::Sleep),
        1 => (0..86_400_u64).prop_map(Event::Sleep),
        6 => prop::collection::vec(request(), 1..6).prop_map(Event::Burst),
        1 => Just(Event::FailOver),
    ]
}

/// Promise 4. The promise does not cover a burst that begins inside the grace window and ends after the window. So each
/// burst in this test ends before the window ends.
fn no_client_is_logged_out(events: Vec<Event>) -> Result<(), TestCaseError> {
    let mut issuer = Issuer::new();
    let mut held = 1;
    for event in events {
        match event {
            Event::Sleep(seconds) => issuer.now += seconds,
            Event::FailOver => issuer.fail_over(),
            Event::Burst(requests) => {
                let mut newest = held;
                for (place, request) in requests.iter().enumerate() {
                    if place > 0 {
                        issuer.now += request.later.min(issuer.window_left().saturating_sub(1));
                    }
                    let n = if request.with_newest { newest } else { held };
                    let answer = issuer.present(n);
                    prop_assert!(answer.is_some(), "refused {n} at {:?}", issuer.record.sessions);
                    if let (Some(generation), true) = (answer, request.answered) {
                        newest = newest.max(generation);
                    }
                }
                held = newest;
            }
        }
    }
    Ok(())
}

/// One refresh, by the user or by the thief. The user and the thief start with the same token.
#[derive(Debug, Clone)]
struct Move {
    after: u64,
    by_thief: bool,
}

fn a_move() -> impl Strategy<Value = Move> {
    (prop_oneof![0..GRACE, GRACE..10_000], any::<bool>())
        .prop_map(|(after, by_thief)| Move { after, by_thief })
}

/// Promise 5: the theft is noticed as soon as the user and the thief have each refreshed twice. Both counts start
/// again at zero after a refresh inside the other party's grace window. If a party gets the same answer again inside
/// its own grace window, this does not count as a refresh.
fn a_thief_is_noticed(rotations: u64, moves: Vec<Move>) -> Result<(), TestCaseError> {
    let mut issuer = Issuer::new();
    let mut stolen = 1;
    for _ in 0..rotations {
        issuer.now += GRACE;
        stolen = issuer.present(stolen).ok_or_else(|| TestCaseError::fail("refused before the theft"))?;
    }
    let mut held = [stolen, stolen];
    let mut refreshes = [0, 0];
    let mut last_rotated_by = None;
    for Move { after, by_thief } in moves {
        issuer.now += after;
        let party = usize::from(by_thief);
        let inside_others_window =
            issuer.window_left() > 0 && last_rotated_by.is_some_and(|other| other != party);
        let generation = issuer.session().generation;
        let Some(answer) = issuer.present(held[party]) else {
            prop_assert!(issuer.record.sessions.is_empty(), "noticed, and the session is gone for both");
            return Ok(());
        };
        held[party] = answer;
        let rotated = issuer.session().generation != generation;
        if rotated {
            last_rotated_by = Some(party);
        }
        if inside_others_window {
            refreshes = [0, 0];
        } else if rotated {
            refreshes[party] += 1;
        }
        prop_assert!(refreshes[0] < 2 || refreshes[1] < 2, "both went on unnoticed");
    }
    Ok(())
}

/// `previous` is always less than `generation`, and neither of them decreases. A session rotates at most once in a
/// grace window.
fn numbers_stay_in_order(presented: Vec<(u64, u64)>) -> Result<(), TestCaseError> {
    let mut issuer = Issuer::new();
    let mut signed = 1;
    for (later, back) in presented {
        issuer.now += later;
        let (before, young) = (issuer.session().clone(), issuer.window_left() > 0);
        let Some(answer) = issuer.present(signed.max(back) - back) else { return Ok(()) };
        signed = signed.max(answer);
        let after = issuer.session();
        prop_assert!(after.previous < after.generation);
        prop_assert!(after.generation >= before.generation && after.previous >= before.previous);
        prop_assert_eq!(answer, after.generation);
        prop_assert!(!young || after == &before, "rotated twice in a window");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn promise_4_no_client_is_logged_out_by_accident(events in prop::collection::vec(event(), 1..40)) {
        no_client_is_logged_out(events)?;
    }

    #[test]
    fn promise_5_a_stolen_token_is_noticed(rotations in 0..3_u64, moves in prop::collection::vec(a_move(), 1..40)) {
        a_thief_is_noticed(rotations, moves)?;
    }

    #[test]
    fn generations_stay_in_order(presented in prop::collection::vec((0..100_u64, 0..4_u64), 1..40)) {
        numbers_stay_in_order(presented)?;
    }
}
