//! Tests with servers that the issuer cannot use at its start. If an operator must change something, the start fails,
//! and the error message must say what to change. If the server may be usable later, the start waits.

use redis_servers::{RedisServer, free_port};

use super::*;

/// Opens a store and returns the reason why the start fails.
async fn refusal(url: &str) -> String {
    misconfigured(try_open(url, "doorlist").await.map(drop))
}

/// Opens a store and returns the reason why the start waits.
async fn outage(url: &str) -> String {
    unavailable(try_open(url, "doorlist").await.map(drop))
}

#[tokio::test]
async fn b6_a_server_that_does_not_run_is_reported_as_unavailable() {
    for layout in
        ["redis://127.0.0.1:{}", "redis+sentinel://127.0.0.1:{}/doorlist", "redis+cluster://127.0.0.1:{}"]
    {
        let port = free_port().to_string();
        let said = outage(&layout.replace("{}", &port)).await;
        assert!(said.contains(&format!("127.0.0.1:{port}: ")) && said.contains("refused"), "{said}");
    }
}

/// The host name in this test is too long for DNS. So the system refuses the host name without asking a name server.
#[tokio::test]
async fn b6_a_name_that_does_not_resolve_is_reported_as_unavailable_with_the_cause() {
    let said = outage(&format!("redis://{}.example", "a".repeat(64))).await;
    assert!(said.contains("NXDOMAIN"), "{said}");
}

#[tokio::test]
async fn b6_a_cluster_that_has_no_slots_yet_is_reported_as_unavailable() {
    let member = RedisServer::start_on_two_ports("--cluster-port", &["--cluster-enabled", "yes"]);
    outage(&member.url().replace("redis://", "redis+cluster://")).await;
}

#[tokio::test]
async fn a_server_that_evicts_keys_is_refused() {
    let server = RedisServer::start(&["--maxmemory-policy", "allkeys-lru"]);
    let said = refusal(&server.url()).await;
    assert!(said.contains("set it to noeviction"), "{said}");
    server.ask::<()>(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    open(&server.url()).await;
}

#[tokio::test]
async fn a_wrong_login_is_refused_and_not_shown() {
    let server = RedisServer::start(&["--requirepass", "wonderland"]);
    let url = |login: &str| format!("redis://{login}127.0.0.1:{}", server.port());
    let without = refusal(&url("")).await;
    assert!(without.contains("write it into DOORLIST_STORE"), "{without}");
    for login in [":looking-glass@", "alice:looking-glass@"] {
        let wrong = refusal(&url(login)).await;
        assert!(wrong.contains("user or password"), "{wrong}");
        assert!(!wrong.contains("looking-glass"), "{wrong}");
    }
    open(&url(":wonderland@")).await;
}

/// A user with only the permissions that the README lists can use the store.
#[tokio::test]
async fn the_permissions_in_the_readme_are_enough_for_the_redis_user() {
    let server = RedisServer::start(&[]);
    let rules = include_str!("../../../../README.md")
        .lines()
        .find_map(|line| line.strip_prefix("ACL SETUSER doorlist "));
    let rules = rules.expect("the README lists the permissions").replace("<password>", "wonderland");
    let mut command = vec!["ACL", "SETUSER", "doorlist"];
    command.extend(rules.split(' '));
    server.ask::<()>(&command);
    let url = format!("redis://doorlist:wonderland@127.0.0.1:{}", server.port());
    keeps_the_contract_of("doorlist", &url).await;
    // With this time, the next change of a counter begins another generation.
    server.ask::<()>(&["HSET", "{doorlist}:tallies", "began", "0"]);
    counts(&try_open(&url, "doorlist").await.expect("a store"), 2).await;
    assert_eq!(server.ask::<u64>(&["HLEN", "{doorlist}:tallies:before"]), 2, "the beginning and one counter");
    for key in ["{doorlist}:tallies", "{doorlist}:tallies:before"] {
        assert!((1..=7200).contains(&server.ask::<i64>(&["TTL", key])), "{key} expires");
    }
    let said = misconfigured(try_open(&url, "staging").await.map(drop));
    assert!(said.contains("permission"), "{said}");
}

/// Adds a counter.
async fn counts(store: &RedisStore, number: u8) {
    let change = TallyChange { name: [number; 16], expected: Vec::new(), value: b"1".to_vec() };
    assert!(store.swap_tallies(vec![change]).await.expect("an answer"));
    assert_eq!(store.tallies(&[[number; 16]]).await.expect("the counters").values, [b"1"]);
}

async fn keeps_the_contract_of(prefix: &str, url: &str) {
    let store = try_open(url, prefix).await.expect("a store");
    let mut commit = put("alice", None, 1);
    commit.entries = vec![NewEntry::Mark];
    commit.audit = vec![AuditEvent::global(crate::domain::AuditKind::Cutoff)];
    let position = store.commit(commit).await.expect("a commit").position;
    store.wait_for_news(Seq::ZERO).await.expect("news");
    assert!(store.confirm(position).await.expect("an answer").whole);
    store.trim(position.seq).await.expect("an answer");
    assert_eq!(store.subjects(None, 10).await.expect("a page").len(), 1);
    assert_eq!(store.audit(None, 10).await.expect("events").len(), 1);
    assert!(store.keys().await.expect("an answer").is_none());
    let swapped = store.swap_keys(None, b"ring".to_vec(), vec![NewEntry::Mark], Seq::ZERO).await;
    assert!(swapped.expect("an answer").swapped);
    let (version, _) = read(&store, "alice").await.expect("a record");
    assert!(store.forget(&subject("alice"), version).await.expect("an answer"));
    counts(&store, 1).await;
}

#[tokio::test]
async fn a_master_that_would_accept_writes_alone_is_refused() {
    let server = RedisServer::start(&[]);
    let replica = RedisServer::start(&["--replicaof", &format!("127.0.0.1 {}", server.port())]);
    server.until_followed(1);
    let said = refusal(&server.url()).await;
    assert!(said.contains("min-replicas-to-write is 0") && said.contains("set it to 1"), "{said}");
    let said = refusal(&replica.url()).await;
    assert!(said.contains("it is a replica"), "{said}");
    server.ask::<()>(&["CONFIG", "SET", "min-replicas-to-write", "1"]);
    open(&server.url()).await;
}

#[tokio::test]
async fn a_url_with_the_wrong_layout_is_refused() {
    let alone = RedisServer::start(&[]);
    let said = refusal(&alone.url().replace("redis://", "redis+cluster://")).await;
    assert!(said.contains("write redis://"), "{said}");
    let said = refusal(&(alone.url().replace("redis://", "redis+sentinel://") + "/doorlist")).await;
    assert!(said.contains("it is not a sentinel") && said.contains("write redis://"), "{said}");
    let member = RedisServer::start_on_two_ports("--cluster-port", &["--cluster-enabled", "yes"]);
    let said = refusal(&member.url()).await;
    assert!(said.contains("write redis+cluster://"), "{said}");
}
