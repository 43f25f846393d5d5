mod properties;

use super::*;
use crate::domain::GroupEnd;
use crate::domain::fixtures::{World, alice, at, handle, revoked};

const NOW: u64 = 1_000_000;

/// A record whose session has these values of `g` and `p`. The generation `g` was made `age` seconds before [`NOW`].
fn record(g: u64, p: u64, age: u64) -> Record {
    let mut record = World::new().record(1, &[10], NOW - 1000);
    let session = &mut record.sessions[0];
    (session.generation, session.previous, session.rotated_at) = (g, p, at(NOW - age));
    record
}

fn present(record: &Record, n: u64) -> Decision {
    let token = Presented { sid: handle(10), generation: n, client_id: Some("app") };
    refresh(&alice(), Some(record), token, &World::new().moment(NOW))
}

/// The `generation` and `previous` of the session after the decision, and the generation in the grant.
fn advanced(decision: Decision) -> (u64, u64, u64) {
    match decision {
        Decision::Advance(change, grant) => {
            let session = &change.record.sessions[0];
            assert_eq!((session.rotated_at, session.last_seen_at), (at(NOW), at(NOW)));
            (session.generation, session.previous, grant.generation)
        }
        other => panic!("not advanced: {other:?}"),
    }
}

#[test]
fn the_first_refresh_rotates() {
    let record = World::new().record(1, &[10], NOW);
    assert_eq!(advanced(present(&record, 1)), (2, 1, 2));
}

#[test]
fn within_the_window_either_token_gets_the_same_answer() {
    for n in [7, 8] {
        assert!(matches!(present(&record(8, 7, 29), n), Decision::Repeat(grant) if grant.generation == 8));
    }
    // `p` is two generations behind `g`, because an answer was lost. Every generation from `p` to `g` is accepted.
    assert!(matches!(present(&record(9, 7, 29), 8), Decision::Repeat(grant) if grant.generation == 9));
}

#[test]
fn after_the_window_the_current_token_rotates() {
    assert_eq!(advanced(present(&record(8, 7, 30), 8)), (9, 8, 9));
}

/// Trace 5 (a): R7 is rotated to R8, the answer is lost, the laptop sleeps, and R7 is sent again 31 s later.
#[test]
fn trace_5a_a_session_survives_a_lost_answer_at_any_later_time() {
    assert_eq!(advanced(present(&record(8, 7, 31), 7)), (9, 7, 9));
    assert_eq!(advanced(present(&record(8, 7, 900), 7)), (9, 7, 9));
}

/// Trace 5 (b): two tabs send R7. Tab A receives R8 and uses it at once. Then the request of tab B with R7 arrives. All
/// of this happens within one second.
#[test]
fn trace_5b_two_tabs_get_one_successor() {
    let Decision::Advance(change, _) = present(&record(7, 6, 900), 7) else { panic!("not rotated") };
    assert!(matches!(present(&change.record, 8), Decision::Repeat(grant) if grant.generation == 8));
    assert!(matches!(present(&change.record, 7), Decision::Repeat(grant) if grant.generation == 8));
}

/// Trace 5 (c): the store lost the write that made R8. One tab sends R8 while the other tab's R7 is still on its
/// way.
#[test]
fn trace_5c_a_newer_generation_than_the_stored_one_is_accepted() {
    assert_eq!(advanced(present(&record(7, 6, 900), 8)), (8, 6, 8));
    assert_eq!(advanced(present(&record(7, 6, 1), 8)), (8, 6, 8));
    assert!(matches!(present(&record(8, 6, 0), 7), Decision::Repeat(grant) if grant.generation == 8));
}

#[test]
fn any_other_generation_counts_as_reuse_and_ends_the_session() {
    for (record, n) in [(record(8, 7, 0), 6), (record(8, 7, 900), 6), (record(9, 7, 30), 8)] {
        let Decision::Reuse(change) = present(&record, n) else { panic!("not noticed") };
        assert_eq!(revoked(&change), [handle(10)]);
        assert!(change.record.sessions.is_empty());
        assert_eq!(change.audit[0].event, AuditKind::RefreshReused);
    }
}

