//! Requests and settings may contain any bytes. The issuer returns a named error, stays alive and changes nothing. No
//! answer and no log output shows a secret.

mod ambiguous;
mod damage;
mod requests;
mod settings;
mod starts;

use futures_util::{StreamExt, stream};
use reqwest::Method;

use crate::support::{ADMIN_KEY, Issuer, MASTER_SECRET, RawReply, Session, exchange};
use requests::{Case, Credentials, Expected};

const PASSWORD: &str = "down-the-rabbit-hole";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_requests_get_named_errors_and_change_nothing() {
    let mut issuer = Issuer::start_with(&[("LOG", "trace")]).await;
    issuer.add_account("alice", PASSWORD).await;
    let session = Session::of(&issuer.login("alice", PASSWORD).await);
    let credentials = Credentials { access: &session.access, refresh: &session.refresh, password: PASSWORD };
    let secrets = [ADMIN_KEY, MASTER_SECRET, PASSWORD, &session.refresh]
        .into_iter()
        .chain(session.access.split('.').skip(1));
    let secrets: Vec<&str> = secrets.collect();
    let before = state(&issuer).await;

    let port = issuer.port();
    let cases = requests::cases(&credentials);
    let count = cases.len();
    let flaws: Vec<String> = stream::iter(cases)
        .map(|case| async move { (exchange(port, &case.request).await, case) })
        .buffer_unordered(8)
        .filter_map(async |(reply, case)| flaw(&case, &reply, &secrets))
        .collect()
        .await;

    assert!(flaws.is_empty(), "{} of {count} bad requests:\n{}", flaws.len(), flaws.join("\n"));
    assert!(issuer.is_alive());
    assert_eq!(state(&issuer).await, before, "nothing changed");
    Session::of(&issuer.refresh(&session.refresh).await);
    assert_eq!(issuer.stop().await.code(), Some(0));
    let log = issuer.log();
    assert!(log.len() > 1000, "the log output was captured");
    assert!(!log.contains("panicked"), "{log}");
    for (index, secret) in secrets.iter().enumerate() {
        assert!(!log.contains(secret), "secret {index} is in the log output");
    }
}

/// The state that an operator or a verifier can observe.
async fn state(issuer: &Issuer) -> (serde_json::Value, doorlist_verifier::Cursor, serde_json::Value) {
    let subjects = issuer.admin(Method::GET, "/subjects", None).await.ok();
    let keys = issuer.admin(Method::GET, "/keys", None).await.ok();
    (subjects, issuer.log_position().await, keys)
}

fn flaw(case: &Case, reply: &RawReply, secrets: &[&str]) -> Option<String> {
    let answered_well = match (case.expected, reply.status) {
        (Expected::Refusal, Some(status)) => (400..500).contains(&status) && reply.error().is_some(),
        (Expected::NotHttp, Some(status)) => (400..500).contains(&status) || status == 505,
        (Expected::NotHttp, None) => true,
        (Expected::Anything, Some(status)) => status < 500,
        (Expected::Refusal | Expected::Anything, None) => false,
    };
    let body = String::from_utf8_lossy(&reply.body);
    let leaks =
        secrets.iter().any(|secret| body.contains(secret) || reply.head.contains(&secret.to_lowercase()));
    (!answered_well || leaks)
        .then(|| format!("{}: {:?} {body}{}", case.name, reply.status, if leaks { " (leaks)" } else { "" }))
}
