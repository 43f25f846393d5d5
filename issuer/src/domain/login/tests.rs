use super::*;
use crate::domain::GroupEnd;
use crate::domain::fixtures::{World, alice, at, handle, revoked};

const NOW: u64 = 1_000_000;

fn opened(decision: Decision) -> (Change, Grant) {
    match decision {
        Decision::Open(change, grant) => (change, grant),
        other => panic!("no session: {other:?}"),
    }
}

#[test]
fn a_new_session_rotates_at_its_first_refresh() {
    let world = World::new();
    let (change, grant) = opened(world.log_in(&Record::new(handle(1)), 10, NOW));
    let session = &change.record.sessions[0];
    assert_eq!((session.generation, session.previous, session.rotated_at), (1, 0, at(0)));
    assert_eq!((grant.gid, grant.sid, grant.generation), (handle(1), handle(10), 1));
    assert_eq!((grant.issued_at, grant.expires_at), (at(NOW), at(NOW + 900)));
    assert_eq!(change.record.last_session_end, at(NOW + 90 * 86_400));
}

#[test]
fn the_session_idle_for_longest_is_ended() {
    let mut world = World::new();
    let sids: Vec<u64> = (10..30).collect();
    let mut record = world.record(1, &sids, NOW);
    record.sessions.iter_mut().for_each(|session| session.last_seen_at = at(NOW + 50));
    record.sessions[7].last_seen_at = at(NOW + 49);
    let (change, _) = opened(world.log_in(&record, 99, NOW + 100));
    assert_eq!(change.record.sessions.len(), 20);
    assert_eq!(revoked(&change), [handle(17)]);
    world.append(&change, NOW + 100);
    assert!(change.record.session(handle(17)).is_none());
    assert!(change.record.session(handle(99)).is_some());
}

#[test]
fn expired_sessions_make_room_without_an_entry() {
    let world = World::new();
    let sids: Vec<u64> = (10..30).collect();
    let record = world.record(1, &sids, NOW);
    let (change, _) = opened(world.log_in(&record, 99, NOW + 31 * 86_400));
    assert_eq!((change.record.sessions.len(), revoked(&change).len()), (1, 0));
}

/// Trace 13: ten thousand logins and logouts do not inflate the revocation list.
#[test]
fn trace_13_a_full_share_of_the_list_refuses_until_one_entry_expires() {
    let mut world = World::new();
    for sid in 0..31 {
        world.log(Revocation::Session { sid: handle(100 + sid) }, NOW + sid);
    }
    let record = Record::new(handle(1));
    opened(world.log_in(&record, 99, NOW + 40));
    world.log(Revocation::Session { sid: handle(200) }, NOW + 40);
    // A handle that is appended twice counts once.
    world.log(Revocation::Session { sid: handle(200) }, NOW + 41);
    let retain = world.limits.retain_secs();
    let refused = LoginRefusal::ListFull { retry_after_secs: NOW + retain + 1 - (NOW + 50) };
    assert_eq!(world.log_in(&record, 99, NOW + 50), Decision::Refuse(refused));
    assert!(matches!(world.log_in(&record, 99, NOW + retain), Decision::Refuse(_)));
    opened(world.log_in(&record, 99, NOW + retain + 1));
}

/// A stranger who knows the password uses up the share. The operator sets a new password.
#[test]
fn b13_a_kick_lets_a_subject_with_a_full_share_log_in() {
    let mut world = World::new();
    let mut number = 1000;
    for kick in 0..8 {
        for _ in 0..31 {
            opened(world.log_in(&Record::new(handle(1)), 99, NOW));
            number += 1;
            world.log(Revocation::Session { sid: handle(number) }, NOW);
        }
        assert_eq!(matches!(world.log_in(&Record::new(handle(1)), 99, NOW), Decision::Refuse(_)), kick > 0);
        let and = if kick % 2 == 0 { GroupEnd::Kick } else { GroupEnd::Disable };
        world.log(Revocation::Group { gid: handle(1 + kick), next: handle(2 + kick), and }, NOW);
    }
    let refused = world.log_in(&Record::new(handle(9)), 99, NOW);
    assert!(matches!(refused, Decision::Refuse(LoginRefusal::ListFull { .. })), "the list stays bounded");
}

#[test]
fn a_void_does_not_let_a_subject_with_a_full_share_log_in() {
    let mut world = World::new();
    for sid in 0..32 {
        world.log(Revocation::Session { sid: handle(100 + sid) }, NOW);
    }
    world.log(Revocation::Group { gid: handle(1), next: handle(2), and: GroupEnd::Void }, NOW);
    assert!(matches!(world.log_in(&Record::new(handle(2)), 99, NOW), Decision::Refuse(_)));
}

#[test]
fn a_disabled_subject_is_refused() {
    let world = World::new();
    let record = Record { state: SubjectState::Disabled, ..Record::new(handle(1)) };
    assert_eq!(world.log_in(&record, 10, NOW), Decision::Refuse(LoginRefusal::Disabled));
}

#[test]
fn a_login_whose_session_is_in_the_record_is_done() {
    let world = World::new();
    let record = world.record(1, &[10], NOW);
    assert!(matches!(world.log_in(&record, 10, NOW + 1), Decision::Done(grant) if grant.generation == 1));
}

#[test]
fn an_unknown_subject_is_created_with_the_drawn_group() {
    let world = World::new();
    let handles = LoginHandles { sid: handle(10), gid: handle(5) };
    let decision = login(&alice(), None, &OpenSession::default(), handles, &world.moment(NOW));
    assert_eq!(opened(decision).1.gid, handle(5));
}

/// Trace 12: a cut-off and logins happen in the same second. Tokens issued before the cut-off are void. A token issued
/// after the cut-off is valid, and the session of this token is live.
#[test]
fn trace_12_a_login_in_the_second_of_a_cutoff_comes_after_it() {
    let mut world = World::new();
    let before = world.record(1, &[10], NOW);
    world.log.settings.cutoff = at(NOW + 1);
    world.log.settings.sessions_since = at(NOW + 1);
    let (change, grant) = opened(world.log_in(&before, 11, NOW));
    assert_eq!(grant.issued_at, at(NOW + 1));
    let live: Vec<_> = change.record.sessions.iter().map(|session| session.sid).collect();
    assert_eq!(live, [handle(11)]);
    assert!(change.record.sessions[0].is_live(&world.moment(NOW)));
}
