//! The options of a verifier: the accepted issuer and audience, and the decision when no fresh list is held.

use serde::{Deserialize, Deserializer};

use crate::error::Error;

/// The clock tolerance in seconds if `clockTolerance` is not set and no list is held. It equals the default leeway of
/// an issuer.
pub const DEFAULT_LEEWAY_SECS: u64 = 60;

/// An outage begins when the newest list is older than this number times the `ttl` of the list. By default, a list
/// becomes stale at the same age.
pub const OUTAGE_TTLS: u64 = 3;

/// The longest time allowed in an option, in seconds: a year of 365 days.
const MAX_OPTION_SECS: u64 = 365 * 86_400;

/// The highest allowed value of the option `cacheSize`.
const MAX_CACHE_SIZE: u32 = 1_000_000;

/// The treatment of a token if the held list is older than the policy allows.
///
/// ```
/// use doorlist_verifier::{Error, Options, StalePolicy, Verifier};
///
/// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verifier/support.rs")); }
/// # use support::*;
/// # let (jwks, list) = (jwks_text(&[1]), Key::number(1).list(&snapshot()));
/// # let (token, now, much_later) = (Key::number(1).token(&claims()), at(NOW), at(NOW + 300));
/// let options = Options::new("https://issuer.example", Some(vec!["api".into()]));
/// let mut verifier = Verifier::new(Options { on_stale: StalePolicy::Deny, ..options })?;
/// verifier.add_jwks(&jwks)?;
/// verifier.load(&list, now)?;
/// assert!(verifier.verify(&token, now).is_ok());
/// assert!(matches!(verifier.verify(&token, much_later), Err(Error::ListStale { age: 310, .. })));
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StalePolicy {
    /// Accept the token, and mark the list as stale in the result.
    #[default]
    Allow,
    /// Refuse the token with `ERR_LIST_STALE`.
    Deny,
}

/// The treatment of a token if no list was loaded yet.
///
/// ```
/// use doorlist_verifier::{Error, MissingListPolicy, Options, Verifier};
///
/// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verifier/support.rs")); }
/// # use support::*;
/// # let (jwks, token, now) = (jwks_text(&[1]), Key::number(1).token(&claims()), at(NOW));
/// let options = Options::new("https://issuer.example", Some(vec!["api".into()]));
/// let mut strict = Verifier::new(options.clone())?;
/// strict.add_jwks(&jwks)?;
/// assert_eq!(strict.verify(&token, now), Err(Error::ListMissing));
///
/// let mut lenient = Verifier::new(Options { on_missing: MissingListPolicy::Allow, ..options })?;
/// lenient.add_jwks(&jwks)?;
/// assert!(lenient.verify(&token, now).is_ok());
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingListPolicy {
    /// Refuse the token with `ERR_LIST_MISSING`.
    #[default]
    Deny,
    /// Accept the token. The result says that its revocation is unknown.
    Allow,
}

/// The options of a verifier. They are deserialised under their JavaScript names. An unknown option is refused.
///
/// ```
/// use doorlist_verifier::{Options, StalePolicy, Verifier};
///
/// let options = Options {
///     max_staleness_secs: Some(120),
///     on_stale: StalePolicy::Deny,
///     ..Options::new("https://issuer.example", Some(vec!["api".into()]))
/// };
/// // The same options as JSON, under their JavaScript names.
/// let json = r#"{"issuer": "https://issuer.example", "audience": ["api"], "maxStaleness": 120, "onStale": "deny"}"#;
/// assert_eq!(serde_json::from_str::<Options>(json)?, options);
///
/// let error = Verifier::new(Options::new("", None)).unwrap_err();
/// assert_eq!(error.to_string(), "the option `issuer` must not be empty");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Options {
    /// The expected `iss` of every token and list.
    pub issuer: String,
    /// The accepted audiences. A token's `aud` must contain at least one of these names. `None` turns this check off.
    /// In JSON, this option is mandatory: an array of names, or `null` for `None`.
    #[serde(deserialize_with = "Option::deserialize")]
    pub audience: Option<Vec<String>>,
    /// `clockTolerance`, in seconds. The default is the list's `leeway`, or [`DEFAULT_LEEWAY_SECS`] while no list is
    /// held. If a list is held, its `leeway` is also the maximum.
    #[serde(default, rename = "clockTolerance", deserialize_with = "seconds")]
    pub clock_tolerance_secs: Option<u64>,
    /// `maxStaleness`, in seconds. A list that is older is stale. The default is three times the list's `ttl`.
    #[serde(default, rename = "maxStaleness", deserialize_with = "seconds")]
    pub max_staleness_secs: Option<u64>,
    /// `onStale`. The default is to allow the token.
    #[serde(default)]
    pub on_stale: StalePolicy,
    /// `onMissing`. The default is to deny the token.
    #[serde(default)]
    pub on_missing: MissingListPolicy,
    /// `outageGrace`: in an outage, a token is accepted for this many seconds after its `exp`. By default, there is no
    /// grace.
    #[serde(default, rename = "outageGrace", deserialize_with = "seconds")]
    pub outage_grace_secs: Option<u64>,
    /// `cacheSize`: the maximum number of tokens that a [`Memory`](crate::remembered::Memory) remembers for the
    /// verifier. With 0, no token is remembered. A [`Verifier`](crate::Verifier) has no memory of its own. The default
    /// is 20,000.
    #[serde(default = "default_cache_size")]
    pub cache_size: u32,
}

impl Options {
    /// Creates options with default values, except issuer and audience.
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

    /// Checks the values of the options.
    ///
    /// # Errors
    /// [`Error::Options`] for the first option whose value is not allowed.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let refuse = |option, reason| Err(Error::Options { option, reason });
        if self.issuer.is_empty() {
            return refuse("issuer", "must not be empty");
        }
        if self.audience.as_ref().is_some_and(|names| names.is_empty() || names.iter().any(String::is_empty))
        {
            return refuse("audience", "must contain at least one name, and no empty name");
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
            // With the default of `maxStaleness`, a list becomes stale exactly when an outage begins. From then on,
            // every token would be refused because of the stale list. So the grace could never be used.
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

/// Deserialises a number of seconds. A number of more than 32 bits is refused here, and would be too great for every
/// option anyway. No 64-bit number is deserialised, so the WebAssembly module needs no code for BigInts.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Ok(Option::<u32>::deserialize(deserializer)?.map(u64::from))
}
