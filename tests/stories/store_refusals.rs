//! A Redis that answers but accepts no writes. Every request that must write gets a 503 with `Retry-After`, and nothing
//! is lost.

use doorlist_verifier::Error;
use reqwest::Method;
use serde_json::json;

use crate::support::{Follower, Pair, RedisServer, Reply, Session, eventually, until};

/// The state that two issuers had acknowledged before their Redis began to refuse writes.
struct Expected {
    verifiers: [Follower; 2],
    alice: Session,
    bob: Session,
    kicked: Session,
}

impl Expected {
    async fn of(pair: &Pair) -> Self {
        let verifiers = [Follower::of(&pair.a).await, pair.follower_of_b().await];
        let (alice, bob) = (pair.a.open_session("alice").await, pair.b.open_session("bob").await);
        let kicked = pair.b.open_session("carol").await;
        let position = pair.a.revoking("/subjects/carol/revoke").await;
        for verifier in &verifiers {
            verifier.reaches(position).await;
        }
        Self { verifiers, alice, bob, kicked }
    }

    /// Sends requests to each issuer. Each request needs a write. Asserts that every request is refused, and returns
    /// the number of refusals.
    async fn is_refused_by(&self, pair: &Pair) -> usize {
        let mut refused = 0;
        for issuer in [&pair.a, &pair.b] {
            let answers = [
                issuer.refresh(&self.alice.refresh).await,
                issuer.admin(Method::POST, "/subjects/bob/revoke", None).await,
                issuer.admin(Method::POST, "/subjects/bob/disable", None).await,
                issuer.admin_post("/sessions", json!({ "sub": "dave" })).await,
                issuer.admin_post("/cutoff", json!({ "end_sessions": true })).await,
            ];
            for answer in &answers {
                is_away(answer);
            }
            refused += answers.len();
        }
        for verifier in &self.verifiers {
            for session in [&self.alice, &self.bob] {
                verifier.verify(&session.access).expect("the refused requests changed nothing");
            }
            assert!(matches!(verifier.verify(&self.kicked.access), Err(Error::Revoked { .. })));
        }
        refused
    }

    /// Asserts that writes work again.
    async fn is_whole_again(&self, pair: &Pair) {
        for issuer in [&pair.a, &pair.b] {
            issuer.until_ready().await;
            issuer.refresh(&self.kicked.refresh).await.refused(400, "invalid_grant");
        }
        let alice = Session::of(&pair.a.refresh(&self.alice.refresh).await);
        Session::of(&pair.b.refresh(&alice.refresh).await);
        Session::of(&pair.b.refresh(&self.bob.refresh).await);
        let position = pair.b.revoking("/subjects/alice/revoke").await;
        for verifier in &self.verifiers {
            verifier.reaches(position).await;
            verifier.verify(&alice.access).expect_err("kicks work again");
            let bob = verifier.verify(&self.bob.access).expect("Bob was not kicked");
            assert!(!bob.freshness.stale);
        }
        // Dave's login was refused, so he must not be a known subject.
        pair.b.admin(Method::GET, "/subjects/dave", None).await.refused(404, "not_found");
    }
}

fn is_away(reply: &Reply) {
    assert_eq!(reply.status, 503, "{} answered {}", reply.request, reply.text());
    assert!(
        reply.headers.contains_key("retry-after"),
        "the answer to {} does not say when to retry",
        reply.request
    );
}

async fn pair_on(redis: RedisServer) -> Pair {
    let (a, b) = Pair::issuers(&redis.url(), &redis.url(), &[("REFRESH_GRACE_SECS", "0")]).await;
    Pair { redis, a, b }
}

/// `MISCONF`: a snapshot failed. Here it failed because a folder exists at the path of the snapshot file.
#[tokio::test]
async fn a_redis_that_cannot_save_causes_an_outage_but_no_loss() {
    let pair = pair_on(RedisServer::start(&["--save", "3600 1"])).await;
    let standing = Expected::of(&pair).await;
    let (_, folder): (String, String) = pair.redis.ask(&["CONFIG", "GET", "dir"]);
    let in_the_way = std::path::Path::new(&folder).join("dump.rdb");
    std::fs::create_dir(&in_the_way).expect("a folder");
    save(&pair.redis, "err");

    assert_eq!(standing.is_refused_by(&pair).await, 10);
    let log = pair.a.log();
    assert!(log.contains("cannot save to disk") && log.contains("MISCONF"), "{log}");

    std::fs::remove_dir(&in_the_way).expect("the folder is empty");
    save(&pair.redis, "ok");
    standing.is_whole_again(&pair).await;
}

/// Starts a snapshot, and waits until it has ended with this status.
fn save(redis: &RedisServer, end: &str) {
    redis.ask::<()>(&["BGSAVE"]);
    let end = format!("rdb_last_bgsave_status:{end}\r\n");
    until("the snapshot ends", || {
        let info: String = redis.ask(&["INFO", "persistence"]);
        info.contains("rdb_bgsave_in_progress:0") && info.contains(&end)
    });
}

/// `LOADING`: Redis is back, and still reads its data for a while.
#[tokio::test]
async fn a_redis_that_is_loading_causes_an_outage_but_no_loss() {
    // Redis waits 500 µs for each key, and answers requests in between.
    let slowly = ["--key-load-delay", "500", "--loading-process-events-interval-bytes", "1024"];
    let mut pair = pair_on(RedisServer::start(&slowly)).await;
    let standing = Expected::of(&pair).await;
    let fill = "for at = 1, 20000 do redis.call('SET', 'filler:' .. at, at) end";
    pair.redis.ask::<()>(&["EVAL", fill, "0"]);

    pair.redis.kill();
    let Pair { mut redis, a, b } = pair;
    let resumed = tokio::task::spawn_blocking(move || {
        redis.resume();
        redis
    });
    eventually("an issuer reports that Redis is loading its data", async {
        while !a.log().contains("still loading") {
            is_away(&a.refresh(&standing.alice.refresh).await);
        }
    })
    .await;
    assert!(!resumed.is_finished(), "Redis is still loading its data");
    let redis = eventually("Redis has loaded its data", resumed).await.expect("the process starts");
    pair = Pair { redis, a, b };
    standing.is_whole_again(&pair).await;
}

/// `OOM`: Redis has no memory for more data.
#[tokio::test]
async fn a_redis_that_is_full_causes_an_outage_but_no_loss() {
    let pair = pair_on(RedisServer::start(&[])).await;
    let standing = Expected::of(&pair).await;
    pair.redis.ask::<()>(&["CONFIG", "SET", "maxmemory", "1"]);
    assert_eq!(standing.is_refused_by(&pair).await, 10);
    pair.redis.ask::<()>(&["CONFIG", "SET", "maxmemory", "0"]);
    standing.is_whole_again(&pair).await;
}
