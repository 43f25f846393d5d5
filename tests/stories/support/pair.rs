//! Two issuers on one Redis, each a process of its own.

use doorlist_verifier::Options;

use super::{Follower, Issuer, RedisServer};

/// See the [module](self). Both are called as the first.
pub struct Pair {
    pub redis: RedisServer,
    pub a: Issuer,
    pub b: Issuer,
}

impl Pair {
    /// Both reach the Redis directly.
    pub async fn start() -> Self {
        let redis = RedisServer::start(&[]);
        let url = redis.url();
        Self::start_by(redis, &url, &url).await
    }

    /// Each reaches the Redis by an address of its own.
    pub async fn start_by(redis: RedisServer, a: &str, b: &str) -> Self {
        let a = Issuer::start_with(&[("STORE", a)]).await;
        let b = Issuer::start_with(&[("STORE", b), ("ISSUER", &a.url())]).await;
        Self { redis, a, b }
    }

    /// The rules of every verifier of these two.
    pub fn options(&self) -> Options {
        Options::new(self.a.url(), Some(vec!["api".into()]))
    }

    /// A verifier that follows the second.
    pub async fn follower_of_b(&self) -> Follower {
        Follower::with(&self.b, self.options()).await
    }
}
