//! The operator's view of subjects: an account can be created only once, accounts are listed page by page, and many
//! simultaneous logins are all answered.

use futures_util::future::join_all;
use reqwest::Method;
use reqwest::header::RETRY_AFTER;
use serde_json::json;

use crate::support::{Issuer, Session};

#[tokio::test]
async fn an_account_can_be_created_only_once() {
    let issuer = Issuer::start().await;
    issuer.add_account("alice", "wonderland").await;
    let again = issuer.admin_post("/subjects", json!({ "sub": "alice", "password": "looking-glass" })).await;
    again.refused(409, "conflict");
    Session::of(&issuer.login("alice", "wonderland").await);
    assert!(issuer.login("alice", "looking-glass").await.status.is_client_error());
}

#[tokio::test]
async fn subjects_are_listed_page_by_page() {
    let issuer = Issuer::start().await;
    let mut names: Vec<String> = (0..25).map(|number| format!("subject-{number:02}")).collect();
    names.extend(["a/b?c#d&e=f", "Ærø", "a b", "+", "%2e"].map(String::from));
    for name in &names {
        issuer.open_session(name).await;
    }
    names.sort();

    let mut listed = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let request = issuer.request(Method::GET, "/admin/subjects").bearer_auth(crate::support::ADMIN_KEY);
        let mut query = vec![("limit", "7".to_owned())];
        query.extend(after.map(|after| ("after", after)));
        let page = crate::support::send(request.query(&query)).await.ok();
        let subjects = page["subjects"].as_array().expect("a list");
        assert!(subjects.len() <= 7);
        listed.extend(subjects.iter().map(|subject| subject["sub"].as_str().expect("a name").to_owned()));
        match page["next"].as_str() {
            Some(next) => after = Some(next.to_owned()),
            None => break,
        }
    }
    assert_eq!(listed, names);
}

#[tokio::test]
async fn many_logins_at_once_are_all_answered() {
    let issuer = Issuer::start().await;
    issuer.add_account("alice", "wonderland").await;
    let replies = join_all((0..30).map(|_| issuer.login("alice", "wonderland"))).await;
    for reply in &replies {
        if reply.status == 503 {
            assert!(!reply.header(RETRY_AFTER).is_empty(), "the answer says when to try again");
            continue;
        }
        let is_full = reply.status == 429;
        assert!(is_full || reply.status == 200, "{}", reply.text());
    }
    assert!(replies.iter().any(|reply| reply.status == 200));
    assert!(issuer.session_count("alice").await <= 20);
}
