//! A Redis holds foreign or damaged values under the issuers' keys. The issuers report these values, leave them
//! unchanged and continue to run. Other subjects are not affected.

use reqwest::Method;
use serde_json::json;

use crate::support::{Follower, Issuer, Pair, RedisServer, Reply, Session, host_time};

/// A secret of another program, which must not appear in the log output.
const OF_ANOTHER: &str = "wonderland";

fn record_of(redis: &RedisServer, sub: &str) -> String {
    let names: Vec<String> = redis.ask(&["KEYS", &format!("{{doorlist:*}}:record:{sub}")]);
    let [name] = &names[..] else { panic!("not one record of {sub}: {names:?}") };
    name.clone()
}

/// Returns the serialized value of the key, for a later comparison. The value may have any type.
fn dump(redis: &RedisServer, key: &str) -> Vec<u8> {
    redis.ask(&["DUMP", key])
}

fn kept(key: &str) -> String {
    format!("kept:{key}")
}

fn keep(redis: &RedisServer, key: &str) {
    redis.ask::<()>(&["COPY", key, &kept(key)]);
}

fn put_back(redis: &RedisServer, key: &str) {
    redis.ask::<()>(&["COPY", &kept(key), key, "REPLACE"]);
}

/// All requests that read or write the record of a subject.
async fn everything_about(issuer: &Issuer, session: &Session, sub: &str) -> Vec<Reply> {
    vec![
        issuer.refresh(&session.refresh).await,
        issuer.admin_post("/sessions", json!({ "sub": sub })).await,
        issuer.admin(Method::GET, &format!("/subjects/{sub}"), None).await,
        issuer.admin(Method::POST, &format!("/subjects/{sub}/revoke"), None).await,
        issuer.admin(Method::POST, &format!("/subjects/{sub}/disable"), None).await,
    ]
}

#[tokio::test]
async fn a_malformed_record_affects_only_its_subject() {
    let mut pair = Pair::start_with(&[("REFRESH_GRACE_SECS", "0")]).await;
    let verifier = pair.follower_of_b().await;
    let alice = pair.a.open_session("alice").await;
    let mut bob = pair.b.open_session("bob").await;
    let key = record_of(&pair.redis, "alice");
    let good: String = pair.redis.ask(&["GET", &key]);
    keep(&pair.redis, &key);

    let long = OF_ANOTHER.repeat(10_000);
    let text = |value: &str| vec!["SET".to_owned(), key.clone(), value.to_owned()];
    let foreign = [
        text(""),
        text(OF_ANOTHER),
        text(&format!("0123456789abcdef{OF_ANOTHER}")),
        text(&long),
        text(&format!("{{\"gid\":\"{OF_ANOTHER}\"}}")),
        text(&good[..good.len() - 1]),
        text(&good.replacen("\"gid\":\"", &format!("\"gid\":\"{OF_ANOTHER}"), 1)),
        vec!["LPUSH".to_owned(), key.clone(), OF_ANOTHER.to_owned()],
        vec!["HSET".to_owned(), key.clone(), OF_ANOTHER.to_owned(), OF_ANOTHER.to_owned()],
        vec!["XADD".to_owned(), key.clone(), "1-0".to_owned(), OF_ANOTHER.to_owned(), OF_ANOTHER.to_owned()],
    ];
    let mut answers = 0;
    for (number, command) in foreign.iter().enumerate() {
        pair.redis.ask::<()>(&["DEL", &key]);
        pair.redis.ask::<redis::Value>(&command.iter().map(String::as_str).collect::<Vec<_>>());
        let before = dump(&pair.redis, &key);
        for issuer in [&pair.a, &pair.b] {
            for reply in everything_about(issuer, &alice, "alice").await {
                reply.refused(500, "server_error");
                answers += 1;
            }
            bob = Session::of(&issuer.refresh(&bob.refresh).await);
        }
        let page = pair.a.admin(Method::GET, "/subjects", None).await.ok().to_string();
        assert!(page.contains("bob") && page.contains("alice"), "{page}");
        let carol = pair.a.open_session(&format!("carol-{number}")).await;
        let kicked = pair.b.revoking(&format!("/subjects/carol-{number}/revoke")).await;
        verifier.reaches(kicked).await;
        verifier.verify(&carol.access).expect_err("kicks of other subjects work");
        verifier.verify(&bob.access).expect("good");
        assert_eq!(dump(&pair.redis, &key), before, "the value is unchanged: {command:?}");
    }
    assert_eq!(answers, foreign.len() * 2 * 5);

    // An issuer also starts if a subject's record is damaged and the revocation log names that subject.
    pair.a.stop().await;
    pair.a.restart().await;
    bob = Session::of(&pair.a.refresh(&bob.refresh).await);
    pair.a.refresh(&alice.refresh).await.refused(500, "server_error");

    put_back(&pair.redis, &key);
    let again = Session::of(&pair.b.refresh(&alice.refresh).await);
    verifier.verify(&again.access).expect("Alice's record is restored");
    Session::of(&pair.b.refresh(&bob.refresh).await);
    for issuer in [&mut pair.a, &mut pair.b] {
        assert!(issuer.is_alive());
        let log = issuer.log();
        assert!(log.contains(&key), "the log output names the key");
        assert!(!log.contains(OF_ANOTHER) && !log.contains("panicked"), "{log}");
    }
}

