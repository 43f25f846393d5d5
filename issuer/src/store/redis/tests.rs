//! Tests with real servers. Each test starts its own servers.

mod cluster;
mod faults;
mod login;
mod refusals;
mod replicas;
mod sentinel;
mod standalone;
mod tls;

use std::time::Duration;

use doorlist_verifier::Handle;

use redis_servers::{RedisServer, until};

use super::commands::{AUDIT_KEPT, PAGE};
use super::*;
use crate::domain::{Appended, AuditEvent, Record};
use crate::store::Swap;
use crate::store::clock::ManualClock;

/// Opens the store of an installation. `url` and `prefix` are the values of `DOORLIST_STORE` and
/// `DOORLIST_STORE_PREFIX`.
async fn try_open(url: &str, prefix: &str) -> Result<RedisStore, StoreError> {
    let url = RedisUrl::parse(url).expect("the scheme belongs to Redis").expect("an address");
    RedisStore::open(url, prefix.parse().expect("a prefix"), LoginFiles::default()).await
}

/// Opens the store of an installation with the default prefix.
async fn open(url: &str) -> RedisStore {
    eventually("the store can be opened", async || try_open(url, "doorlist").await).await
}

/// Opens the store of an installation, with a clock that the test sets.
async fn open_with_clock(url: &str, prefix: &str, clock: ManualClock) -> RedisStore {
    let url = RedisUrl::parse(url).expect("the scheme belongs to Redis").expect("an address");
    let login = || Login::read(&url, LoginFiles::default()).expect("no file is read");
    let inner = || Inner {
        servers: Servers::of(url.clone(), login()),
        keys: KeyNames::of(prefix.parse().expect("a prefix")),
        scripts: scripts::manual::scripts(),
        heard: Mutex::new(Heard { epoch: NO_EPOCH, micros: 0 }),
        clock: Some(clock.clone()),
    };
    eventually("the store can be opened", async || RedisStore::start(inner()).await).await
}

/// Runs all contract tests. Each test case has its own installation.
async fn keeps_the_contract(url: &str) {
    let installation = std::sync::atomic::AtomicU32::new(0);
    crate::store::contract::all(async |clock| {
        let number = installation.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        open_with_clock(url, &format!("case-{number}"), clock).await
    })
    .await;
}

fn subject(name: &str) -> Subject {
    name.try_into().expect("a subject")
}

fn record(gid: u64) -> Record {
    Record::new(Handle::new(gid).expect("a handle"))
}

/// A commit that writes a record. `expected` is the version that was read.
fn put(name: &str, expected: Option<Version>, gid: u64) -> Commit {
    let swap = Swap { sub: subject(name), expected, record: record(gid) };
    Commit { swap: Some(swap), ..Commit::default() }
}

/// A master, and one replica that is fit to take over.
fn master_and_replica() -> (RedisServer, RedisServer) {
    let guarded = ["--min-replicas-to-write", "1", "--repl-ping-replica-period", "1"];
    let master = RedisServer::start(&guarded);
    let follows = format!("127.0.0.1 {}", master.port());
    let replica = RedisServer::start(&[&guarded[..], &["--replicaof", &follows]].concat());
    master.until_followed(1);
    (master, replica)
}

/// A sentinel that watches this master, and the store URL that names this sentinel.
fn watched(master: &RedisServer) -> (RedisServer, String) {
    let sentinel = RedisServer::start_sentinel(master.port(), None);
    let url = format!("redis+sentinel://127.0.0.1:{}/doorlist", sentinel.port());
    (sentinel, url)
}

fn marks(count: usize) -> Commit {
    Commit { entries: vec![NewEntry::Mark; count], ..Commit::default() }
}

async fn read(store: &RedisStore, name: &str) -> Option<(Version, Record)> {
    store.read(&subject(name), Seq::ZERO).await.expect("a reading").record
}

/// Returns the text of an error after which a later attempt can succeed. Panics for any other answer.
fn unavailable<T: std::fmt::Debug>(answer: Result<T, StoreError>) -> String {
    match answer {
        Err(error) if error.may_pass() => error.to_string(),
        other => panic!("not unavailable: {other:?}"),
    }
}

/// Returns the text of an error that an operator must fix. Panics for any other answer.
fn misconfigured<T: std::fmt::Debug>(answer: Result<T, StoreError>) -> String {
    match answer {
        Err(error @ StoreError::Misconfigured(_)) => error.to_string(),
        other => panic!("not misconfigured: {other:?}"),
    }
}

/// Creates a record and waits until it is acknowledged.
async fn create(store: &RedisStore, name: &str) -> Version {
    eventually("a record is acknowledged", async || {
        // If an earlier attempt wrote the record but received no acknowledgement, this commit writes nothing. Then
        // `settle` waits until the record is acknowledged.
        if store.commit(put(name, None, 1)).await?.swapped {
            return Ok(());
        }
        let written = read(store, name).await.map(|(version, _)| version);
        store.settle(&subject(name), written).await.map(drop)
    })
    .await;
    read(store, name).await.expect("the record was acknowledged").0
}

/// Tries again while the store is unavailable. On a busy machine, a replica may confirm a write too late. The time
/// limit does not test speed. It only ends a test that hangs.
async fn eventually<T>(what: &str, ask: impl AsyncFn() -> Result<T, StoreError>) -> T {
    let asking = async {
        loop {
            match ask().await {
                Ok(answer) => break answer,
                Err(error) if error.may_pass() => tokio::time::sleep(Duration::from_millis(50)).await,
                Err(error) => panic!("{error}"),
            }
        }
    };
    let answer = tokio::time::timeout(Duration::from_secs(60), asking).await;
    answer.unwrap_or_else(|_| panic!("timed out while waiting until {what}"))
}
