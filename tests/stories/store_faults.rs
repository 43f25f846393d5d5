//! Faults of the Redis behind two issuers, and their effects on clients and verifiers.

use doorlist_verifier::Error;
use rustix::process::Signal;

use crate::support::{
    Follower, Issuer, Pair, Proxy, RedisServer, Reply, ScriptedRedis, Session, eventually, host_time,
    position, unverified_list,
};

/// Asserts a 503 with `Retry-After`.
fn is_away(reply: &Reply) {
    assert_eq!(reply.status, 503, "{}", reply.text());
    assert!(reply.headers.contains_key("retry-after"));
}

#[tokio::test]
async fn a_redis_that_is_killed_comes_back_with_everything() {
    let mut pair = Pair::start().await;
    let verifier = pair.follower_of_b().await;
    let (mut alice, bob) = (pair.a.open_session("alice").await, pair.b.open_session("bob").await);
    for name in ["carol", "dave"] {
        let session = pair.a.open_session(name).await;
        let kicked = pair.a.revoking(&format!("/subjects/{name}/revoke")).await;
        pair.redis.kill();
        is_away(&pair.a.refresh(&alice.refresh).await);
        is_away(&pair.b.admin(reqwest::Method::POST, "/subjects/bob/revoke", None).await);
        verifier.verify(&bob.access).expect("verifiers still accept valid tokens");
        pair.redis.resume();
        pair.a.until_ready().await;
        pair.b.until_ready().await;
        pair.b.refresh(&session.refresh).await.refused(400, "invalid_grant");
        verifier.reaches(kicked).await;
        verifier.verify(&session.access).expect_err("an acknowledged kick is not undone");
        alice = Session::of(&pair.b.refresh(&alice.refresh).await);
    }
    Session::of(&pair.a.refresh(&bob.refresh).await);
}

#[tokio::test]
async fn a_redis_that_hangs_answers_late_and_loses_nothing() {
    let pair = Pair::start().await;
    let verifier = pair.follower_of_b().await;
    let alice = pair.a.open_session("alice").await;
    pair.redis.signal(Signal::STOP);
    is_away(&pair.a.refresh(&alice.refresh).await);
    is_away(&pair.b.admin(reqwest::Method::POST, "/subjects/alice/revoke", None).await);
    verifier.verify(&alice.access).expect("the kick was not acknowledged");
    pair.redis.signal(Signal::CONT);
    pair.a.until_ready().await;
    pair.b.until_ready().await;
    verifier.reaches(pair.b.revoking("/subjects/alice/revoke").await).await;
    verifier.verify(&alice.access).expect_err("kicked");
    pair.a.refresh(&alice.refresh).await.refused(400, "invalid_grant");
}

/// The running issuer restores the revocation log, epoch, keys and cut-off, but not the records of the subjects.
/// Verifiers notice nothing.
#[tokio::test]
async fn an_emptied_redis_gets_its_log_back() {
    let mut pair = Pair::start().await;
    let verifier = pair.follower_of_b().await;
    let before = pair.a.open_session("carol").await;
    let cutoff =
        position(&pair.a.admin_post("/cutoff", serde_json::json!({ "end_sessions": true })).await.ok());
    let (alice, bob) = (pair.a.open_session("alice").await, pair.b.open_session("bob").await);
    let kicked = pair.a.revoking("/subjects/alice/revoke").await;
    assert!(kicked.seq > cutoff.seq);
    verifier.reaches(kicked).await;
    let keys = pair.b.get("/.well-known/jwks.json").await.text();
    let list = unverified_list(&pair.a.list_with(kicked).await);
    pair.a.kill().await;

    pair.redis.ask::<()>(&["FLUSHALL"]);

    // Heartbeats are one second apart. A list with an `iat` at least three seconds after the current time proves that
    // the store was confirmed after the loss.
    verifier.hears_of(host_time().wall.plus_secs(3)).await;
    assert_eq!(verifier.cursor().epoch, kicked.epoch, "the epoch is unchanged");
    let sees_what_it_saw = |verifier: &Follower| {
        assert!(matches!(verifier.verify(&alice.access), Err(Error::Revoked { .. })), "still kicked");
        verifier.verify(&before.access).expect_err("the token was issued before the cut-off");
        assert!(!verifier.verify(&bob.access).expect("verifiers notice nothing").freshness.stale);
    };
    sees_what_it_saw(&verifier);
    // Starts the killed issuer again. It uses the data that the running issuer restored.
    pair.a.restart().await;
    for issuer in [&pair.a, &pair.b] {
        assert_eq!(issuer.get("/.well-known/jwks.json").await.text(), keys);
        for gone in [&alice, &bob, &before] {
            issuer.refresh(&gone.refresh).await.refused(400, "invalid_grant");
        }
        let newcomer = Follower::with(issuer, pair.options()).await;
        sees_what_it_saw(&newcomer);
        let came_back = unverified_list(&issuer.get("/revocations").await.success());
        assert_eq!((came_back.epoch, came_back.cutoff), (list.epoch, list.cutoff));
        assert!(came_back.seq > list.seq);
    }
    let again = pair.b.open_session("bob").await;
    verifier.verify(&again.access).expect("the login was after the cut-off");
}

