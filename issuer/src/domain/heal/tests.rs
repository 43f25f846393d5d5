use proptest::prelude::*;

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

/// Heals the record until the revocation log requires no further change. Appends the entries of each change.
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
fn a_record_that_the_log_does_not_name_is_not_changed() {
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
fn the_end_of_a_session_that_was_only_logged_is_finished() {
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

/// Trace 4 (b) and (c): a void and a kick revoke the same group. The kick applies, even if the void comes after the
/// kick.
#[test]
fn trace_4b_the_strongest_revocation_of_a_handle_decides() {
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
        // Tokens with the groups 1, 2 and 3 may exist. So these three groups are revoked, and the record gets a new
        // group.
        for stray in [1, 2, 3] {
            assert_ne!(healed.gid, handle(stray));
            assert!(world.log.revoked.iter().any(|logged| logged.revocation.handle() == handle(stray)));
        }
    }
}

/// Trace 4 (b), continued: a void replaces g1 with g2, and a kick replaces g2 with g3. Then a failover undoes both
/// writes of the record, so the record has the group g1 again. Only the void revokes g1, but the kick is on the path
/// from g1.
#[test]
fn a_kick_after_a_void_is_applied_to_a_record_from_before_both() {
    let mut world = World::new();
    let before = world.record(1, &[10], NOW);
    let voided = void(&alice(), &before, handle(2));
    world.append(&voided, NOW);
    let kicked = kick(&alice(), &voided.record, handle(3));
    world.append(&kicked, NOW);
    assert_eq!(healed(&mut world, &before), kicked.record);
}

/// A node that completes a kick gives the record the `next` group of the kick's entry. Tokens of lost logins may carry
/// this group. So the next kick must revoke this group.
#[test]
fn finishing_a_kick_moves_the_record_to_the_group_that_the_entry_names() {
    let mut world = World::new();
    let before = world.record(1, &[10], NOW);
    world.append(&kick(&alice(), &before, handle(2)), NOW);
    // A login in g2 follows. Then a failover undoes both writes of the record: the write of the kick and the write of
    // the login.
    let healed = healed(&mut world, &before);
    assert_eq!(healed.gid, handle(2));
    assert_eq!(revoked(&kick(&alice(), &healed, handle(3))), [handle(2)]);
}

/// Trace 4 (a) with a node that dies: the void writes the record first. The node of the kick dies before the kick can
/// start over.
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

/// Trace 4 (e): the login came after the kick. So its session is in the group that replaced the kicked group.
#[test]
fn trace_4e_a_login_after_a_kick_is_left_alone() {
    let mut world = World::new();
    let before = world.record(1, &[10], NOW);
    let kicked = kick(&alice(), &before, handle(2));
    world.append(&kicked, NOW);
    // A void read the record before the kick changed the record. The void's entry is appended after the kick's entry,
    // and the void then starts over with the new group.
    world.append(&void(&alice(), &before, handle(4)), NOW);
    let crate::domain::login::Decision::Open(login, _) = world.log_in(&kicked.record, 11, NOW) else {
        panic!("no session");
    };
    assert_eq!(healed(&mut world, &login.record), login.record);
    let voided = void(&alice(), &login.record, handle(5));
    world.append(&voided, NOW);
    assert_eq!(heal_of(&world, &voided.record), None);
}

#[test]
fn two_voids_of_one_group_keep_the_sessions_and_revoke_both_next_groups() {
    let mut world = World::new();
    let before = world.record(1, &[10], NOW);
    world.append(&void(&alice(), &before, handle(2)), NOW);
    world.append(&void(&alice(), &before, handle(3)), NOW);
    let healed = healed(&mut world, &before);
    assert_eq!(healed.sessions, before.sessions);
    assert!([1, 2, 3].iter().all(|gid| is_listed(&world, handle(*gid))));
}

/// A failover lost the entry g1 → g2, so tokens with the group g2 stayed valid. Then the entry g1 → g3 was appended.
/// Later a node put the entry g1 → g2 back.
#[test]
fn tokens_of_a_lost_branch_are_revoked() {
    for (lost, kept) in [(VOID, VOID), (VOID, KICK), (KICK, KICK), (VOID, DISABLE), (KICK, DISABLE)] {
        let mut world = World::new();
        let record = after(&world, 3, kept);
        log(&mut world, [(1, 3, kept), (1, 2, lost)]);
        let change = heal_of(&world, &record).expect("something to revoke");
        assert_eq!(change.record, record, "{lost:?}, {kept:?}: no session ends");
        assert_eq!(revoked(&change), [handle(2)]);
        assert_eq!(healed(&mut world, &record), record);
        // The answer to a kick of g2 depends on the `GroupEnd` that applied to the sessions of g2.
        assert_eq!(Lineage::of(&world.log).ways_to(handle(3))[&handle(2)], kept);
    }
}

/// A kick or a disable was acknowledged, then lost, and then put back. Meanwhile the sessions continued on another
/// branch. The revocation on that branch is weaker than the lost revocation. Healing still applies the kick or the
/// disable to these sessions.
#[test]
fn a_kick_or_a_disable_on_a_lost_branch_still_applies() {
    for (lost, kept) in [(KICK, VOID), (DISABLE, VOID), (DISABLE, KICK)] {
        let mut world = World::new();
        let record = after(&world, 3, kept);
        log(&mut world, [(1, 3, kept), (1, 2, lost)]);
        let healed = healed(&mut world, &record);
        assert!(healed.sessions.is_empty());
        assert_eq!(healed.state == SubjectState::Disabled, lost == DISABLE);
        assert!([1, 2, 3].iter().all(|gid| is_listed(&world, handle(*gid))));
        assert_eq!(Lineage::of(&world.log).ways_to(healed.gid)[&handle(2)], lost);
    }
}

/// The lost branch begins with a void of g1, which does not end the record's sessions. The next entry on this branch
/// is a kick.
#[test]
fn a_kick_after_a_lost_void_still_applies() {
    let mut world = World::new();
    let record = after(&world, 3, VOID);
    log(&mut world, [(1, 3, VOID), (1, 2, VOID), (2, 4, KICK)]);
    assert!(healed(&mut world, &record).sessions.is_empty());
    assert!([1, 2, 3, 4].iter().all(|gid| is_listed(&world, handle(*gid))));
}

/// Each branch has several steps. There are also several groups between the fork and the record's group.
#[test]
fn the_last_group_of_a_long_branch_is_revoked_and_its_voids_do_not_count_as_a_kick() {
    let mut world = World::new();
    let record = world.record(7, &[10], NOW);
    // The kick of g9 comes before the fork, so this kick counts for neither branch.
    log(&mut world, [(9, 1, KICK), (1, 3, VOID), (3, 7, VOID), (1, 2, VOID), (2, 4, VOID), (3, 5, VOID)]);
    let change = heal_of(&world, &record).expect("something to revoke");
    assert_eq!((revoked(&change), &change.record), (vec![handle(4), handle(5)], &record));
    assert_eq!(healed(&mut world, &record), record);
    assert_eq!(Lineage::of(&world.log).ways_to(handle(7))[&handle(4)], VOID);
    // Finally, a node puts the entry g5 → g6 back. This entry extends the branch that does not lead to the record's
    // group. Healing still finds g6: another entry also revokes g5, and the `next` of that entry is the record's group.
    log(&mut world, [(5, 6, VOID)]);
    assert_eq!(healed(&mut world, &record), record);
    assert!(is_listed(&world, handle(6)));
    log(&mut world, [(6, 8, KICK)]);
    assert!(healed(&mut world, &record).sessions.is_empty());
}

/// Three entries revoke the same group, so the fork has three branches.
#[test]
fn every_branch_of_a_fork_is_revoked() {
    let mut world = World::new();
    let record = world.record(2, &[10], NOW);
    log(&mut world, [(1, 2, VOID), (1, 3, VOID), (1, 4, VOID)]);
    assert_eq!(revoked(&heal_of(&world, &record).expect("something to revoke")), [handle(3), handle(4)]);
}

/// Sessions may have taken the void path, so the kick on the other path does not count.
#[test]
fn of_several_paths_to_a_group_the_weakest_counts() {
    let mut world = World::new();
    log(&mut world, [(1, 2, VOID), (2, 4, VOID), (1, 3, KICK), (3, 4, VOID)]);
    assert_eq!(Lineage::of(&world.log).ways_to(handle(4))[&handle(1)], VOID);
}

/// If both branches hold a disable and the subject was enabled afterwards, healing does not disable the subject again.
#[test]
fn a_subject_that_was_enabled_since_stays_enabled() {
    let mut world = World::new();
    log(&mut world, [(1, 3, DISABLE), (1, 2, DISABLE)]);
    let record = world.record(3, &[10], NOW);
    assert_eq!(healed(&mut world, &record), record);
}

/// A request revoked a group that no record had. Later, another request gave the record this group. So the entries form
/// a circle.
#[test]
fn a_record_in_a_circle_of_revoked_groups_leaves_it() {
    let mut world = World::new();
    let record = world.record(2, &[10], NOW);
    log(&mut world, [(1, 2, VOID), (1, 3, VOID), (2, 3, VOID), (3, 2, VOID)]);
    let out = healed(&mut world, &record);
    assert!(![1, 2, 3].contains(&out.gid.get()));
    assert_eq!(out.sessions, record.sessions);
    assert_eq!(healed(&mut world, &record), out, "the way out is logged");
}

proptest! {
    /// For every revocation log, healing terminates. Healing ends sessions only if the revocation log has a kick or a
    /// disable. Healing disables the subject only if the revocation log has a disable. Afterwards every group on a
    /// path to the record's group is revoked. Every group at the end of another branch is revoked too.
    #[test]
    fn healing_always_terminates(
        groups in prop::collection::vec((1..8_u64, 1..8_u64, prop::sample::select(vec![VOID, KICK, DISABLE])), 0..10),
        gid in 1..8_u64,
    ) {
        let mut world = World::new();
        let record = world.record(gid, &[10], NOW);
        let strongest = groups.iter().map(|(.., and)| *and).max();
        log(&mut world, groups);
        let healed = healed(&mut world, &record);
        prop_assert!(!is_listed(&world, healed.gid));
        let lineage = Lineage::of(&world.log);
        for before in lineage.ways_to(healed.gid).into_keys() {
            prop_assert_eq!(lineage.onward(before).map(|onward| onward.last), Some(vec![healed.gid]));
        }
        if strongest <= Some(VOID) {
            prop_assert_eq!(&healed.sessions, &record.sessions);
        }
        if strongest <= Some(KICK) {
            prop_assert_eq!(healed.state, SubjectState::Active);
        }
        prop_assert_eq!(heal_of(&world, &healed), None);
    }
}

const VOID: GroupEnd = GroupEnd::Void;
const KICK: GroupEnd = GroupEnd::Kick;
const DISABLE: GroupEnd = GroupEnd::Disable;

fn log(world: &mut World, groups: impl IntoIterator<Item = (u64, u64, GroupEnd)>) {
    for (gid, next, and) in groups {
        world.log(Revocation::Group { gid: handle(gid), next: handle(next), and }, NOW);
    }
}

/// Returns the record after a revocation with this `end`. The revocation gave the record the group `gid`. Unless the
/// subject is disabled, the record has a session that was opened after the revocation.
fn after(world: &World, gid: u64, end: GroupEnd) -> Record {
    let record = world.record(gid, &[10], NOW);
    match end {
        VOID | KICK => record,
        DISABLE => disable(&alice(), &record, handle(gid)).record,
    }
}

fn is_listed(world: &World, handle: Handle) -> bool {
    Lineage::of(&world.log).is_logged(handle)
}
