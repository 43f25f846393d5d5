//! Forged histories. The checker accepts correct histories and finds each kind of violation.

use super::Event::*;
use super::*;

fn story(parts: &[&[Event]]) -> Result<Checked, Violation> {
    History(Mutex::new(parts.concat())).check().map_err(|(_, violation)| violation)
}

fn opened(session: u64) -> Event {
    Opened { session, sub: "alice".into(), token: Token(1) }
}

fn refresh(session: u64, answer: Answer) -> [Event; 2] {
    [RefreshSent { session }, answer(session)]
}

type Answer = fn(u64) -> Event;
const YES: Answer = |session| Refreshed { session, from: Token(1), to: Token(2) };
const NO: Answer = |session| Refused { session };

fn led(from: u64, to: u64) -> [Event; 2] {
    [RefreshSent { session: 1 }, Refreshed { session: 1, from: Token(from), to: Token(to) }]
}

fn kick_sent() -> Event {
    KickSent { sub: "alice".into() }
}

/// Entry 50 of the revocation log, acknowledged in second 1000.
fn kicked() -> Event {
    Kicked { sub: "alice".into(), seq: 50, at: 1000 }
}

const CRASH: Event = Fault("an issuer is killed");

/// A verifier that has received nothing after second 990. In second 1000 the verifier reports that its list is old.
const CUT_OFF: Knowledge = Knowledge { held: 49, as_of: 990, age_secs: 10, stale: true, asked_at: 1000 };

fn accepted(session: u64, knowledge: Knowledge) -> [Event; 1] {
    [TokenAccepted { session, knowledge }]
}

#[test]
fn a_correct_history_passes() {
    let lost_answer = [RefreshSent { session: 1 }, CRASH];
    let honest = story(&[
        &[opened(1), opened(2)],
        &refresh(1, YES),
        &lost_answer,
        &led(2, 3),
        &[kick_sent(), kicked(), TokenRefused { session: 2 }, CRASH],
        &[Opened { session: 3, sub: "bob".into(), token: Token(1) }],
        &refresh(1, NO),
        &refresh(2, NO),
        &refresh(3, YES),
        &accepted(3, Knowledge { held: 50, as_of: 1001, age_secs: 0, stale: false, asked_at: 1001 }),
    ]);
    let checked = Checked { refreshes_after_kicks: 2, living: 1, ..Checked::default() };
    assert_eq!(honest, Ok(checked));
}

#[test]
fn an_unanswered_kick_may_or_may_not_take_effect() {
    for answer in [YES, NO] {
        assert!(story(&[&[opened(1), kick_sent(), CRASH], &refresh(1, answer)]).is_ok());
    }
}

#[test]
fn a_login_during_a_kick_may_or_may_not_be_ended_by_it() {
    for answer in [YES, NO] {
        assert!(story(&[&[kick_sent(), opened(1), kicked()], &refresh(1, answer)]).is_ok());
    }
}

#[test]
fn a_refresh_under_way_when_the_kick_is_acknowledged_may_be_answered() {
    let beside = [opened(1), kick_sent(), RefreshSent { session: 1 }, kicked(), YES(1)];
    assert!(story(&[&beside, &refresh(1, NO)]).is_ok());
}

#[test]
fn a_lost_kick_is_found() {
    let lost = Err(Violation::KickLost { session: 1 });
    let kick = [opened(1), kick_sent(), kicked(), CRASH];
    assert_eq!(story(&[&kick, &refresh(1, YES)]), lost);
    // The verifier reports that its list is old, but the list contains the kick.
    for held in [50, 51] {
        assert_eq!(story(&[&kick, &accepted(1, Knowledge { held, ..CUT_OFF })]), lost);
    }
}

#[test]
fn a_verifier_that_reports_its_staleness_may_accept_a_kicked_token() {
    let kick = [opened(1), kick_sent(), kicked()];
    let seen = refresh(1, NO);
    let in_the_same_second = Knowledge { as_of: 1000, age_secs: 0, ..CUT_OFF };
    let a_heartbeat_late = Knowledge { as_of: 999, age_secs: 1, stale: false, ..CUT_OFF };
    let much_later = Knowledge { age_secs: 610, asked_at: 1600, ..CUT_OFF };
    for knowledge in [CUT_OFF, in_the_same_second, a_heartbeat_late, much_later] {
        let said = story(&[&kick, &accepted(1, knowledge), &seen]);
        let checked = Checked { tokens_after_kicks: 1, refreshes_after_kicks: 1, ..Checked::default() };
        assert_eq!(said, Ok(checked), "{knowledge:?}");
    }
}

