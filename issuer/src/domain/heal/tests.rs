use super::*;
use crate::domain::fixtures::{World, alice, handle, revoked};
use crate::domain::revoke::{disable, end_session, kick, void};

const NOW: u64 = 1_000_000;

fn fresh() -> Handle {
    handle(999)
}

fn heal_of(world: &World, record: &Record) -> Option<Change> {
    heal(&alice(), record, &world.log, fresh)
}

/// Heals until the log asks nothing more, and keeps what that appends.
fn healed(world: &mut World, record: &Record) -> Record {
    let mut record = record.clone();
    for group in 900.. {
        let Some(change) = heal(&alice(), &record, &world.log, || handle(group)) else { return record };
        world.append(&change, NOW);
        record = change.record;
    }
    unreachable!("healing ends")
}

#[test]
fn a_record_the_log_does_not_name_is_left_alone() {
    let world = World::new();
    assert_eq!(heal_of(&world, &world.record(1, &[10], NOW)), None);
}

#[test]
fn a_kick_that_was_only_logged_is_finished() {
    let mut world = World::new();
    let record = world.record(1, &[10, 11], NOW);
    let change = kick(&alice(), &record, handle(2));
    world.append(&change, NOW);
    let healed = heal_of(&world, &record).expect("something to finish");
    assert_eq!(healed.record, change.record);
    assert!(healed.entries.is_empty(), "the log says it already");
}

#[test]
fn an_end_of_a_session_that_was_only_logged_is_finished() {
    let mut world = World::new();
    let record = world.record(1, &[10, 11], NOW);
    let change = end_session(&alice(), &record, handle(10)).expect("a session");
    world.append(&change, NOW);
    assert_eq!(heal_of(&world, &record).expect("something to finish").record, change.record);
}

#[test]
fn a_disable_that_was_only_logged_is_finished() {
    let mut world = World::new();
    let record = world.record(1, &[10], NOW);
    let change = disable(&alice(), &record, handle(2));
    world.append(&change, NOW);
    assert_eq!(healed(&mut world, &record), change.record);
}

/// Trace 4 (b) and (c): a void and a kick name the same group; the kick decides, in whatever order they are met.
#[test]
fn trace_4b_the_strongest_end_of_a_handle_decides() {
    for kick_first in [false, true] {
        let mut world = World::new();
        let record = world.record(1, &[10], NOW);
        let mut changes = [void(&alice(), &record, handle(2)), kick(&alice(), &record, handle(3))];
        if kick_first {
            changes.reverse();
        }
        changes.iter().for_each(|change| world.append(change, NOW));
        let healed = healed(&mut world, &record);
        assert!(healed.sessions.is_empty());
        // Tokens of either group may be about: neither is the one the record goes on with.
        for stray in [1, 2, 3] {
            assert_ne!(healed.gid, handle(stray));
            assert!(world.log.revoked.iter().any(|logged| logged.revocation.handle() == handle(stray)));
        }
    }
}

/// Trace 4 (b), further: void g1 → g2, kick g2 → g3, both done; the record loses both writes. The void alone names
/// the record's group, but on its way lies the kick.
#[test]
fn a_kick_behind_a_void_is_found_from_before_both() {
    let mut world = World::new();
    let before = world.record(1, &[10], NOW);
    let voided = void(&alice(), &before, handle(2));
    world.append(&voided, NOW);
    let kicked = kick(&alice(), &voided.record, handle(3));
    world.append(&kicked, NOW);
    assert_eq!(healed(&mut world, &before), kicked.record);
}

/// A kick is finished into the group it named, so that the next kick names what tokens of lost logins carry.
#[test]
fn a_finished_kick_leads_to_the_group_it_named() {
    let mut world = World::new();
    let before = world.record(1, &[10], NOW);
    world.append(&kick(&alice(), &before, handle(2)), NOW);
    // A login on g2 follows; then the record loses both writes.
    let healed = healed(&mut world, &before);
    assert_eq!(healed.gid, handle(2));
    assert_eq!(revoked(&kick(&alice(), &healed, handle(3))), [handle(2)]);
}

/// Trace 4 (a), the kick's node dead: the void's swap won, and nobody is left to start the kick over.
#[test]
fn trace_4a_a_kick_overtaken_by_a_void_is_finished() {
    let mut world = World::new();
    let before = world.record(1, &[10], NOW);
    let voided = void(&alice(), &before, handle(2));
    world.append(&voided, NOW);
    world.append(&kick(&alice(), &before, handle(3)), NOW);
    let healed = healed(&mut world, &voided.record);
    assert!(healed.sessions.is_empty());
    assert!(world.log.revoked.iter().any(|logged| logged.revocation.handle() == handle(2)));
}

/// Trace 4 (e): the login came after the kick, on the group that took the kicked one's place.
#[test]
fn trace_4e_a_login_after_a_kick_is_left_alone() {
    let mut world = World::new();
    let before = world.record(1, &[10], NOW);
    let kicked = kick(&alice(), &before, handle(2));
    world.append(&kicked, NOW);
    // A void that read before the kick appends too late, and starts over on the new group.
    world.append(&void(&alice(), &before, handle(4)), NOW);
    let crate::domain::login::Decision::Open(login, _) = world.log_in(&kicked.record, 11, NOW) else {
        panic!("no session");
    };
    assert_eq!(heal_of(&world, &login.record), None);
    let voided = void(&alice(), &login.record, handle(5));
    world.append(&voided, NOW);
    assert_eq!(heal_of(&world, &voided.record), None);
}

#[test]
fn two_voids_that_met_leave_the_sessions_and_revoke_both_ways() {
    let mut world = World::new();
    let before = world.record(1, &[10], NOW);
    world.append(&void(&alice(), &before, handle(2)), NOW);
    world.append(&void(&alice(), &before, handle(3)), NOW);
    let healed = healed(&mut world, &before);
    assert_eq!(healed.sessions, before.sessions);
    let listed: Vec<_> = world.log.revoked.iter().map(|logged| logged.revocation.handle()).collect();
    assert!([1, 2, 3].iter().all(|gid| listed.contains(&handle(*gid))));
}
