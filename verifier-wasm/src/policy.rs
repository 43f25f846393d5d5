//! What the user of a verifier decides: for whom tokens are, and what to do when the list cannot say.

use serde::{Deserialize, Deserializer};

use crate::error::Error;

/// The tolerance used until a list says the issuer's leeway, in seconds; the issuer's own default.
pub const DEFAULT_LEEWAY_SECS: u64 = 60;

/// So many `ttl` without a newer list are an outage, and the default for what is stale.
pub const OUTAGE_TTLS: u64 = 3;

/// The longest time that an option may be, in seconds: a year of 365 days.
const MAX_OPTION_SECS: u64 = 365 * 86_400;

/// The most tokens that may be remembered.
const MAX_CACHE_SIZE: u32 = 1_000_000;

/// What to do with a token when the held list is older than the policy allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StalePolicy {
    /// Accept, and say in the answer that the list is stale.
    #[default]
    Allow,
    /// Refuse with `ERR_LIST_STALE`.
    Deny,
}

/// What to do with a token when no list was loaded yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingListPolicy {
    /// Refuse with `ERR_LIST_MISSING`.
    #[default]
    Deny,
    /// Accept, and say in the answer that revocation is unknown.
    Allow,
}

/// The options of a verifier. Deserialised under their JavaScript names; an unknown one is refused.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Options {
    /// The `iss` of every token and list.
    pub issuer: String,
    /// A token must be for one of these; `None` opts out. Mandatory when deserialised: an array of names, or `null`,
    /// which opts out.
    #[serde(deserialize_with = "Option::deserialize")]
    pub audience: Option<Vec<String>>,
    /// `clockTolerance`, seconds. Default: the list's `leeway`, which is also the most that is used once a list is
    /// held; [`DEFAULT_LEEWAY_SECS`] before.
    #[serde(default, rename = "clockTolerance", deserialize_with = "seconds")]
    pub clock_tolerance_secs: Option<u64>,
    /// `maxStaleness`, seconds: an older list is stale. Default: three times its `ttl`.
    #[serde(default, rename = "maxStaleness", deserialize_with = "seconds")]
    pub max_staleness_secs: Option<u64>,
    /// Default: allow.
    #[serde(default)]
    pub on_stale: StalePolicy,
    /// Default: deny.
    #[serde(default)]
    pub on_missing: MissingListPolicy,
    /// `outageGrace`, seconds past `exp` that a token is accepted in an outage. Default: none.
    #[serde(default, rename = "outageGrace", deserialize_with = "seconds")]
    pub outage_grace_secs: Option<u64>,
    /// The most tokens that a [`Memory`](crate::remembered::Memory) beside the verifier is to remember; 0 for none.
    /// A [`Verifier`](crate::Verifier) by itself remembers none. Default: 20,000.
    #[serde(default = "default_cache_size")]
    pub cache_size: u32,
}

impl Options {
    /// Options with every default.
    pub fn new(issuer: impl Into<String>, audience: Option<Vec<String>>) -> Self {
        Self {
            issuer: issuer.into(),
            audience,
            clock_tolerance_secs: None,
            max_staleness_secs: None,
            on_stale: StalePolicy::default(),
            on_missing: MissingListPolicy::default(),
            outage_grace_secs: None,
            cache_size: default_cache_size(),
        }
    }

    /// # Errors
    /// [`Error::Options`] for the first option that is impossible.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let refuse = |option, reason| Err(Error::Options { option, reason });
        if self.issuer.is_empty() {
            return refuse("issuer", "must not be empty");
        }
        if self.audience.as_ref().is_some_and(|names| names.is_empty() || names.iter().any(String::is_empty))
        {
            return refuse("audience", "must name at least one, and no empty one");
        }
        for (option, secs) in [
            ("clockTolerance", self.clock_tolerance_secs),
            ("maxStaleness", self.max_staleness_secs),
            ("outageGrace", self.outage_grace_secs),
        ] {
            if secs.is_some_and(|secs| secs > MAX_OPTION_SECS) {
                return refuse(option, "must be at most a year, in seconds");
            }
        }
        if self.outage_grace_secs.is_some_and(|secs| secs > 0)
            && self.on_stale == StalePolicy::Deny
            && self.max_staleness_secs.is_none()
        {
            // An outage begins where the default staleness does, so the grace could never be used.
            return refuse("outageGrace", "with onStale: 'deny' needs a maxStaleness");
        }
        if self.cache_size > MAX_CACHE_SIZE {
            return refuse("cacheSize", "must be at most 1000000");
        }
        Ok(())
    }
}

const fn default_cache_size() -> u32 {
    20_000
}

/// Seconds that fit: more is refused by either reading. Asking for no more than 32 bits spares WebAssembly the code for
/// BigInts.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Ok(Option::<u32>::deserialize(deserializer)?.map(u64::from))
}
