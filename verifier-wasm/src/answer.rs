//! The results of a verifier.

use serde::Serialize;
use serde::ser::{SerializeStruct as _, Serializer};

use crate::claims::AccessTokenClaims;
use crate::cursor::{Epoch, Seq};
use crate::held::LoadOutcome;
use crate::key_id::KeyId;
use crate::terms::Terms;
use crate::time::UnixSeconds;

/// The result for an accepted token.
///
/// ```
/// use doorlist_verifier::RevocationStatus;
///
/// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verifier/support.rs")); }
/// # use support::*;
/// # let token = Key::number(1).token(&claims_with(serde_json::json!({ "plan": "gold" })));
/// # let (mut verifier, now) = (ready(), at(NOW));
/// let verified = verifier.verify(&token, now)?;
/// assert_eq!(verified.claims.subject, "alice");
/// assert_eq!(verified.revocation, RevocationStatus::NotRevoked);
/// assert!(!verified.freshness.stale && !verified.outage);
///
/// // A claim that the issuer's application added to the token.
/// let payload: serde_json::Value = serde_json::from_str(&verified.payload_json)?;
/// assert_eq!(payload["plan"], "gold");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Verified {
    /// The JSON text of the signed header.
    pub header_json: String,
    /// The JSON text of the signed payload: one object with distinct names.
    pub payload_json: String,
    /// The decoded payload.
    pub claims: AccessTokenClaims,
    /// The result of the revocation check.
    pub revocation: RevocationStatus,
    /// The age of the verifier's list.
    pub freshness: Freshness,
    /// Whether the token is past its `exp` and was accepted only because of an outage of the issuer.
    pub outage: bool,
    /// The data that a [`Memory`](crate::remembered::Memory) keeps for this token.
    pub terms: Terms,
}

/// The part of a result that can change between two checks of one token.
///
/// ```
/// use doorlist_verifier::{Error, RevocationStatus, VettedClaims};
///
/// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verifier/support.rs")); }
/// # use support::*;
/// # let (verifier, now, payload) = (ready(), at(NOW), text(&claims()));
/// // `payload` is the payload of a token that another library verified.
/// let standing = verifier.check_vetted(&VettedClaims::decode(payload.as_bytes())?, now)?;
/// assert_eq!(standing.revocation, RevocationStatus::NotRevoked);
/// assert_eq!(standing.freshness.age_secs, Some(10));
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// The result of the revocation check.
    pub revocation: RevocationStatus,
    /// The age of the verifier's list.
    pub freshness: Freshness,
    /// Whether the token is past its `exp` and was accepted only because of an outage of the issuer.
    pub outage: bool,
}

/// The result of the revocation check for an accepted token.
///
/// ```
/// use doorlist_verifier::{Error, MissingListPolicy, Options, RevocationStatus, Verifier};
///
/// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verifier/support.rs")); }
/// # use support::*;
/// # let (jwks, token, now) = (jwks_text(&[1]), Key::number(1).token(&claims()), at(NOW));
/// let options = Options::new("https://issuer.example", Some(vec!["api".into()]));
/// let mut verifier = Verifier::new(Options { on_missing: MissingListPolicy::Allow, ..options })?;
/// verifier.add_jwks(&jwks)?;
///
/// let verified = verifier.verify(&token, now)?;
/// assert_eq!(verified.revocation, RevocationStatus::Unknown, "no list was loaded yet");
/// assert_eq!(verified.revocation.name(), "unknown");
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RevocationStatus {
    /// The list contains neither the token's group nor the token's session, and the token was not issued before a
    /// cut-off.
    NotRevoked,
    /// The verifier holds no list.
    Unknown,
}

impl RevocationStatus {
    /// The name of this status in JSON.
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
///
/// ```
/// use doorlist_verifier::Error;
///
/// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verifier/support.rs")); }
/// # use support::*;
/// # let (mut verifier, list, now) = (verifier(), Key::number(1).list(&snapshot()), at(NOW));
/// assert!(verifier.status(now).freshness.stale, "no list was loaded yet");
///
/// verifier.load(&list, now)?;
/// let freshness = verifier.status(now).freshness;
/// assert_eq!((freshness.age_secs, freshness.stale), (Some(10), false));
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Freshness {
    /// The greatest `iat` of all lists accepted so far.
    pub as_of: Option<UnixSeconds>,
    /// Seconds since `as_of`.
    #[serde(rename = "age")]
    pub age_secs: Option<u64>,
    /// Whether the age exceeds the limit of the policy. Also true if the verifier holds no list.
    pub stale: bool,
}

/// The result of loading a list.
///
/// ```
/// use doorlist_verifier::{Cursor, Error};
///
/// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verifier/support.rs")); }
/// # use support::*;
/// # let (mut verifier, list, now) = (verifier(), Key::number(1).list(&snapshot()), at(NOW));
/// let loaded = verifier.load(&list, now)?;
/// assert_eq!((loaded.since, loaded.entries), (None, 0), "a snapshot without revocations");
///
/// // The query for the next delta.
/// let cursor = Cursor { epoch: loaded.epoch, seq: loaded.sequence };
/// assert_eq!(format!("/revocations?since={cursor}"), "/revocations?since=0000000000000001:100");
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Loaded {
    /// The identifier of the revocation log.
    pub epoch: Epoch,
    /// The sequence number of the last entry that the verifier holds.
    pub sequence: Seq,
    /// The sequence number after which a delta begins. Absent for a snapshot.
    pub since: Option<Seq>,
    /// The number of handles that the verifier holds.
    pub entries: usize,
    /// Whether the list changed the verifier.
    pub outcome: LoadOutcome,
}

/// The list and keys that a verifier holds.
///
/// ```
/// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verifier/support.rs")); }
/// # use support::*;
/// # let (verifier, now) = (ready(), at(NOW));
/// // The body of a health check.
/// let status = serde_json::to_value(verifier.status(now))?;
/// assert_eq!(status["epoch"], "0000000000000001");
/// assert_eq!(status["sequence"], 100);
/// assert_eq!(status["age"], 10);
/// assert_eq!(status["stale"], false);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The identifier of the revocation log.
    pub epoch: Option<Epoch>,
    /// The sequence number of the last entry that the verifier holds.
    pub sequence: Option<Seq>,
    /// The number of handles that the verifier holds.
    pub entries: usize,
    /// The age of the list.
    pub freshness: Freshness,
    /// The issuer intends to publish a newer list within this many seconds.
    pub ttl_secs: Option<u64>,
    /// The `kid`s of the trusted keys.
    pub keys: Vec<KeyId>,
}

/// All members are in one JSON object: the members of `freshness` are not nested. This code is written by hand, because
/// `#[serde(flatten)]` costs 2 KB of WebAssembly.
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
