//! What a verifier answers.

use serde::Serialize;
use serde::ser::{SerializeStruct as _, Serializer};

use crate::claims::AccessTokenClaims;
use crate::cursor::{Epoch, Seq};
use crate::held::LoadOutcome;
use crate::keys::KeyId;
use crate::remembered::Terms;
use crate::time::UnixSeconds;

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
    /// What a [`Memory`](crate::remembered::Memory) keeps of it.
    pub terms: Terms,
}

/// What may be said otherwise of the same token another time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// What the list says of it.
    pub revocation: RevocationStatus,
    /// How old that knowledge is.
    pub freshness: Freshness,
    /// Whether it is past its `exp`, and accepted only because the issuer is not heard.
    pub outage: bool,
}

/// What the list says of a token that is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RevocationStatus {
    /// Neither its group nor its session is listed, and no cut-off is after it.
    NotRevoked,
    /// No list is held.
    Unknown,
}

impl RevocationStatus {
    /// Its name in an answer.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotRevoked => "not_revoked",
            Self::Unknown => "unknown",
        }
    }
}

impl Serialize for RevocationStatus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
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
    /// What the list continues from; absent of a snapshot.
    pub since: Option<Seq>,
    /// How many handles are held.
    pub entries: usize,
    /// Whether anything was new.
    pub outcome: LoadOutcome,
}

/// What a verifier holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The log's lineage.
    pub epoch: Option<Epoch>,
    /// The last entry that is held.
    pub sequence: Option<Seq>,
    /// How many handles are held.
    pub entries: usize,
    /// How old that is.
    pub freshness: Freshness,
    /// Seconds within which the issuer means to have a newer list.
    pub ttl_secs: Option<u64>,
    /// The names of the trusted keys.
    pub keys: Vec<KeyId>,
}

/// Flat, and by hand: `#[serde(flatten)]` is 2 KB of WebAssembly.
impl Serialize for Status {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut status = serializer.serialize_struct("Status", 8)?;
        status.serialize_field("epoch", &self.epoch)?;
        status.serialize_field("sequence", &self.sequence)?;
        status.serialize_field("entries", &self.entries)?;
        status.serialize_field("asOf", &self.freshness.as_of)?;
        status.serialize_field("age", &self.freshness.age_secs)?;
        status.serialize_field("stale", &self.freshness.stale)?;
        status.serialize_field("ttl", &self.ttl_secs)?;
        status.serialize_field("keys", &self.keys)?;
        status.end()
    }
}
