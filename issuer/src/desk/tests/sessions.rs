//! Sessions from login to end.

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
    assert!(office.desk.standing().position.seq >= position.seq);
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
