//! A stranger guesses a password. He gets few guesses, and the owner of the account can still log in.

use reqwest::header::RETRY_AFTER;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Browser, EMBEDDED, Issuer, Page, Pair, Reply, send};

/// The stories play clients behind a proxy on this machine.
const BEHIND_A_PROXY: (&str, &str) = ("TRUSTED_PROXIES", "127.0.0.1");
/// The attempts that one address has on one account in an hour.
const TRIES: usize = 10;

struct Client {
    address: &'static str,
    device_token: Option<String>,
}

impl Client {
    fn at(address: &'static str) -> Self {
        Self { address, device_token: None }
    }

    async fn logs_in(&self, issuer: &Issuer, username: &str, password: &str) -> Reply {
        let mut body = json!({ "username": username, "password": password });
        if let Some(token) = &self.device_token {
            body["device_token"] = token.as_str().into();
        }
        send(issuer.request(Method::POST, "/login").header("x-forwarded-for", self.address).json(&body)).await
    }
}

/// A client in a network of its own.
fn stranger(number: u8) -> Client {
    Client::at(Box::leak(format!("192.0.2.{number}").into_boxed_str()))
}

fn waits_secs(reply: &Reply) -> u64 {
    reply.refused(429, "too_many_requests");
    reply.header(RETRY_AFTER).parse().expect("whole seconds")
}

/// The requests go to both nodes in turn.
async fn a_stranger_is_braked(nodes: [&Issuer; 2]) {
    let issuer = nodes[0];
    issuer.add_account("alice", "wonderland").await;
    issuer.add_account("mallory", "of-mallory").await;
    let (phone, stranger_at) = (Client::at("203.0.113.1"), Client::at("198.51.100.7"));
    let first = phone.logs_in(issuer, "alice", "wonderland").await.ok();
    let device_token = first["device_token"].as_str().map(str::to_owned);
    assert!(device_token.is_some(), "{first}");

    let mut checked = 0;
    for guess in 0..60 {
        let reply = stranger_at.logs_in(nodes[guess % 2], "alice", &format!("guess-{guess}")).await;
        match reply.status {
            StatusCode::BAD_REQUEST => checked += 1,
            _ => assert!(waits_secs(&reply) > 0),
        }
        // A login into the own account must not give a new guess at another one.
        if guess % 10 == 9 {
            stranger_at.logs_in(nodes[guess % 2], "mallory", "of-mallory").await.ok();
        }
    }
    assert!((3..=TRIES).contains(&checked), "{checked} of 60 passwords were checked");
    let other = Client::at("203.0.113.2");
    other.logs_in(nodes[1], "alice", "wonderland").await.ok();

    // Strangers in many networks use up the attempts of unknown devices.
    for number in 0..30 {
        stranger(number).logs_in(nodes[usize::from(number) % 2], "alice", "guess").await;
    }
    // The right password waits too, so the answer shows nothing about the password.
    let unknown = Client::at("203.0.113.3").logs_in(nodes[0], "alice", "wonderland").await;
    assert!((1..=60).contains(&waits_secs(&unknown)), "{unknown:?}");
    let known = Client { device_token, ..Client::at("203.0.113.4") };
    known.logs_in(nodes[1], "alice", "wonderland").await.ok();
    known.logs_in(nodes[0], "mallory", "wonderland").await.refused(400, "invalid_grant");

    // An operator's new password clears the way.
    let password = json!({ "password": "looking-glass" });
    issuer.admin(Method::PUT, "/subjects/alice/password", Some(password)).await.ok();
    Client::at("203.0.113.3").logs_in(nodes[1], "alice", "looking-glass").await.ok();
}

#[tokio::test]
async fn b12_a_stranger_gets_few_guesses_and_delays_no_owner() {
    let alone = Issuer::start_with(&[EMBEDDED, &[BEHIND_A_PROXY]].concat()).await;
    a_stranger_is_braked([&alone, &alone]).await;
    let pair = Pair::start_with(&[BEHIND_A_PROXY]).await;
    a_stranger_is_braked([&pair.a, &pair.b]).await;
    for log in [alone.log(), pair.a.log(), pair.b.log()] {
        assert!(!log.contains("guess-"), "no password is in the log output");
    }
}

#[tokio::test]
async fn an_unknown_name_is_braked_like_an_account() {
    let issuer = Issuer::start_with(&[EMBEDDED, &[BEHIND_A_PROXY]].concat()).await;
    issuer.add_account("alice", "wonderland").await;
    let mut braked: Vec<Value> = Vec::new();
    for (name, address) in [("alice", "198.51.100.8"), ("unknown", "198.51.100.9")] {
        let mut last = None;
        for guess in 0..=TRIES {
            let reply = Client::at(address).logs_in(&issuer, name, &format!("guess-{guess}")).await;
            last = (reply.status == 429).then(|| reply.json());
            if last.is_some() {
                break;
            }
        }
        braked.push(last.expect("braked"));
    }
    assert_eq!(braked[0], braked[1]);
}

#[tokio::test]
async fn a_browser_keeps_the_proof_of_a_known_device() {
    let issuer = Issuer::start().await;
    let browser = Browser::signed_in(&issuer, "alice").await;
    let device = browser.device_cookie().expect("a cookie");
    for attribute in ["httponly", "secure", "samesite=strict", "path=/", "max-age=31536000"] {
        assert!(device.attributes.iter().any(|found| found == attribute), "{device:?}");
    }
    // Clients without the cookie use up the attempts of this address.
    let mut status = StatusCode::BAD_REQUEST;
    for _ in 0..=TRIES {
        if status == 400 {
            status = Browser::default().login(&issuer, Page::Own, "alice", "a guess").await.status;
        }
    }
    assert_eq!(status, 429);
    browser.login(&issuer, Page::Own, "alice", "wonderland").await.ok();
}