/// A foreign entry in the shared revocation log affects all subjects. The issuers report the entry and leave it
/// unchanged. If an issuer cannot read a kick's entry back, the issuer does not acknowledge the kick.
#[tokio::test]
async fn a_foreign_entry_in_the_log_is_reported_and_nothing_is_acknowledged_after_it() {
    let mut pair = Pair::start_with(&[("REFRESH_GRACE_SECS", "0")]).await;
    let verifier = pair.follower_of_b().await;
    let (alice, bob) = (pair.a.open_session("alice").await, pair.a.open_session("bob").await);
    let kicked = pair.a.revoking("/subjects/alice/revoke").await;
    verifier.reaches(kicked).await;

    let id: String = pair.redis.ask(&["XADD", "{doorlist}:log", "*", OF_ANOTHER, OF_ANOTHER]);
    let before = dump(&pair.redis, "{doorlist}:log");
    for issuer in [&pair.a, &pair.b] {
        issuer.refresh(&bob.refresh).await.refused(500, "server_error");
        issuer.admin(Method::POST, "/subjects/bob/revoke", None).await.refused(500, "server_error");
        issuer.admin_post("/sessions", json!({ "sub": "carol" })).await.refused(500, "server_error");
    }
    assert_eq!(dump(&pair.redis, "{doorlist}:log"), before, "the value is unchanged");
    verifier.verify(&bob.access).expect("verifiers still accept valid tokens");
    verifier.verify(&alice.access).expect_err("verifiers still refuse kicked subjects");

    // A starting node must read the whole revocation log. Here it cannot read the log, so the start fails.
    pair.a.stop().await;
    assert!(!pair.a.try_restart().await);
    pair.redis.ask::<()>(&["XDEL", "{doorlist}:log", &id]);
    pair.a.restart().await;
    for issuer in [&mut pair.a, &mut pair.b] {
        issuer.until_ready().await;
        let log = issuer.log();
        assert!(log.contains(&format!("{{doorlist}}:log {id}")), "{log}");
        assert!(!log.contains(OF_ANOTHER) && !log.contains("panicked"), "{log}");
    }
    let bob = Session::of(&pair.b.refresh(&bob.refresh).await);
    verifier.reaches(pair.a.revoking("/subjects/bob/revoke").await).await;
    verifier.verify(&bob.access).expect_err("kicks work again");
    pair.a.refresh(&alice.refresh).await.refused(400, "invalid_grant");
}

