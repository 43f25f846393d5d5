//! What the user of a verifier decides: for whom tokens are, and what to do when the list cannot say.

use serde_json::Value;

use crate::claims::Audience;
use crate::error::Error;
use crate::json::{self, MemberFlaw, Members};

/// The tolerance used until a list says the issuer's leeway, in seconds; the issuer's own default.
pub const DEFAULT_LEEWAY_SECS: u64 = 60;

/// So many `ttl` without a newer list are an outage, and the default for what is stale.
pub const OUTAGE_TTLS: u64 = 3;

/// The longest time that an option may be, in seconds: a year of 365 days.
const MAX_OPTION_SECS: u64 = 365 * 86_400;

/// The most tokens that may be remembered.
const MAX_CACHE_SIZE: u32 = 1_000_000;

/// What to do with a token when the held list is older than the policy allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StalePolicy {
    /// Accept, and say in the answer that the list is stale.
    #[default]
    Allow,
    /// Refuse with `ERR_LIST_STALE`.
    Deny,
}

/// What to do with a token when no list was loaded yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MissingListPolicy {
    /// Refuse with `ERR_LIST_MISSING`.
    #[default]
    Deny,
    /// Accept, and say in the answer that revocation is unknown.
    Allow,
}

/// The options of a verifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The `iss` of every token and list.
    pub issuer: String,
    /// A token must be for one of these; `None` opts out.
    pub audience: Option<Vec<String>>,
    /// `clockTolerance`, seconds. Default: the list's `leeway`, which is also the most that is used once a list is
    /// held; [`DEFAULT_LEEWAY_SECS`] before.
    pub clock_tolerance_secs: Option<u64>,
    /// `maxStaleness`, seconds: an older list is stale. Default: three times its `ttl`.
    pub max_staleness_secs: Option<u64>,
    /// Default: allow.
    pub on_stale: StalePolicy,
    /// Default: deny.
    pub on_missing: MissingListPolicy,
    /// `outageGrace`, seconds past `exp` that a token is accepted in an outage. Default: none.
    pub outage_grace_secs: Option<u64>,
    /// The most tokens that are remembered; 0 remembers none.
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

    /// Reads options from one JSON object, under their JavaScript names. `audience` is mandatory there; `null` opts out.
    ///
    /// # Errors
    /// [`Error::Options`] when an option is missing, malformed or unknown.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let refused = |reason| Error::Options { option: "options", reason };
        let mut members = json::parse_object(text.as_bytes())
            .map_err(|_| refused("must be an object with distinct names"))?;
        let members = &mut members;
        let options = Self {
            issuer: option("issuer", members, Members::text)?,
            audience: option("audience", members, audience)?,
            clock_tolerance_secs: option("clockTolerance", members, seconds)?,
            max_staleness_secs: option("maxStaleness", members, seconds)?,
            on_stale: option("onStale", members, |members, name| {
                choice(members, name, (StalePolicy::Allow, StalePolicy::Deny))
            })?,
            on_missing: option("onMissing", members, |members, name| {
                choice(members, name, (MissingListPolicy::Allow, MissingListPolicy::Deny))
            })?,
            outage_grace_secs: option("outageGrace", members, seconds)?,
            cache_size: option("cacheSize", members, cache_size)?,
        };
        if members.0.is_empty() { Ok(options) } else { Err(refused("hold an unknown name")) }
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
    10_000
}

fn option<T>(
    option: &'static str,
    members: &mut Members,
    take: impl FnOnce(&mut Members, &str) -> Result<T, MemberFlaw>,
) -> Result<T, Error> {
    take(members, option).map_err(|flaw| {
        let reason = match flaw {
            MemberFlaw::Missing => "is missing",
            MemberFlaw::Invalid => "is malformed",
        };
        Error::Options { option, reason }
    })
}

/// A string, an array of strings, or `null`.
fn audience(members: &mut Members, name: &str) -> Result<Option<Vec<String>>, MemberFlaw> {
    if members.take_null(name) {
        return Ok(None);
    }
    Ok(Some(match Audience::take(members, name)? {
        Audience::One(one) => vec![one],
        Audience::Many(many) => many,
    }))
}

/// `null` is the default here.
fn seconds(members: &mut Members, name: &str) -> Result<Option<u64>, MemberFlaw> {
    if members.take_null(name) {
        return Ok(None);
    }
    json::optional(members.integer(name, MAX_OPTION_SECS))
}

fn cache_size(members: &mut Members, name: &str) -> Result<u32, MemberFlaw> {
    let size = json::optional(members.integer(name, MAX_CACHE_SIZE.into()))?;
    size.map_or(Ok(default_cache_size()), |size| u32::try_from(size).map_err(|_| MemberFlaw::Invalid))
}

/// One of two words.
fn choice<T: Default>(members: &mut Members, name: &str, (allow, deny): (T, T)) -> Result<T, MemberFlaw> {
    match json::optional(members.take(name))? {
        None => Ok(T::default()),
        Some(Value::String(word)) if word == "allow" => Ok(allow),
        Some(Value::String(word)) if word == "deny" => Ok(deny),
        Some(_) => Err(MemberFlaw::Invalid),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_have_defaults_and_nulls() {
        let least = Options::parse(r#"{"issuer":"i","audience":null}"#).unwrap();
        assert_eq!(least, Options::new("i", None));
        let nulls =
            r#"{"issuer":"i","audience":["a","b"],"clockTolerance":null,"cacheSize":0,"onStale":"deny"}"#;
        let options = Options::parse(nulls).unwrap();
        assert_eq!(options.audience, Some(vec!["a".into(), "b".into()]));
        assert_eq!((options.clock_tolerance_secs, options.cache_size), (None, 0));
        assert_eq!((options.on_stale, options.on_missing), (StalePolicy::Deny, MissingListPolicy::Deny));
    }

    #[test]
    fn what_is_refused_is_named() {
        for (text, named) in [
            ("[]", "options"),
            (r#"{"issuer":"i","issuer":"i","audience":null}"#, "options"),
            (r#"{"issuer":"i","audience":null,"other":1}"#, "options"),
            (r#"{"audience":null}"#, "issuer"),
            (r#"{"issuer":"i"}"#, "audience"),
            (r#"{"issuer":"i","audience":[]}"#, "audience"),
            (r#"{"issuer":"i","audience":null,"clockTolerance":1.5}"#, "clockTolerance"),
            (r#"{"issuer":"i","audience":null,"maxStaleness":31536001}"#, "maxStaleness"),
            (r#"{"issuer":"i","audience":null,"onStale":"Deny"}"#, "onStale"),
            (r#"{"issuer":"i","audience":null,"onMissing":null}"#, "onMissing"),
            (r#"{"issuer":"i","audience":null,"cacheSize":1000001}"#, "cacheSize"),
        ] {
            assert!(
                matches!(Options::parse(text), Err(Error::Options { option, .. }) if option == named),
                "{text}"
            );
        }
    }
}
