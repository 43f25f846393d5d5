use serde_json::json;

use super::*;
use crate::domain::Grant;
use crate::domain::claims::MAX_CUSTOM_CLAIMS_LEN;
use crate::domain::fixtures::{World, alice, handle, revoked};

const NOW: u64 = 1_000_000;

#[test]
fn each_rule_logs_what_it_removes_from_the_record() {
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

/// Trace 10: the session belongs to another subject.
#[test]
fn trace_10_a_session_that_is_not_in_the_record_is_not_logged() {
    let world = World::new();
    assert_eq!(end_session(&alice(), &world.record(1, &[10], NOW), handle(66)), None);
}

/// Trace 4 (a): a void has given the record another group. The sessions of the record are still live, so the kick must
/// not be acknowledged yet.
#[test]
fn trace_4a_a_kick_is_not_done_while_a_session_from_its_start_lives() {
    let world = World::new();
    let before = world.record(1, &[10], NOW);
    let held = Holdings::of(&before);
    assert!(!held.are_gone_from(Some(&before)));
    assert!(!held.are_gone_from(Some(&void(&alice(), &before, handle(2)).record)));
    assert!(held.are_gone_from(Some(&kick(&alice(), &before, handle(2)).record)));
    assert!(held.are_gone_from(None));
}

#[test]
fn a_group_is_spent_if_the_record_has_it_or_an_entry_revokes_it() {
    let mut world = World::new();
    let record = world.record(1, &[10], NOW);
    assert!(!is_spent(handle(2), &record, &world.log));
    assert!(is_spent(handle(1), &record, &world.log), "the record has it");
    world.log(Revocation::Group { gid: handle(2), next: handle(1), and: GroupEnd::Void }, NOW);
    assert!(is_spent(handle(2), &record, &world.log), "an entry revokes it");
}

#[test]
fn a_new_password_replaces_the_former_one() {
    let world = World::new();
    let record = world.record(1, &[10], NOW);
    let change = set_password(&alice(), &record, handle(2), PasswordHash::new("$new".into()));
    assert_eq!(change.record.password.as_ref().map(PasswordHash::as_str), Some("$new"));
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

fn claims(value: serde_json::Value) -> CustomClaims {
    value.as_object().expect("an object").clone()
}

#[test]
fn changed_claims_void_the_tokens_and_are_in_the_next_ones() {
    let world = World::new();
    let moment = world.moment(NOW);
    let mut record = world.record(1, &[10, 11], NOW);
    record.sessions[0].claims = claims(json!({ "role": "editor", "tenant": "a" }));
    let change =
        set_claims(&alice(), &record, handle(2), claims(json!({ "role": "viewer" })), &moment).expect("fit");
    assert_eq!(revoked(&change), [handle(1)]);
    let granted =
        change.record.sessions.iter().map(|session| Grant::of(&alice(), &change.record, session, &moment));
    let granted: Vec<_> = granted.map(|grant| (grant.gid, grant.claims)).collect();
    let both = claims(json!({ "role": "viewer", "tenant": "a" }));
    assert_eq!(granted, [(handle(2), both), (handle(2), claims(json!({ "role": "viewer" })))]);
}

#[test]
fn claims_stay_until_the_subject_is_deleted() {
    let world = World::new();
    let record = Record { claims: claims(json!({ "role": "viewer" })), ..world.record(1, &[10], NOW) };
    for change in [
        kick(&alice(), &record, handle(2)),
        void(&alice(), &record, handle(2)),
        disable(&alice(), &record, handle(2)),
        set_password(&alice(), &record, handle(2), PasswordHash::new("$new".into())),
    ] {
        assert_eq!(change.record.claims, record.claims);
    }
    assert_eq!(delete(&alice(), &record, handle(2)).record.claims, CustomClaims::new());
}

#[test]
fn claims_that_are_too_long_for_a_token_of_a_live_session_are_refused() {
    let world = World::new();
    let mut record = world.record(1, &[10], NOW);
    record.sessions[0].claims = claims(json!({ "long": "x".repeat(MAX_CUSTOM_CLAIMS_LEN - 20) }));
    let set = |claims, now| set_claims(&alice(), &record, handle(2), claims, &world.moment(now));
    let role = claims(json!({ "role": "viewer" }));
    assert!(matches!(set(role.clone(), NOW), Err(UnfitClaims::TooLong { .. })));
    assert!(set(claims(json!({ "long": "short", "role": "viewer" })), NOW).is_ok(), "over the session's");
    assert!(set(claims(json!({ "long": null, "role": "viewer" })), NOW).is_ok(), "in its place");
    assert!(set(role, NOW + world.limits.refresh_idle_secs).is_ok(), "the session has ended");
}
