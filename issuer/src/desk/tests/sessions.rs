//! Tests of sessions from login to end.

use super::*;

#[tokio::test]
async fn a_session_is_opened_refreshed_and_kicked() {
    let office = Office::new().await;
    let alice = subject("alice");
    let first = office.log_in(&alice).await;
    assert_eq!((first.generation, first.issued_at.as_secs()), (1, START));
    assert_eq!(first.expires_at.as_secs(), START + 900);

    let second = granted(refresh(&office.desk, &first).await);
    assert_eq!((second.sid, second.gid, second.generation), (first.sid, first.gid, 2));

    let position = kicked(office.desk.kick(&alice, None).await.expect("the store"));
    assert!(office.is_listed(first.gid));
    assert!(office.desk.last_confirmed().position.seq >= position.seq);
    assert_eq!(refresh(&office.desk, &second).await, Refresh::Refused(RefreshRefusal::NoSuchSession));
    assert!(office.sessions(&alice).await.is_empty());
    assert_ne!(office.log_in(&alice).await.gid, first.gid);
}

#[tokio::test]
async fn twenty_refreshes_of_one_token_get_one_successor() {
    let office = Office::new().await;
    let grant = office.log_in(&subject("alice")).await;
    let all = (0..20).map(|_| {
        let (desk, grant) = (office.desk.clone(), grant.clone());
        tokio::spawn(async move { granted(refresh(&desk, &grant).await).generation })
    });
    for answer in futures_util::future::join_all(all).await {
        assert_eq!(answer.expect("an answer"), 2);
    }
    assert_eq!(office.sessions(&grant.sub).await[0].generation, 2);
}

#[tokio::test]
async fn a_superseded_token_ends_the_session_for_both_holders() {
    let office = Office::new().await;
    let first = office.log_in(&subject("alice")).await;
    let second = granted(refresh(&office.desk, &first).await);
    office.clock.advance(31);
    let third = granted(refresh(&office.desk, &second).await);
    office.clock.advance(31);
    let Refresh::Reused(position) = refresh(&office.desk, &first).await else {
        panic!("the reuse was not noticed")
    };
    assert!(office.is_listed(first.sid) && !office.is_listed(first.gid));
    assert!(office.desk.last_confirmed().position.seq >= position.seq);
    assert_eq!(refresh(&office.desk, &third).await, Refresh::Refused(RefreshRefusal::NoSuchSession));
    let events = office.desk.audit(None, 1).await.expect("events");
    assert_eq!((events[0].event.event, events[0].event.handle), (AuditKind::RefreshReused, Some(first.sid)));
}

#[tokio::test]
async fn another_clients_token_is_refused_and_nothing_changes() {
    let office = Office::new().await;
    let grant = office.log_in(&subject("alice")).await;
    let refused = office.desk.refresh(&token(&grant), Some("other")).await.expect("the store");
    assert_eq!(refused, Refresh::Refused(RefreshRefusal::WrongClient));
    let ended = office.desk.end_by_refresh_token(&token(&grant), Some("other")).await.expect("the store");
    assert_eq!(ended, EndSession::OtherClient);
    assert_eq!(office.sessions(&grant.sub).await[0].generation, 1);
    granted(office.desk.refresh(&token(&grant), Some("app")).await.expect("the store"));
}

#[tokio::test]
async fn any_refresh_token_of_a_live_session_ends_it() {
    let office = Office::new().await;
    let first = office.log_in(&subject("alice")).await;
    granted(refresh(&office.desk, &first).await);
    let ended = office.desk.end_by_refresh_token(&token(&first), None).await.expect("the store");
    assert!(matches!(ended, EndSession::Ended(_)));
    assert!(office.is_listed(first.sid) && office.sessions(&first.sub).await.is_empty());
    let again = office.desk.end_by_refresh_token(&token(&first), None).await.expect("the store");
    assert_eq!(again, EndSession::NoSuchSession);
}

/// Trace 10: Mallory is signed in and sends `DELETE /sessions/<Alice's sid>`.
#[tokio::test]
async fn trace_10_another_subjects_session_is_neither_ended_nor_listed() {
    let office = Office::new().await;
    let alices = office.log_in(&subject("alice")).await;
    let mallorys = office.log_in(&subject("mallory")).await;
    let position = office.desk.last_confirmed().position;
    for who in [mallorys.sub, subject("nobody")] {
        let ended = office.desk.end_session(&who, alices.sid).await.expect("the store");
        assert_eq!(ended, EndSession::NoSuchSession);
    }
    assert!(!office.is_listed(alices.sid));
    assert_eq!(office.desk.last_confirmed().position, position, "no write");
    granted(refresh(&office.desk, &alices).await);
}

#[tokio::test]
async fn the_twenty_first_session_ends_the_one_idle_for_longest() {
    let office = Office::new().await;
    let alice = subject("alice");
    let mut grants = Vec::new();
    for _ in 0..20 {
        grants.push(office.log_in(&alice).await);
        office.clock.advance(1);
    }
    granted(refresh(&office.desk, &grants[0]).await);
    office.log_in(&alice).await;
    assert_eq!(office.sessions(&alice).await.len(), 20);
    assert!(office.is_listed(grants[1].sid) && !office.is_listed(grants[0].sid));
    granted(refresh(&office.desk, &grants[0]).await);
    assert_eq!(refresh(&office.desk, &grants[1]).await, Refresh::Refused(RefreshRefusal::NoSuchSession));
}

/// Trace 13: ten thousand logins and logouts.
#[tokio::test]
async fn trace_13_a_client_cannot_blow_up_the_list() {
    let office = Office::new().await;
    let alice = subject("alice");
    let mut retry = None;
    for _ in 0..40 {
        match office.desk.open_session(&alice, open_for_app(), Proof::Trusted).await.expect("the store") {
            Login::Opened(grant) => {
                office.desk.end_session(&alice, grant.sid).await.expect("the store");
            }
            Login::Refused(LoginRefusal::ListFull { retry_after_secs }) => {
                retry = Some(retry_after_secs);
                break;
            }
            Login::Refused(refusal) => panic!("{refusal:?}"),
        }
    }
    assert_eq!(office.desk.log(|log| log.handles_since(Seq::ZERO).count()), 32);
    office.log_in(&subject("bob")).await;
    office.clock.advance(retry.expect("a refusal"));
    office.log_in(&alice).await;
}

#[tokio::test]
async fn twenty_logins_at_once_all_get_a_session() {
    let office = Office::new().await;
    let alice = subject("alice");
    let all = (0..20).map(|_| {
        let (desk, alice) = (office.desk.clone(), alice.clone());
        tokio::spawn(async move { log_in(&desk, &alice).await.sid })
    });
    let sids = futures_util::future::try_join_all(all).await.expect("no panic");
    let open: Vec<_> = office.sessions(&alice).await.into_iter().map(|session| session.sid).collect();
    assert_eq!(open.len(), 20);
    assert!(sids.iter().all(|sid| open.contains(sid)));
}
