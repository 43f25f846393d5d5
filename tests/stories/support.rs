//! Shared parts of the stories: a real issuer in its own process, an HTTP client for this issuer, and a verifier that
//! follows the issuer.

mod browser;
mod clock;
mod follower;
mod forge;
mod http;
mod issuer;
mod nginx;
mod pair;
mod proxy;
mod raw;
mod scripted_redis;
mod secrets;

use std::future::Future;
use std::time::Duration;

pub use browser::{Browser, Page, STRANGER};
pub use clock::SteppedClock;
pub use follower::{Follower, StreamEnd, host_time};
pub use forge::{Forger, kid};
pub use http::{Reply, Session, position, send, try_send, unverified_claims, unverified_list};
pub use issuer::{ADMIN_KEY, EMBEDDED, Issuer, MASTER_SECRET, Settings, doorlist};
pub use nginx::{Nginx, Way};
pub use pair::Pair;
pub use proxy::Proxy;
pub use raw::{RawReply, exchange};
pub use redis_servers::{RedisCluster, RedisServer, SentinelSet, until};
pub use scripted_redis::ScriptedRedis;

/// The resident memory of a process, in bytes.
#[cfg(target_os = "linux")]
pub fn resident(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("the process runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line VmRSS");
    let kib = line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number");
    kib << 10
}

/// Raises the limit of open files for this process and its child processes.
#[cfg(target_os = "linux")]
pub fn allow_open_files(wanted: u64) {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < wanted) {
        assert!(limit.maximum.is_none_or(|most| most >= wanted), "this test needs `ulimit -Hn {wanted}`");
        limit.current = Some(wanted);
        setrlimit(Resource::Nofile, limit).expect("the limit can be raised up to the hard limit");
    }
}

/// Waits for an event that must happen. The limit is not an assertion about speed: it turns a hang into a
/// failure that names the event.
pub async fn eventually<T>(what: &str, event: impl Future<Output = T>) -> T {
    match tokio::time::timeout(Duration::from_secs(60), event).await {
        Ok(outcome) => outcome,
        Err(_) => panic!("timed out while waiting until {what}"),
    }
}
