//! If the store is not available yet, the issuer waits for the store. While the issuer waits, it is alive and not
//! ready. A wrong setting stops the start at once.

use reqwest::Method;
use rustix::process::Signal;
use serde_json::json;

use crate::support::{EMBEDDED, Issuer, RedisServer, Session, eventually};

/// A Redis that is not running, and an issuer that is configured with the address of this Redis.
fn issuer_before_its_redis(options: &[&str]) -> (RedisServer, Issuer) {
    let mut redis = RedisServer::start(options);
    redis.kill();
    let issuer = Issuer::stopped(&[("STORE", &redis.url())]);
    (redis, issuer)
}

#[tokio::test]
async fn b6_the_issuer_waits_for_a_redis_that_starts_later() {
    let (mut redis, mut issuer) = issuer_before_its_redis(&[]);
    let listening = issuer.launch();
    issuer.until_alive().await;
    issuer.until_unready_for("waiting for the store: Connection refused").await;
    assert_eq!(issuer.get("/healthz").await.status, 200);
    let port = redis.port().to_string();
    assert!(
        !issuer.get("/readyz").await.text().contains(&port),
        "the address of the store is shown only to operators"
    );
    for refused in [
        issuer.get("/revocations").await,
        issuer.refresh("a-token").await,
        issuer.login("alice", "wonderland").await,
        issuer.admin_post("/sessions", json!({ "sub": "alice" })).await,
        issuer.admin(Method::GET, "/nothing", None).await,
    ] {
        refused.refused(503, "temporarily_unavailable");
        assert!(refused.headers.contains_key("retry-after"));
    }
    redis.resume();
    eventually("the issuer listens", listening).await.expect("the issuer did not end");
    issuer.until_ready().await;
    Session::of(&issuer.refresh(&issuer.open_session("alice").await.refresh).await);
    let log = issuer.log();
    assert!(log.contains("waiting at the start") && log.contains(&port), "{log}");
    assert_eq!(issuer.stop().await.code(), Some(0));
}

/// Redis answers `LOADING`.
#[tokio::test]
async fn b6_the_issuer_waits_for_a_redis_that_loads_its_data() {
    let slowly = ["--key-load-delay", "500", "--loading-process-events-interval-bytes", "1024"];
    let mut redis = RedisServer::start(&slowly);
    let fill = "for at = 1, 20000 do redis.call('SET', 'filler:' .. at, at) end";
    redis.ask::<()>(&["EVAL", fill, "0"]);
    redis.kill();
    let mut issuer = Issuer::stopped(&[("STORE", &redis.url())]);
    let listening = issuer.launch();
    let resumed = tokio::task::spawn_blocking(move || {
        redis.resume();
        redis
    });
    issuer.until_alive().await;
    issuer.until_unready_for("waiting for the store: Redis is still loading its data (LOADING)").await;
    let _redis = eventually("Redis has loaded its data", resumed).await.expect("the process starts");
    eventually("the issuer listens", listening).await.expect("the issuer did not end");
    issuer.until_ready().await;
}

#[tokio::test]
async fn b6_a_signal_ends_the_wait() {
    let (redis, mut issuer) = issuer_before_its_redis(&[]);
    for signal in [Signal::TERM, Signal::INT] {
        issuer.launch();
        issuer.until_alive().await;
        issuer.until_unready_for("waiting for the store").await;
        issuer.signal(signal);
        assert_eq!(issuer.wait().await.code(), Some(0), "{}", issuer.log());
    }
    drop(redis);
    // A server that accepts connections and does not answer.
    let redis = RedisServer::start(&[]);
    redis.signal(Signal::STOP);
    let mut issuer = Issuer::stopped(&[("STORE", &redis.url())]);
    issuer.launch();
    issuer.until_alive().await;
    issuer.until_unready_for("starting: ").await;
    issuer.signal(Signal::TERM);
    assert_eq!(issuer.wait().await.code(), Some(0), "{}", issuer.log());
    redis.signal(Signal::CONT);
}

/// Starts the issuer, requires that the start is refused, and returns the issuer's log output.
async fn refusal(issuer: &mut Issuer) -> String {
    issuer.launch();
    assert_eq!(issuer.wait().await.code(), Some(1), "{}", issuer.log());
    assert!(!issuer.log().contains("listening on"), "{}", issuer.log());
    issuer.log()
}

#[tokio::test]
async fn b6_a_wrong_password_stops_the_start_also_after_a_wait() {
    let (mut redis, mut issuer) = issuer_before_its_redis(&["--requirepass", "wonderland"]);
    issuer.launch();
    issuer.until_alive().await;
    issuer.until_unready_for("waiting for the store").await;
    redis.resume();
    assert_eq!(issuer.wait().await.code(), Some(1), "{}", issuer.log());
    assert!(issuer.log().contains("Redis requires a password"), "{}", issuer.log());
    let url = redis.url().replace("redis://", "redis://:looking-glass@");
    let said = refusal(&mut Issuer::stopped(&[("STORE", &url)])).await;
    assert!(said.contains("the user or password in DOORLIST_STORE is wrong"), "{said}");
    assert!(!said.contains("waiting at the start") && !said.contains("looking-glass"), "{said}");
}

/// Missing secrets are reported even before the store is available.
#[tokio::test]
async fn b6_a_missing_secret_stops_the_start_without_its_redis() {
    let (_redis, issuer) = issuer_before_its_redis(&[]);
    let said = refusal(&mut issuer.forgetting(&["ADMIN_KEY"])).await;
    assert!(said.contains("set DOORLIST_ADMIN_KEY or DOORLIST_ADMIN_KEY_FILE"), "{said}");
    assert!(!said.contains("waiting at the start"), "{said}");
}

#[tokio::test]
async fn b6_the_wait_ends_at_its_limit_and_each_line_names_the_cause() {
    let unknown = format!("redis://{}.example", "a".repeat(64));
    let said = refusal(&mut Issuer::stopped(&[("STORE", &unknown), ("STORE_WAIT_SECS", "1")])).await;
    let lines: Vec<_> = said.lines().filter(|line| line.contains("waiting at the start")).collect();
    assert!(!lines.is_empty() && lines.iter().all(|line| line.contains("NXDOMAIN")), "{said}");
    assert!(
        said.contains("waited 1 s for the store (--store-wait-secs, DOORLIST_STORE_WAIT_SECS)"),
        "{said}"
    );

    let (_redis, issuer) = issuer_before_its_redis(&[]);
    let store = format!("redis://127.0.0.1:{}", issuer.port());
    let said = refusal(&mut Issuer::stopped(&[("STORE", &store), ("STORE_WAIT_SECS", "0")])).await;
    assert!(said.contains("refused") && !said.contains("waiting at the start"), "{said}");
}

/// On one machine, a new process replaces a node while the previous process still has the store file open.
#[tokio::test]
async fn b6_the_issuer_waits_for_a_file_that_the_previous_process_still_has_open() {
    let mut before = Issuer::start_with(EMBEDDED).await;
    let file = format!("embedded:{}", before.folder().join("doorlist.redb").display());
    let mut next = Issuer::stopped(&[("STORE", &file), ("ISSUER", &before.url())]);
    let listening = next.launch();
    next.until_alive().await;
    next.until_unready_for("open in another process").await;
    assert_eq!(before.stop().await.code(), Some(0));
    let listens = eventually("the issuer listens", listening).await;
    assert!(listens.is_ok(), "the issuer ended:\n{}", next.log());
    next.until_ready().await;
}
