//! Tests of accounts with a password at this issuer.

use std::sync::Mutex;

use async_trait::async_trait;

use super::*;
use crate::domain::PasswordHash;
use crate::testing::simulated_store::{Fault, SimulatedStore, pause};

/// A check for hashes that consist of a dollar sign and the password. The check records every hash that it gets.
struct Check {
    password: &'static str,
    asked: Mutex<Vec<Option<String>>>,
}

impl Check {
    fn of(password: &'static str) -> Self {
        Self { password, asked: Mutex::default() }
    }

    fn asked(&self) -> Vec<Option<String>> {
        lock(&self.asked).clone()
    }
}

#[async_trait]
impl PasswordCheck for Check {
    async fn check(&self, hash: Option<&PasswordHash>) -> PasswordVerdict {
        lock(&self.asked).push(hash.map(|hash| hash.as_str().to_owned()));
        match hash {
            Some(hash) if hash.as_str() == format!("${}", self.password) => PasswordVerdict::Right,
            _ => PasswordVerdict::Wrong,
        }
    }
}

/// A check that is always busy.
struct Busy;

#[async_trait]
impl PasswordCheck for Busy {
    async fn check(&self, _: Option<&PasswordHash>) -> PasswordVerdict {
        PasswordVerdict::Busy
    }
}

fn hash(password: &str) -> PasswordHash {
    PasswordHash::new(format!("${password}"))
}

async fn sign_in(desk: &Desk, sub: &Subject, check: &dyn PasswordCheck) -> Login {
    desk.open_session(sub, open_for_app(), Proof::Password(check)).await.expect("the store")
}

#[tokio::test]
async fn an_account_signs_in_with_its_password_only() {
    let office = Office::new().await;
    let alice = subject("alice");
    assert!(matches!(
        office.desk.create_subject(&alice, Some(hash("right"))).await,
        Ok(Creation::Created(_))
    ));
    assert_eq!(office.desk.create_subject(&alice, Some(hash("other"))).await, Ok(Creation::Exists));
    let wrong = Login::Refused(LoginRefusal::WrongPassword);
    assert_eq!(sign_in(&office.desk, &alice, &Check::of("wrong")).await, wrong);
    let busy = Login::Refused(LoginRefusal::CheckerBusy);
    assert_eq!(sign_in(&office.desk, &alice, &Busy).await, busy);
    assert!(matches!(sign_in(&office.desk, &alice, &Check::of("right")).await, Login::Opened(_)));
}

/// The answer and its duration must not show whether there is an account.
#[tokio::test]
async fn a_subject_without_an_account_has_its_password_checked_too() {
    let office = Office::new().await;
    office.log_in(&subject("external")).await;
    for name in ["nobody", "external"] {
        let check = Check::of("any");
        let refused = Login::Refused(LoginRefusal::WrongPassword);
        assert_eq!(sign_in(&office.desk, &subject(name), &check).await, refused);
        assert_eq!(check.asked(), [None]);
    }
    assert_eq!(office.desk.subject(&subject("nobody")).await, Ok(None));
}

#[tokio::test]
async fn disabled_is_revealed_only_after_the_right_password() {
    let office = Office::new().await;
    let alice = subject("alice");
    office.desk.create_subject(&alice, Some(hash("right"))).await.expect("the store");
    office.desk.disable(&alice).await.expect("the store");
    let wrong = Login::Refused(LoginRefusal::WrongPassword);
    assert_eq!(sign_in(&office.desk, &alice, &Check::of("wrong")).await, wrong);
    let disabled = Login::Refused(LoginRefusal::Disabled);
    assert_eq!(sign_in(&office.desk, &alice, &Check::of("right")).await, disabled);
}

#[tokio::test]
async fn a_new_password_ends_every_session() {
    let office = Office::new().await;
    let alice = subject("alice");
    office.desk.create_subject(&alice, Some(hash("old"))).await.expect("the store");
    let grant = office.log_in(&alice).await;
    assert!(matches!(office.desk.set_password(&alice, hash("new")).await, Ok(Acknowledged::Done(_))));
    assert!(office.is_listed(grant.gid) && office.sessions(&alice).await.is_empty());
    let wrong = Login::Refused(LoginRefusal::WrongPassword);
    assert_eq!(sign_in(&office.desk, &alice, &Check::of("old")).await, wrong);
    assert!(matches!(sign_in(&office.desk, &alice, &Check::of("new")).await, Login::Opened(_)));
}

