//! The results of a verifier.

use serde::Serialize;
use serde::ser::{SerializeStruct as _, Serializer};

use crate::claims::AccessTokenClaims;
use crate::cursor::{Epoch, Seq};
use crate::held::LoadOutcome;
use crate::keys::KeyId;
use crate::remembered::Terms;
use crate::time::UnixSeconds;

/// The result for an accepted token.
#[derive(Debug, Clone, PartialEq)]
pub struct Verified {
    /// The header, as it was signed.
    pub header_json: String,
    /// The payload, as it was signed: one JSON object with distinct names.
    pub payload_json: String,
    /// The decoded payload.
    pub claims: AccessTokenClaims,
    /// The result of the revocation check.
    pub revocation: RevocationStatus,
    /// The age of the list used.
    pub freshness: Freshness,
    /// Whether the token is past its `exp` and was accepted only because of an outage of the issuer.
    pub outage: bool,
    /// The data that a [`Memory`](crate::remembered::Memory) keeps for this token.
    pub terms: Terms,
}

/// The part of a result that can change between two checks of one token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The result of the revocation check.
    pub revocation: RevocationStatus,
    /// The age of the list used.
    pub freshness: Freshness,
    /// Whether the token is past its `exp` and was accepted only because of an outage of the issuer.
    pub outage: bool,
}

/// The result of the revocation check for an accepted token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RevocationStatus {
    /// Neither the token's group nor its session is on the list, and it was not issued before a cut-off.
    NotRevoked,
    /// No list is held.
    Unknown,
}

impl RevocationStatus {
    /// The name used in a result.
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

/// The age of the verifier's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Freshness {
    /// The greatest `iat` of all lists accepted so far.
    pub as_of: Option<UnixSeconds>,
    /// Seconds since `as_of`.
    #[serde(rename = "age")]
    pub age_secs: Option<u64>,
    /// Whether the age exceeds the limit of the policy; true if no list is held.
    pub stale: bool,
}

/// The result of loading a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Loaded {
    /// The identifier of the revocation log.
    pub epoch: Epoch,
    /// The sequence number of the last entry held.
    pub sequence: Seq,
    /// The sequence number that a delta continues from; absent for a snapshot.
    pub since: Option<Seq>,
    /// The number of handles held.
    pub entries: usize,
    /// Whether the list brought anything new.
    pub outcome: LoadOutcome,
}

/// The list and keys that a verifier holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The identifier of the revocation log.
    pub epoch: Option<Epoch>,
    /// The sequence number of the last entry held.
    pub sequence: Option<Seq>,
    /// The number of handles held.
    pub entries: usize,
    /// The age of the list.
    pub freshness: Freshness,
    /// Seconds within which the issuer intends to publish a newer list.
    pub ttl_secs: Option<u64>,
    /// The `kid`s of the trusted keys.
    pub keys: Vec<KeyId>,
}

/// Flat, and written by hand, because `#[serde(flatten)]` costs 2 KB of WebAssembly.
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
