//! The verifier.

use serde::Serialize;

use crate::claims::AccessTokenClaims;
use crate::cursor::{Epoch, Seq};
use crate::error::Error;
use crate::keys::{Jwks, KeyId, KeySet};
use crate::policy::Options;
use crate::time::{HostTime, UnixSeconds};

/// Checks access tokens against keys, a clock that is handed in, and a revocation list, without any I/O.
#[derive(Debug, Clone)]
pub struct Verifier {
    options: Options,
    keys: KeySet,
}

/// What a token that is accepted says, and how sure that is.
#[derive(Debug, Clone, PartialEq)]
pub struct Verified {
    /// The header as it was signed.
    pub header_json: String,
    /// The payload as it was signed: one JSON object with distinct names.
    pub payload_json: String,
    /// The payload, read.
    pub claims: AccessTokenClaims,
    /// What the list says of it.
    pub revocation: RevocationStatus,
    /// How old that knowledge is.
    pub freshness: Freshness,
    /// Whether it is past its `exp`, and accepted only because the issuer is not heard.
    pub outage: bool,
}

/// What the list says of a token that is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RevocationStatus {
    /// Neither its group nor its session is listed, and no cut-off is after it.
    NotRevoked,
    /// No list is held.
    Unknown,
}

/// How old the verifier's knowledge is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Freshness {
    /// The greatest `iat` of any list that was accepted.
    pub as_of: Option<UnixSeconds>,
    /// Seconds since then.
    #[serde(rename = "age")]
    pub age_secs: Option<u64>,
    /// Whether that is more than the policy allows; true when no list is held.
    pub stale: bool,
}

/// What loading a list came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Loaded {
    /// The log's lineage.
    pub epoch: Epoch,
    /// The last entry that is held.
    pub sequence: Seq,
    /// How many handles are held.
    pub entries: usize,
    /// Whether anything was new.
    pub outcome: LoadOutcome,
}

/// Whether a list brought anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LoadOutcome {
    /// It was applied; a heartbeat brings at least its time.
    Applied,
    /// It is the list that is held.
    Unchanged,
}

/// What a verifier holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// The log's lineage.
    pub epoch: Option<Epoch>,
    /// The last entry that is held.
    pub sequence: Option<Seq>,
    /// How many handles are held.
    pub entries: usize,
    /// How old that is.
    #[serde(flatten)]
    pub freshness: Freshness,
    /// The names of the trusted keys.
    pub keys: Vec<KeyId>,
}

impl Verifier {
    /// A verifier without keys or list.
    ///
    /// # Errors
    /// [`Error::Options`] for the first option that is impossible.
    pub fn new(options: Options) -> Result<Self, Error> {
        options.check()?;
        Ok(Self { options, keys: KeySet::default() })
    }

    /// Trusts the keys of a JWK Set too, but for those that a loaded list dropped. Returns how many are new.
    ///
    /// # Errors
    /// [`Error::Jwks`], and nothing changed.
    pub fn add_jwks(&mut self, jwks: &str) -> Result<usize, Error> {
        let jwks = Jwks::parse(jwks)?;
        self.keys.add(&jwks).map_err(|reason| Error::Jwks { reason })
    }

    /// Takes in a list, snapshot or delta.
    ///
    /// # Errors
    /// Any of those of FORMAT.md §list; then nothing changed.
    pub fn load(&mut self, list: &str, at: HostTime) -> Result<Loaded, Error> {
        let _ = (list, at);
        Err(Error::ListMissing)
    }

    /// Checks an access token.
    ///
    /// # Errors
    /// One named error for each step of FORMAT.md.
    pub fn verify(&mut self, token: &str, at: HostTime) -> Result<Verified, Error> {
        let _ = (token, at, &self.options);
        Err(Error::ListMissing)
    }

    /// What is held.
    pub fn status(&self, at: HostTime) -> Status {
        let _ = at;
        Status {
            epoch: None,
            sequence: None,
            entries: 0,
            freshness: Freshness { as_of: None, age_secs: None, stale: true },
            keys: self.keys.trusted().iter().map(|key| key.kid()).collect(),
        }
    }
}
