//! Two issuers on one Redis, each in its own process.

use doorlist_verifier::Options;

use super::issuer::Settings;
use super::{Follower, Issuer, RedisServer, SteppedClock};

/// Two issuers on one Redis. Both use the name of the first issuer.
pub struct Pair {
    pub redis: RedisServer,
    pub a: Issuer,
    pub b: Issuer,
}

impl Pair {
    /// Two issuers that connect directly to one Redis.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Two issuers with these settings.
    pub async fn start_with(settings: Settings<'_>) -> Self {
        let redis = RedisServer::start(&[]);
        let (a, b) = Self::issuers(&redis.url(), &redis.url(), settings).await;
        Self { redis, a, b }
    }

    /// Two issuers on one store. Each issuer reaches the store at its own address.
    pub async fn issuers(a: &str, b: &str, settings: Settings<'_>) -> (Issuer, Issuer) {
        let with = |more: &[(&'static str, String)]| -> Vec<(String, String)> {
            let given = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            given.chain(more.iter().map(|(name, value)| ((*name).to_owned(), value.clone()))).collect()
        };
        let start = async |settings: Vec<(String, String)>| {
            let settings: Vec<_> =
                settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            Issuer::start_with(&settings).await
        };
        let a = start(with(&[("STORE", a.to_owned())])).await;
        let b = start(with(&[("STORE", b.to_owned()), ("ISSUER", a.url())])).await;
        (a, b)
    }

    /// The second issuer uses this clock.
    pub async fn with_clock(clock: &SteppedClock) -> Self {
        let redis = RedisServer::start(&[]);
        let url = redis.url();
        let settings = [("STORE", url.as_str()), ("REFRESH_GRACE_SECS", "0")];
        let a = Issuer::start_with(&settings).await;
        let name = a.url();
        let settings = [&settings[..], &[("ISSUER", &name)]].concat();
        let mut b = Issuer::stopped(&settings).with_environment(clock.environment());
        b.restart().await;
        Self { redis, a, b }
    }

    /// The verifier options for issuers that use this issuer's name.
    pub fn options_of(first: &Issuer) -> Options {
        Options::new(first.url(), Some(vec!["api".into()]))
    }

    /// The verifier options for these two issuers.
    pub fn options(&self) -> Options {
        Self::options_of(&self.a)
    }

    /// A verifier that follows the second issuer.
    pub async fn follower_of_b(&self) -> Follower {
        Follower::with(&self.b, self.options()).await
    }
}
