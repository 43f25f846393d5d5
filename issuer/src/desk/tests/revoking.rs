//! Tests of kick, void and cut-off: each one ends some tokens or sessions and leaves the others open.

use super::*;
use crate::domain::SubjectState;

#[tokio::test]
async fn a_void_ends_tokens_and_keeps_sessions() {
    let office = Office::new().await;
    let first = office.log_in(&subject("alice")).await;
    office.desk.void(&first.sub).await.expect("the store");
    assert!(office.is_listed(first.gid) && !office.is_listed(first.sid));
    let second = granted(refresh(&office.desk, &first).await);
    assert_eq!(second.sid, first.sid);
    assert!(!office.is_listed(second.gid));
}

#[tokio::test]
async fn a_kick_of_a_named_group_does_not_hit_a_later_login() {
    let office = Office::new().await;
    let alice = subject("alice");
    let first = office.log_in(&alice).await;
    let stranger = Handle::new(7).expect("a handle");
    let other = office.desk.kick(&alice, Some(stranger)).await.expect("the store");
    assert_eq!(other, Kick::NotCurrent { gid: first.gid });
    for _ in 0..2 {
        kicked(office.desk.kick(&alice, Some(first.gid)).await.expect("the store"));
    }
    let second = office.log_in(&alice).await;
    let retried = kicked(office.desk.kick(&alice, Some(first.gid)).await.expect("the store"));
    assert!(office.desk.log(|log| log.of(&alice)).revoked.iter().any(|entry| entry.seq <= retried.seq));
    granted(refresh(&office.desk, &second).await);
}

/// A void replaced the named group. So the sessions that the kick must end are in the current group.
#[tokio::test]
async fn a_kick_of_a_group_that_was_voided_hits_its_sessions() {
    let office = Office::new().await;
    let first = office.log_in(&subject("alice")).await;
    office.desk.void(&first.sub).await.expect("the store");
    kicked(office.desk.kick(&first.sub, Some(first.gid)).await.expect("the store"));
    assert!(office.sessions(&first.sub).await.is_empty());
}

#[tokio::test]
async fn an_unknown_subject_cannot_be_kicked_voided_or_disabled() {
    let office = Office::new().await;
    let nobody = subject("nobody");
    assert_eq!(office.desk.kick(&nobody, None).await, Ok(Kick::UnknownSubject));
    assert_eq!(office.desk.void(&nobody).await, Ok(Acknowledged::UnknownSubject));
    assert_eq!(office.desk.disable(&nobody).await, Ok(Acknowledged::UnknownSubject));
    assert_eq!(office.desk.enable(&nobody).await, Ok(Acknowledged::UnknownSubject));
    assert_eq!(office.desk.subject(&nobody).await, Ok(None));
    assert!(office.desk.log(|log| log.is_empty()));
}

#[tokio::test]
async fn a_disabled_subject_has_no_sessions_until_it_is_enabled() {
    let office = Office::new().await;
    let alice = subject("alice");
    let first = office.log_in(&alice).await;
    for _ in 0..2 {
        assert!(matches!(office.desk.disable(&alice).await, Ok(Acknowledged::Done(_))));
    }
    assert!(office.is_listed(first.gid));
    assert_eq!(refresh(&office.desk, &first).await, Refresh::Refused(RefreshRefusal::Disabled));
    let login = office.desk.open_session(&alice, open_for_app(), Proof::Trusted).await;
    assert_eq!(login, Ok(Login::Refused(LoginRefusal::Disabled)));
    assert!(matches!(office.desk.enable(&alice).await, Ok(Acknowledged::Done(_))));
    let details = office.desk.subject(&alice).await.expect("the store").expect("a subject");
    assert_eq!(details.state, SubjectState::Active);
    granted(refresh(&office.desk, &office.log_in(&alice).await).await);
}

/// Trace 12: a cut-off also voids the tokens that were issued earlier in the same second. If a cut-off ends all
/// sessions, these sessions stay ended for ever.
#[tokio::test]
async fn trace_12_the_end_of_all_sessions_does_not_expire() {
    let office = Office::new().await;
    let alice = subject("alice");
    let before = office.log_in(&alice).await;
    let set = office.desk.cutoff(CutoffSessions::End).await.expect("the store");
    assert!(before.issued_at < set.cutoff);
    assert_eq!(office.desk.log(|log| log.settings().cutoff), set.cutoff);
    let after = office.log_in(&alice).await;
    assert!(after.issued_at >= set.cutoff);
    let second = granted(refresh(&office.desk, &after).await);
    for _ in 0..3 {
        assert_eq!(refresh(&office.desk, &before).await, Refresh::Refused(RefreshRefusal::NoSuchSession));
        office.clock.advance(17 * 60);
        beat(&office.desk).await.expect("a beat");
    }
    granted(refresh(&office.desk, &second).await);
    let reopened = Desk::open(office.store.clone(), Limits::default(), HEARTBEAT).await.expect("a desk");
    assert_eq!(reopened.log(|log| log.settings().cutoff), set.cutoff);
}

#[tokio::test]
async fn a_cutoff_that_keeps_sessions_lets_them_refresh() {
    let office = Office::new().await;
    let before = office.log_in(&subject("alice")).await;
    let set = office.desk.cutoff(CutoffSessions::Keep).await.expect("the store");
    let after = granted(refresh(&office.desk, &before).await);
    assert!(before.issued_at < set.cutoff && after.issued_at >= set.cutoff);
}

#[tokio::test]
async fn a_second_cutoff_of_one_second_reaches_tokens_made_since_the_first() {
    let office = Office::new().await;
    let alice = subject("alice");
    office.desk.cutoff(CutoffSessions::End).await.expect("the store");
    let between = office.log_in(&alice).await;
    let second = office.desk.cutoff(CutoffSessions::End).await.expect("the store");
    assert!(between.issued_at < second.cutoff);
    assert!(office.sessions(&alice).await.is_empty());
    granted(refresh(&office.desk, &office.log_in(&alice).await).await);
}

#[tokio::test]
async fn a_change_of_keys_is_in_the_log() {
    let office = Office::new().await;
    let kids = ["kid".to_owned()];
    let swapped = office.desk.swap_keys(None, b"ring".to_vec(), &kids).await.expect("the store");
    let KeySwap::Swapped(position) = swapped else { panic!("a conflict") };
    assert_eq!(office.desk.log(|log| log.last_key_change()), position.seq);
    let (version, ring) = office.desk.keys().await.expect("the store").expect("a ring");
    assert_eq!(ring, b"ring");
    assert_eq!(office.desk.swap_keys(None, b"other".to_vec(), &kids).await, Ok(KeySwap::Conflict));
    let unpublished = office.desk.swap_keys(Some(version), b"next".to_vec(), &[]).await;
    assert_eq!(unpublished, Ok(KeySwap::Swapped(position)));
}

#[tokio::test]
async fn another_desk_follows_the_log() {
    let office = Office::new().await;
    let other = Desk::open(office.store.clone(), Limits::default(), HEARTBEAT).await.expect("a desk");
    let tail = tokio::spawn({
        let other = other.clone();
        async move { Upkeep::new(other).tail().await }
    });
    let grant = office.log_in(&subject("alice")).await;
    let position = kicked(office.desk.kick(&grant.sub, None).await.expect("the store"));
    other.reached(position).await;
    assert!(is_listed(&other, grant.gid));
    tail.abort();
}