/// All keys other than records of subjects: the head of the revocation log, the key ring, and a bucket of subject
/// names.
#[tokio::test]
async fn foreign_values_of_other_keys_are_reported_and_not_changed() {
    let mut pair = Pair::start_with(&[("REFRESH_GRACE_SECS", "0")]).await;
    let verifier = pair.follower_of_b().await;
    let mut bob = pair.a.open_session("bob").await;

    // The bucket only contains subject names. To open a session of a new subject, an issuer may have to add the name
    // to this bucket.
    let bucket = record_of(&pair.redis, "bob").replace(":record:bob", ":subjects");
    for key in [bucket.as_str(), "{doorlist}:keys", "{doorlist}:head"] {
        keep(&pair.redis, key);
    }
    pair.redis.ask::<()>(&["SET", &bucket, OF_ANOTHER]);
    pair.a.admin(Method::GET, "/subjects", None).await.refused(500, "server_error");
    let carol = pair.b.open_session("carol").await;
    verifier.verify(&carol.access).expect("Carol's name is in another bucket");
    assert_eq!(pair.redis.ask::<String>(&["GET", &bucket]), OF_ANOTHER);
    put_back(&pair.redis, &bucket);
    bob = Session::of(&pair.a.refresh(&bob.refresh).await);

    // A running node has already read the key ring. A starting node cannot read the key ring.
    let ring = "{doorlist}:keys";
    for (foreign, said) in [
        (&["SET", ring, ""][..], "no given master secret opens the stored key ring"),
        (&["SET", ring, OF_ANOTHER], "no given master secret opens the stored key ring"),
        (&["HSET", ring, OF_ANOTHER, OF_ANOTHER], ring),
    ] {
        pair.redis.ask::<()>(&["DEL", ring]);
        pair.redis.ask::<()>(foreign);
        let before = dump(&pair.redis, ring);
        bob = Session::of(&pair.b.refresh(&bob.refresh).await);
        verifier.verify(&bob.access).expect("the node signs with the key that it has read");
        pair.a.stop().await;
        assert!(!pair.a.try_restart().await, "{foreign:?}");
        let log = pair.a.log();
        assert!(log.lines().last().is_some_and(|line| line.contains(said)), "{log}");
        assert_eq!(dump(&pair.redis, ring), before, "the value is unchanged");
        put_back(&pair.redis, ring);
        pair.a.restart().await;
    }

    let head = "{doorlist}:head";
    for (write, read) in [
        (&["HSET", head, "last", OF_ANOTHER][..], &["HGET", head, "last"][..]),
        (&["HSET", head, "clock", OF_ANOTHER], &["HGET", head, "clock"]),
        (&["HSET", head, "epoch", OF_ANOTHER], &["HGET", head, "epoch"]),
        (&["SET", head, OF_ANOTHER], &["GET", head]),
    ] {
        pair.redis.ask::<()>(write);
        pair.a.refresh(&bob.refresh).await.refused(500, "server_error");
        pair.b.admin(Method::POST, "/subjects/bob/revoke", None).await.refused(500, "server_error");
        pair.b.until_readiness_is(503).await;
        verifier.verify(&bob.access).expect("verifiers still accept valid tokens");
        assert_eq!(pair.redis.ask::<String>(read), OF_ANOTHER, "the value is unchanged");
        put_back(&pair.redis, head);
        for issuer in [&pair.a, &pair.b] {
            issuer.until_ready().await;
        }
        bob = Session::of(&pair.a.refresh(&bob.refresh).await);
    }
    verifier.hears_of(host_time().wall).await;
    for issuer in [&mut pair.a, &mut pair.b] {
        assert!(issuer.is_alive());
        let log = issuer.log();
        assert!(!log.contains(OF_ANOTHER) && !log.contains("panicked"), "{log}");
    }
    for place in [bucket.as_str(), ring, head] {
        assert!(pair.a.log().contains(place), "the log output names {place}");
    }
    Follower::with(&pair.a, pair.options()).await.verify(&bob.access).expect("good");
}