#[test]
fn another_client_is_refused_and_changes_nothing() {
    let record = record(8, 7, 900);
    for n in [1, 7, 8, 9] {
        let token = Presented { sid: handle(10), generation: n, client_id: Some("other") };
        let decision = refresh(&alice(), Some(&record), token, &World::new().moment(NOW));
        assert_eq!(decision, Decision::Refuse(RefreshRefusal::WrongClient));
    }
}

#[test]
fn a_missing_or_ended_session_is_refused() {
    let good = World::new().record(1, &[10], NOW);
    let refusal = |record: Option<&Record>, sid: u64, now: u64| {
        let token = Presented { sid: handle(sid), generation: 1, client_id: None };
        match refresh(&alice(), record, token, &World::new().moment(now)) {
            Decision::Refuse(refusal) => Some(refusal),
            _ => None,
        }
    };
    assert_eq!(refusal(None, 10, NOW), Some(RefreshRefusal::NoSuchSession));
    assert_eq!(refusal(Some(&good), 11, NOW), Some(RefreshRefusal::NoSuchSession));
    let idle_end = NOW + 30 * 86_400;
    assert_eq!(refusal(Some(&good), 10, idle_end - 1), None);
    assert_eq!(refusal(Some(&good), 10, idle_end), Some(RefreshRefusal::Ended));
    let mut seen = good.clone();
    seen.sessions[0].last_seen_at = at(NOW + 89 * 86_400);
    assert_eq!(refusal(Some(&seen), 10, NOW + 90 * 86_400 - 1), None);
    assert_eq!(refusal(Some(&seen), 10, NOW + 90 * 86_400), Some(RefreshRefusal::Ended));
    let disabled = Record { state: SubjectState::Disabled, ..good };
    assert_eq!(refusal(Some(&disabled), 10, NOW), Some(RefreshRefusal::Disabled));
}

/// A failover could undo the write that moved the record into its group. So a token of this group is given only after
/// a replica has the write.
#[test]
fn a_refresh_waits_for_a_replica_only_if_an_entry_leads_to_the_group() {
    let mut world = World::new();
    let record = world.record(1, &[10], NOW);
    let token = Presented { sid: handle(10), generation: 1, client_id: None };
    let durability = |world: &World| match refresh(&alice(), Some(&record), token, &world.moment(NOW)) {
        Decision::Advance(change, _) => change.durability,
        other => panic!("not advanced: {other:?}"),
    };
    assert_eq!(durability(&world), Durability::Local);
    world.log(Revocation::Group { gid: handle(2), next: handle(3), and: GroupEnd::Void }, NOW);
    assert_eq!(durability(&world), Durability::Local, "the entry leads to another group");
    world.log(Revocation::Group { gid: handle(9), next: handle(1), and: GroupEnd::Void }, NOW);
    assert_eq!(durability(&world), Durability::Replicated);
}

/// Trace 15: a token does not outlive its session.
#[test]
fn trace_15_a_token_expires_with_its_session() {
    let mut record = World::new().record(1, &[10], NOW);
    let end = NOW + 90 * 86_400;
    record.sessions[0].last_seen_at = at(end - 1000);
    let token = Presented { sid: handle(10), generation: 1, client_id: None };
    let decision = refresh(&alice(), Some(&record), token, &World::new().moment(end - 1));
    assert!(matches!(decision, Decision::Advance(_, grant) if grant.expires_at == at(end)));
    assert!(!record.is_past_keeping(at(end + 1020), 1020));
    assert!(record.is_past_keeping(at(end + 1021), 1020));
}

/// Trace 12: a token issued after a cut-off has the cut-off as its `iat`. If a cut-off ended
/// a session, no later request opens the session again.
#[test]
fn trace_12_a_later_token_has_the_cutoff_as_its_iat_and_an_ended_session_stays_ended() {
    let mut world = World::new();
    let record = world.record(1, &[10], NOW);
    let token = Presented { sid: handle(10), generation: 1, client_id: None };
    world.log.settings.cutoff = at(NOW + 1);
    let decision = refresh(&alice(), Some(&record), token, &world.moment(NOW));
    assert!(matches!(decision, Decision::Advance(_, grant) if grant.issued_at == at(NOW + 1)));
    world.log.settings.sessions_since = at(NOW + 1);
    for now in [NOW, NOW + 960, NOW + 86_400] {
        let decision = refresh(&alice(), Some(&record), token, &world.moment(now));
        assert_eq!(decision, Decision::Refuse(RefreshRefusal::Ended));
    }
}
