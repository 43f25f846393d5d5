//! Tests of the heartbeat: which entries and records it drops, and when.

use super::*;
use crate::domain::{GroupEnd, NewEntry, Revocation, Revoked};
use crate::store::{Commit, Store};

fn retain() -> u64 {
    Limits::default().retain_secs()
}

#[tokio::test]
async fn an_entry_stays_for_retain() {
    let office = Office::new().await;
    let grant = office.log_in(&subject("alice")).await;
    let position = kicked(office.desk.kick(&grant.sub, None).await.expect("the store"));
    office.clock.advance(retain());
    beat(&office.desk).await.expect("a beat");
    assert!(office.is_listed(grant.gid));
    office.clock.advance(1);
    let confirmed = beat(&office.desk).await.expect("a beat");
    assert!(!office.is_listed(grant.gid));
    assert_eq!(confirmed.position, position, "a position does not go back");
    assert!(office.store.log_since(Seq::ZERO).await.expect("the log").entries.is_empty());
    assert_eq!(office.desk.log(|log| log.floor()), position.seq);
}

/// Trace 7: the token lifetime was an hour and is lowered. Entries still stay in the revocation log long enough for
/// tokens with a lifetime of an hour.
#[tokio::test]
async fn trace_7_retain_only_rises() {
    let hour = Limits { access_ttl_secs: 3600, ..Limits::default() };
    let office = Office::with(hour).await;
    let lowered = Desk::open(office.store.clone(), Limits::default(), HEARTBEAT).await.expect("a desk");
    assert_eq!(lowered.log(|log| log.settings().retain_secs), hour.retain_secs());
    let grant = log_in(&lowered, &subject("alice")).await;
    kicked(lowered.kick(&grant.sub, None).await.expect("the store"));
    office.clock.advance(hour.retain_secs());
    beat(&lowered).await.expect("a beat");
    assert!(is_listed(&lowered, grant.gid));
}

/// Trace 15: a record is kept until `retain` after the end of its last session, so that a kick knows which group it
/// must revoke.
#[tokio::test]
async fn trace_15_a_record_outlives_the_last_token_of_its_sessions() {
    let office = Office::with(Limits { refresh_idle_secs: 90 * 86_400, ..Limits::default() }).await;
    let grant = office.log_in(&subject("alice")).await;
    let end = START + 90 * 86_400;
    office.clock.set(end - 1);
    let last = granted(refresh(&office.desk, &grant).await);
    assert_eq!(last.expires_at.as_secs(), end);
    office.clock.set(end + retain());
    beat(&office.desk).await.expect("a beat");
    assert!(office.sessions(&grant.sub).await.is_empty());
    let details = office.desk.subject(&grant.sub).await.expect("the store").expect("a record");
    assert_eq!(details.gid, grant.gid);
    office.clock.advance(1);
    beat(&office.desk).await.expect("a beat");
    assert_eq!(office.desk.subject(&grant.sub).await, Ok(None));
}

#[tokio::test]
async fn a_record_that_a_login_could_not_recreate_is_kept() {
    let office = Office::new().await;
    let hash = crate::domain::PasswordHash::new("$right".into());
    office.desk.create_subject(&subject("alice"), Some(hash)).await.expect("the store");
    office.log_in(&subject("bob")).await;
    office.desk.disable(&subject("bob")).await.expect("the store");
    office.log_in(&subject("carol")).await;
    let claims = crate::domain::CustomClaims::from_iter([("role".to_owned(), "viewer".into())]);
    office.desk.set_claims(&subject("carol"), claims).await.expect("the store");
    office.log_in(&subject("mallory")).await;
    office.clock.advance(365 * 86_400);
    beat(&office.desk).await.expect("a beat");
    let left = office.desk.subjects(None, 10).await.expect("a page").subjects;
    let names: Vec<_> = left.iter().flatten().map(|subject| subject.sub.as_str()).collect();
    assert_eq!(names, ["alice", "bob", "carol"]);
}

#[tokio::test]
async fn a_subject_made_without_an_account_waits_for_its_first_login() {
    let office = Office::new().await;
    office.desk.create_subject(&subject("alice"), None).await.expect("the store");
    office.clock.advance(89 * 86_400);
    beat(&office.desk).await.expect("a beat");
    assert!(office.desk.subject(&subject("alice")).await.expect("the store").is_some());
}

#[tokio::test]
async fn a_desk_starts_where_the_last_one_stopped() {
    let office = Office::new().await;
    let grant = office.log_in(&subject("alice")).await;
    let position = kicked(office.desk.kick(&grant.sub, None).await.expect("the store"));
    let restarted = Desk::open(office.store.clone(), Limits::default(), HEARTBEAT).await.expect("a desk");
    assert_eq!(restarted.last_confirmed().position, position);
    assert!(is_listed(&restarted, grant.gid));
    assert_eq!(restarted.log(|log| log.floor()), position.seq);
}

/// Trace 20: 300 kicks were appended but not swapped, and one of the records is damaged. One read covers at most 128
/// records.
#[tokio::test]
async fn trace_20_each_of_many_entries_is_looked_at_when_a_node_starts() {
    let office = Office::new().await;
    let mut half_done = Vec::new();
    for number in 0..300 {
        let grant = office.log_in(&subject(&format!("subject-{number}"))).await;
        let next = office.desk.records.draw();
        let revocation = Revocation::Group { gid: grant.gid, next, and: GroupEnd::Kick };
        let entry = NewEntry::Revoked(Revoked { sub: grant.sub.clone(), revocation });
        office.store.commit(Commit { entries: vec![entry], ..Commit::default() }).await.expect("the store");
        half_done.push((grant.sub, next));
    }
    let (damaged, _) = half_done.remove(150);
    office.store.damage_record(damaged.as_str());

    Desk::open(office.store.clone(), Limits::default(), HEARTBEAT).await.expect("a desk");
    for (sub, next) in &half_done {
        let reading = office.store.read(sub, Seq::ZERO).await.expect("a reading");
        let (_, record) = reading.record.expect("a record");
        assert!(record.gid == *next && record.sessions.is_empty(), "the record of {sub} was not healed");
    }
    assert_eq!(half_done.len(), 299);
}

#[tokio::test]
async fn a_damaged_record_does_not_hold_up_others() {
    let office = Office::new().await;
    let alice = office.log_in(&subject("alice")).await;
    let bob = office.log_in(&subject("bob")).await;
    for sub in [&alice.sub, &bob.sub] {
        kicked(office.desk.kick(sub, None).await.expect("the store"));
    }
    office.store.damage_record("alice");
    office.desk.refresh(&token(&alice), None).await.expect_err("the record is damaged");
    granted(refresh(&office.desk, &office.log_in(&bob.sub).await).await);
    let page = office.desk.subjects(None, 10).await.expect("a page").subjects;
    assert!(page[0].as_ref().is_err_and(|damaged| damaged.sub == alice.sub) && page[1].is_ok());
    office.clock.advance(retain() + 1);
    beat(&office.desk).await.expect("a beat");
    assert!(office.desk.log(|log| log.is_empty()));
}
