//! Against real servers, each started by the test that needs it.

mod standalone;

use super::*;
use crate::store::clock::ManualClock;

/// The store of an installation, as `DOORLIST_STORE` and `DOORLIST_STORE_PREFIX` name it.
async fn open(url: &str, prefix: &str) -> Result<RedisStore, StoreError> {
    let url = RedisUrl::parse(url).expect("it is one of Redis").expect("an address");
    RedisStore::open(url, prefix.parse().expect("a prefix"), None).await
}

/// The same with a clock that the test moves.
async fn open_with_clock(url: &str, prefix: &str, clock: ManualClock) -> RedisStore {
    let url = RedisUrl::parse(url).expect("it is one of Redis").expect("an address");
    let inner = Inner {
        servers: Servers::of(url, None),
        keys: Keys::of(prefix.parse().expect("a prefix")),
        scripts: scripts::manual::scripts(),
        heard: Mutex::new(Heard { epoch: NO_EPOCH, micros: 0 }),
        clock: Some(clock),
    };
    RedisStore::start(inner).await.expect("a store")
}

/// The contract of every backend, each case in an installation of its own.
async fn keeps_the_contract(url: &str) {
    let installation = std::sync::atomic::AtomicU32::new(0);
    crate::store::contract::all(async |clock| {
        let number = installation.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        open_with_clock(url, &format!("case-{number}"), clock).await
    })
    .await;
}