#[test]
fn understated_staleness_is_found() {
    let kick = [opened(1), kick_sent(), kicked()];
    // The list claims to contain every kick up to second 1001.
    let vouched = Knowledge { as_of: 1001, age_secs: 9, asked_at: 1010, ..CUT_OFF };
    // The list is older than the verifier says.
    let too_young = Knowledge { age_secs: 8, asked_at: 1009, ..CUT_OFF };
    // The verifier reports the correct age, but it does not report that the list is stale.
    let not_stale = Knowledge { age_secs: 14, stale: false, asked_at: 1004, ..CUT_OFF };
    for knowledge in [vouched, too_young, not_stale] {
        let said = story(&[&kick, &accepted(1, knowledge)]);
        assert_eq!(said, Err(Violation::Understated { session: 1 }), "{knowledge:?}");
    }
}

#[test]
fn a_lost_session_is_found() {
    let lost = Err(Violation::SessionLost { session: 1 });
    assert_eq!(story(&[&[opened(1), CRASH], &refresh(1, NO)]), lost);
    assert_eq!(story(&[&[opened(1), CRASH, TokenRefused { session: 1 }]]), lost);
    // A kick of another subject was sent.
    let other = KickSent { sub: "bob".into() };
    assert_eq!(story(&[&[opened(1), other, CRASH], &refresh(1, NO)]), lost);
    // The kick was acknowledged before the login.
    assert_eq!(story(&[&[kick_sent(), kicked(), opened(1), CRASH], &refresh(1, NO)]), lost);
    // The token of another session was sent twice.
    let other = [opened(1), opened(2), SentTwice { session: 2 }];
    assert_eq!(story(&[&other, &refresh(1, NO)]), lost);
}

#[test]
fn a_refused_session_that_is_refreshed_later_is_found() {
    let half = [opened(1), kick_sent(), CRASH];
    let risen = story(&[&half, &refresh(1, NO), &[CRASH], &refresh(1, YES)]);
    assert_eq!(risen, Err(Violation::RoseAgain { session: 1 }));
}

#[test]
fn a_kick_that_is_never_finished_is_found() {
    let half = [opened(1), kick_sent(), TokenRefused { session: 1 }, CRASH];
    assert_eq!(story(&[&half, &refresh(1, YES)]), Err(Violation::HalfDone { session: 1 }));
    // The kick was not acknowledged, and was completed later.
    let finished = story(&[&half, &refresh(1, YES), &refresh(1, NO)]);
    assert_eq!(finished, Ok(Checked { half_done: 1, ..Checked::default() }));
}

#[test]
fn one_of_two_tabs_continues() {
    let twice = [opened(1), SentTwice { session: 1 }];
    // Each of these four histories is allowed. First: both tabs get the same token. Second: the tabs get different
    // tokens, and later one tab is refused. Third: the tabs get different tokens, and later one tab gets the tokens of
    // the other tab. Fourth: one answer arrives late.
    assert!(story(&[&twice, &led(1, 2), &led(1, 2), &led(2, 3)]).is_ok());
    let forked = story(&[&twice, &led(1, 2), &led(1, 3), &led(3, 4), &refresh(1, NO)]);
    assert_eq!(forked, Ok(Checked { forks: 1, ..Checked::default() }));
    assert!(story(&[&twice, &led(1, 2), &led(1, 3), &led(2, 3), &led(3, 4), &led(2, 4), &led(4, 5)]).is_ok());
    assert!(story(&[&twice, &led(1, 3), &led(1, 2), &refresh(1, NO)]).is_ok());
    // This history is allowed: the store lost a generation, so the same token is issued again.
    assert!(story(&[&twice, &led(1, 2), &led(2, 2), &led(2, 3)]).is_ok());
}

#[test]
fn two_live_chains_are_found() {
    let two = Err(Violation::TwoChains { session: 1 });
    let twice = [opened(1), SentTwice { session: 1 }];
    assert_eq!(story(&[&twice, &led(1, 2), &led(1, 3), &led(2, 4), &led(3, 5)]), two);
    assert_eq!(story(&[&twice, &led(1, 2), &led(1, 3), &led(3, 5), &led(5, 6), &led(2, 4)]), two);
    // The first chain continued before the second chain began.
    assert_eq!(story(&[&twice, &led(1, 2), &led(2, 4), &led(1, 3), &led(3, 5)]), two);
    // The chain splits at a later token, long after the double request.
    assert_eq!(story(&[&twice, &led(1, 2), &led(2, 3), &led(2, 4), &led(3, 5), &led(4, 6)]), two);
}

#[test]
fn a_session_that_is_not_checked_after_a_fault_is_found() {
    let unseen = Err(Violation::Unseen { session: 1 });
    assert_eq!(story(&[&[opened(1)], &refresh(1, YES), &[CRASH]]), unseen);
}

#[test]
fn everything_that_was_answered_is_counted() {
    let events = [&[opened(1), kick_sent(), kicked()][..], &refresh(1, NO), &[CRASH, CRASH]].concat();
    let tally = History(Mutex::new(events)).tally();
    assert_eq!(
        tally.acknowledged,
        BTreeMap::from([("logins", 1), ("kicks", 1), ("refusals of a refresh", 1)])
    );
    assert_eq!(tally.faults, BTreeMap::from([("an issuer is killed", 2)]));
}