/// Trace 14: a login verifies the old password, and then a password reset is committed. When the login starts over, the
/// login must check the password again before it adds the session.
#[tokio::test]
async fn trace_14_a_login_that_meets_a_new_hash_is_checked_again() {
    let store = Arc::new(SimulatedStore::new(ManualClock::at(START)));
    let desk = Desk::open(store.clone(), Limits::default(), HEARTBEAT).await.expect("a desk");
    let alice = subject("alice");
    desk.create_subject(&alice, Some(hash("old"))).await.expect("the store");

    let (pause, paused) = pause();
    store.arm(Fault::PauseBeforeAppend(pause));
    let login = tokio::spawn({
        let (desk, alice) = (desk.clone(), alice.clone());
        async move {
            let check = Check::of("old");
            (sign_in(&desk, &alice, &check).await, check.asked())
        }
    });
    paused.there.await.expect("the login is about to be written");
    desk.set_password(&alice, hash("new")).await.expect("the store");
    paused.go_on.send(()).expect("the login waits");
    let (answer, asked) = login.await.expect("no panic");
    assert_eq!(answer, Login::Refused(LoginRefusal::WrongPassword));
    assert_eq!(asked, [Some("$old".into()), Some("$new".into())]);
    assert!(desk.subject(&alice).await.expect("the store").expect("a subject").sessions.is_empty());
}

#[tokio::test]
async fn a_login_that_meets_another_login_is_not_checked_again() {
    let store = Arc::new(SimulatedStore::new(ManualClock::at(START)));
    let desk = Desk::open(store.clone(), Limits::default(), HEARTBEAT).await.expect("a desk");
    let alice = subject("alice");
    desk.create_subject(&alice, Some(hash("right"))).await.expect("the store");

    let (pause, paused) = pause();
    store.arm(Fault::PauseBeforeAppend(pause));
    let login = tokio::spawn({
        let (desk, alice) = (desk.clone(), alice.clone());
        async move {
            let check = Check::of("right");
            (sign_in(&desk, &alice, &check).await, check.asked().len())
        }
    });
    paused.there.await.expect("the login is about to be written");
    log_in(&desk, &alice).await;
    paused.go_on.send(()).expect("the login waits");
    let (answer, asked) = login.await.expect("no panic");
    assert!(matches!(answer, Login::Opened(_)));
    assert_eq!(asked, 1);
    assert_eq!(desk.subject(&alice).await.expect("the store").expect("a subject").sessions.len(), 2);
}

#[tokio::test]
async fn a_deleted_subject_is_gone_and_its_tokens_are_listed() {
    let office = Office::new().await;
    let alice = subject("alice");
    office.desk.create_subject(&alice, Some(hash("right"))).await.expect("the store");
    let grant = office.log_in(&alice).await;
    assert!(matches!(office.desk.delete_subject(&alice).await, Ok(Acknowledged::Done(_))));
    assert!(office.is_listed(grant.gid));
    assert_eq!(office.desk.subject(&alice).await, Ok(None));
    assert_eq!(office.desk.delete_subject(&alice).await, Ok(Acknowledged::UnknownSubject));
    assert_eq!(refresh(&office.desk, &grant).await, Refresh::Refused(RefreshRefusal::NoSuchSession));
    office.log_in(&alice).await;
}

#[tokio::test]
async fn subjects_are_shown_in_pages() {
    let office = Office::new().await;
    office.desk.create_subject(&subject("alice"), Some(hash("right"))).await.expect("the store");
    office.log_in(&subject("bob")).await;
    office.log_in(&subject("mallory")).await;
    let first = office.desk.subjects(None, 2).await.expect("a page");
    let [Ok(alice), Ok(bob)] = &first.subjects[..] else { panic!("not two subjects") };
    assert_eq!((alice.account, bob.account), (Account::Local, Account::External));
    assert_eq!((alice.sessions.len(), bob.sessions.len()), (0, 1));
    assert_eq!(first.next, Some(subject("bob")));
    let last = office.desk.subjects(first.next.as_ref(), 2).await.expect("a page");
    assert_eq!((last.subjects.len(), last.next), (1, None));
}
