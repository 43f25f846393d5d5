use super::*;
use crate::domain::fixtures::{World, alice, handle, revoked};

const NOW: u64 = 1_000_000;

#[test]
fn each_says_in_the_log_what_it_takes_from_the_record() {
    let world = World::new();
    let record = world.record(1, &[10, 11], NOW);
    let changes = [
        (kick(&alice(), &record, handle(2)), 0),
        (void(&alice(), &record, handle(2)), 2),
        (disable(&alice(), &record, handle(2)), 0),
        (set_password(&alice(), &record, handle(2), PasswordHash::new("$new".into())), 0),
        (delete(&alice(), &record, handle(2)), 0),
    ];
    for (change, sessions) in changes {
        assert_eq!(revoked(&change), [handle(1)]);
        assert_eq!((change.record.gid, change.record.sessions.len()), (handle(2), sessions));
    }
}

/// Trace 10: the session is somebody else's.
#[test]
fn trace_10_a_session_that_is_not_in_the_record_is_not_logged() {
    let world = World::new();
    assert_eq!(end_session(&alice(), &world.record(1, &[10], NOW), handle(66)), None);
}

/// Trace 4 (a): the group is another one, but by a void: its sessions live.
#[test]
fn trace_4a_a_kick_is_not_done_while_a_session_of_its_beginning_lives() {
    let world = World::new();
    let before = world.record(1, &[10], NOW);
    let held = Holdings::of(&before);
    assert!(!held.are_gone_from(Some(&before)));
    assert!(!held.are_gone_from(Some(&void(&alice(), &before, handle(2)).record)));
    assert!(held.are_gone_from(Some(&kick(&alice(), &before, handle(2)).record)));
    assert!(held.are_gone_from(None));
}

#[test]
fn a_disabled_subject_that_is_enabled_keeps_its_group() {
    let world = World::new();
    let disabled = disable(&alice(), &world.record(1, &[10], NOW), handle(2)).record;
    let enabled = enable(&alice(), &disabled);
    assert_eq!((enabled.record.state, enabled.record.gid), (SubjectState::Active, handle(2)));
    assert!(enabled.entries.is_empty());
}

#[test]
fn the_debug_text_of_a_record_does_not_show_its_password() {
    let world = World::new();
    let record = world.record(1, &[10], NOW);
    let change = set_password(&alice(), &record, handle(2), PasswordHash::new("$argon2id$secret".into()));
    assert!(!format!("{change:?}").contains("secret"));
}