/// The connection of one issuer to its store is cut. This issuer signs no list, because a list would confirm a
/// state that the issuer cannot know.
#[tokio::test]
async fn an_issuer_that_is_cut_off_signs_no_list() {
    let redis = RedisServer::start(&[]);
    let proxy = Proxy::to(redis.port()).await;
    let (near, far) = (redis.url(), proxy.url());
    let (a, b) = Pair::issuers(&near, &far, &[]).await;
    let pair = Pair { redis, a, b };
    let verifier = pair.follower_of_b().await;
    let (alice, bob) = (pair.b.open_session("alice").await, pair.b.open_session("bob").await);
    verifier.verify(&alice.access).expect("good");

    proxy.cut();
    let kicked = pair.a.revoking("/subjects/alice/revoke").await;
    eventually("the issuer knows that it is cut off", async {
        while pair.b.get("/readyz").await.status == 200 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    })
    .await;
    is_away(&pair.b.refresh(&bob.refresh).await);
    is_away(&pair.b.admin(reqwest::Method::POST, "/subjects/bob/revoke", None).await);
    // Three missed heartbeats of one second count as an outage.
    eventually("the issuer's verifiers report that their list is old", async {
        while !verifier.verify(&alice.access).expect("the verifier has not received the kick").freshness.stale
        {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    })
    .await;
    let followers_of_a = Follower::of(&pair.a).await;
    followers_of_a.reaches(kicked).await;
    assert!(matches!(followers_of_a.verify(&alice.access), Err(Error::Revoked { .. })));

    proxy.heal();
    verifier.reaches(kicked).await;
    verifier.verify(&alice.access).expect_err("the verifier has received the kick");
    pair.b.until_ready().await;
    assert!(!verifier.verify(&bob.access).expect("good").freshness.stale);
    pair.b.refresh(&alice.refresh).await.refused(400, "invalid_grant");
    Session::of(&pair.b.refresh(&bob.refresh).await);
}

fn both_replicas_have_all_of(master: &RedisServer) {
    let client = redis::Client::open(master.url()).expect("an address");
    let mut connection = client.get_connection().expect("a connection");
    // `WAIT` needs an earlier write on the same connection. `PUBLISH` serves as this write: Redis sends it to the
    // replicas, and it changes no data.
    let mut both = redis::pipe();
    both.cmd("PUBLISH").arg("nobody").arg("listens").ignore();
    both.cmd("WAIT").arg(2).arg(30_000);
    let there: (u64,) = both.query(&mut connection).expect("an answer");
    assert_eq!(there, (2,), "both replicas have the write");
}

/// Retries until a session is opened. A session is opened only if a replica confirms the write in time.
async fn until_opened(issuer: &Issuer, sub: &str) -> Session {
    let opened = async {
        loop {
            let reply = issuer.admin_post("/sessions", serde_json::json!({ "sub": sub })).await;
            if reply.status.is_success() {
                return Session::of(&reply);
            }
            is_away(&reply);
        }
    };
    eventually("a session is opened", opened).await
}

/// Trace 6: a replica was promoted, and one issuer still uses the former master. That issuer signs no tokens
/// and no lists.
#[tokio::test]
async fn an_issuer_on_the_previous_master_signs_nothing() {
    let options =
        ["--min-replicas-to-write", "1", "--min-replicas-max-lag", "3", "--repl-ping-replica-period", "1"];
    let before = RedisServer::start(&options);
    let of_before = format!("127.0.0.1 {}", before.port());
    let replica = || RedisServer::start(&[&options[..], &["--replicaof", &of_before]].concat());
    let (promoted, other) = (replica(), replica());
    before.until_followed(2);
    [&promoted, &other].into_iter().for_each(RedisServer::until_it_has_written);
    let way = Proxy::to(before.port()).await;
    let (a, b) = Pair::issuers(&before.url(), &way.url(), &[]).await;
    let mut follower_of_a = Follower::of(&a).await;
    let (alice, bob) = (until_opened(&a, "alice").await, until_opened(&a, "bob").await);

    // A failover would promote the replica that has the data. This test chooses the replica in advance, so both
    // replicas must have the data.
    both_replicas_have_all_of(&before);
    promoted.ask::<()>(&["REPLICAOF", "NO", "ONE"]);
    other.ask::<()>(&["REPLICAOF", "127.0.0.1", &promoted.port().to_string()]);
    promoted.until_followed(1);
    way.redirect(promoted.port());
    let kicked = eventually("the new master accepts the kick", async {
        loop {
            let reply = b.admin(reqwest::Method::POST, "/subjects/alice/revoke", None).await;
            if reply.status.is_success() {
                return position(&reply.json());
            }
            is_away(&reply);
        }
    })
    .await;

    eventually("the issuer knows that it cannot use its master", async {
        while a.get("/readyz").await.status == 200 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    })
    .await;
    for session in [&alice, &bob] {
        is_away(&a.refresh(&session.refresh).await);
    }
    is_away(&a.admin(reqwest::Method::POST, "/subjects/bob/revoke", None).await);
    is_away(&a.admin_post("/sessions", serde_json::json!({ "sub": "carol" })).await);
    eventually("the issuer's verifiers report that their list is old", async {
        while !follower_of_a
            .verify(&alice.access)
            .expect("the verifier has not received the kick")
            .freshness
            .stale
        {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    })
    .await;

    follower_of_a.resume(&b).await;
    follower_of_a.reaches(kicked).await;
    follower_of_a.verify(&alice.access).expect_err("kicked");
    b.refresh(&alice.refresh).await.refused(400, "invalid_grant");
    Session::of(&b.refresh(&bob.refresh).await);
    // The former master returns as a replica. A replica is not usable as a store.
    before.ask::<()>(&["REPLICAOF", "127.0.0.1", &promoted.port().to_string()]);
    is_away(&a.refresh(&bob.refresh).await);
}

#[tokio::test]
async fn a_store_that_is_not_fit_stops_the_start_with_a_sentence() {
    let redis = RedisServer::start(&["--maxmemory-policy", "allkeys-lru", "--requirepass", "wonderland"]);
    let mut issuer =
        Issuer::stopped(&[("STORE", &format!("redis://:wonderland@127.0.0.1:{}", redis.port()))]);
    assert!(!issuer.try_restart().await);
    let log = issuer.log();
    assert!(log.contains("set it to noeviction"), "{log}");
    assert!(!log.contains("wonderland"), "{log}");
    let mut issuer = Issuer::stopped(&[("STORE", "redis://alice:wonderland@host:port")]);
    assert!(!issuer.try_restart().await);
    let log = issuer.log();
    assert!(log.contains("write redis://host:port") && log.contains("DOORLIST_STORE"), "{log}");
    assert!(!log.contains("wonderland"), "{log}");
}

#[tokio::test]
async fn a_redis_that_is_too_old_stops_the_start_with_a_sentence() {
    let said_at_the_start = async |version: &str| {
        let info =
            format!("redis_version:{version}\r\nredis_mode:standalone\r\nrole:master\r\naof_enabled:1\r\n");
        let redis = ScriptedRedis::with_info(&info).await;
        let mut issuer = Issuer::stopped(&[("STORE", &redis.url())]);
        assert!(!issuer.try_restart().await);
        issuer.log()
    };
    for version in ["6.2.14", "5.0.7", "2.8.4"] {
        let said = said_at_the_start(version).await;
        let sentence = format!("it is Redis {version}: install 7.0 or newer, or Valkey");
        assert!(said.contains(&sentence), "{said}");
        assert!(!said.contains("panicked"), "{said}");
    }
    let said = said_at_the_start("7.0.0").await;
    assert!(
        !said.contains("install") && said.contains("cannot be read"),
        "this version is accepted, and the next check fails: {said}"
    );
}
