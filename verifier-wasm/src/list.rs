//! The revocation list. An issuer signs the list, and every verifier holds it.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::{Serialize, Serializer};

use crate::cursor::{Cursor, Epoch, Seq};
use crate::error::{Error, ListFlaw};
use crate::json::{self, BadMember, MemberFlaw, Members};
use crate::keys::Jwks;
use crate::time::UnixSeconds;

pub use crate::handle_set::{HandleSet, MalformedHandles};

/// The longest list that is accepted, in characters: 32 MiB.
pub const MAX_LIST_LEN: usize = 32 << 20;

/// The header's `typ` of a list. Because of this `typ`, a token is never read as a list, and a list is never read as a
/// token.
pub const LIST_TYPE: &str = "revocation-list+jwt";

/// The longest `ttl`, in seconds: a day.
pub const MAX_TTL_SECS: u64 = 86_400;
/// The longest `leeway`, in seconds: an hour.
pub const MAX_LEEWAY_SECS: u64 = 3_600;
/// The longest `retain`, in seconds: ten years of 365 days.
pub const MAX_RETAIN_SECS: u64 = 3_650 * 86_400;

/// The claims of a revocation list.
///
/// ```
/// use doorlist_verifier::{Epoch, Handle, HandleSet, RevocationList, Seq, UnixSeconds};
///
/// // A delta that revokes one session.
/// let delta = RevocationList {
///     issuer: "https://issuer.example".into(),
///     issued_at: UnixSeconds::saturating_new(1_767_225_600),
///     ttl_secs: 10,
///     retain_secs: 1020,
///     leeway_secs: 60,
///     epoch: Epoch(1),
///     seq: Seq::new(101).unwrap(),
///     since: Seq::new(100),
///     cutoff: UnixSeconds::ZERO,
///     jwks: None,
///     revoked: HandleSet::from_handles(Handle::new(0xab_0002)),
/// };
/// let payload = serde_json::to_vec(&delta)?;
/// assert_eq!(RevocationList::decode(&payload)?, delta);
/// assert_eq!(delta.cursor().to_string(), "0000000000000001:101");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RevocationList {
    /// The issuer of the list.
    #[serde(rename = "iss")]
    pub issuer: String,
    /// The time at which the list was complete, by the clock of the issuer's store.
    #[serde(rename = "iat")]
    pub issued_at: UnixSeconds,
    /// A verifier should get a newer list within this many seconds: 1 to [`MAX_TTL_SECS`].
    #[serde(rename = "ttl")]
    pub ttl_secs: u64,
    /// The issuer keeps an entry for this many seconds, 1 to [`MAX_RETAIN_SECS`]. If a token was issued more than this
    /// many seconds before the as-of time, the token counts as expired.
    #[serde(rename = "retain")]
    pub retain_secs: u64,
    /// The largest clock tolerance that a verifier may use, in seconds. At most [`MAX_LEEWAY_SECS`].
    #[serde(rename = "leeway")]
    pub leeway_secs: u64,
    /// The identifier of the revocation log.
    pub epoch: Epoch,
    /// The sequence number of the last entry included.
    pub seq: Seq,
    /// A delta contains all entries after this sequence number. A snapshot has no such number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Seq>,
    /// Tokens issued before this time are invalid. Zero if there is no cut-off.
    pub cutoff: UnixSeconds,
    /// The trusted public keys. Every snapshot contains them. A delta contains them if the keys changed after `since`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks: Option<Jwks>,
    /// The revoked handles.
    #[serde(serialize_with = "base64url")]
    pub revoked: HandleSet,
}

impl RevocationList {
    /// The position in the revocation log up to which this list contains all entries.
    pub const fn cursor(&self) -> Cursor {
        Cursor { epoch: self.epoch, seq: self.seq }
    }

    /// Decodes the payload of a list. Claims with other names are ignored (RFC 7519 §4).
    ///
    /// # Errors
    /// [`Error::ListInvalid`] if the payload is not a JSON object with distinct names. The same error if a claim is
    /// missing, malformed or out of range. The same error if the `since` of a delta is after the delta's sequence
    /// number, or if a snapshot has no keys.
    pub fn decode(payload: &[u8]) -> Result<Self, Error> {
        let members = json::parse_object(payload)
            .map_err(|_| Error::ListInvalid { reason: ListFlaw::Payload, claim: None })?;
        let list = Self::read(&members).map_err(|BadMember { name, flaw }| {
            let reason = match flaw {
                MemberFlaw::Missing => ListFlaw::Missing,
                MemberFlaw::Invalid => ListFlaw::Malformed,
            };
            refused(reason, name)
        })?;
        if list.since.is_some_and(|since| since > list.seq) {
            return Err(refused(ListFlaw::Malformed, "since"));
        }
        match &list.jwks {
            Some(jwks) if jwks.keys.is_empty() => Err(refused(ListFlaw::Malformed, "jwks")),
            None if list.since.is_none() => Err(refused(ListFlaw::Missing, "jwks")),
            _ => Ok(list),
        }
    }

    fn read(members: &Members<'_>) -> Result<Self, BadMember> {
        Ok(Self {
            issuer: members.text("iss")?.into_owned(),
            issued_at: members.time("iat")?,
            ttl_secs: at_least_one(members, "ttl", MAX_TTL_SECS)?,
            retain_secs: at_least_one(members, "retain", MAX_RETAIN_SECS)?,
            leeway_secs: members.integer("leeway", MAX_LEEWAY_SECS)?,
            epoch: members.parsed("epoch")?,
            seq: sequence(members, "seq")?,
            since: json::optional(sequence(members, "since"))?,
            cutoff: members.time("cutoff")?,
            jwks: json::optional(Jwks::read(members, "jwks"))?,
            revoked: handles(members, "revoked")?,
        })
    }
}

const fn refused(reason: ListFlaw, claim: &'static str) -> Error {
    Error::ListInvalid { reason, claim: Some(claim) }
}

fn at_least_one(members: &Members<'_>, name: &'static str, max: u64) -> Result<u64, BadMember> {
    match members.integer(name, max)? {
        0 => Err(BadMember::invalid(name)),
        number => Ok(number),
    }
}

fn sequence(members: &Members<'_>, name: &'static str) -> Result<Seq, BadMember> {
    let number = members.integer(name, Seq::MAX.get())?;
    Seq::new(number).ok_or(BadMember::invalid(name))
}

fn handles(members: &Members<'_>, name: &'static str) -> Result<HandleSet, BadMember> {
    // The text may be empty, because a list may contain no handles. For example, a heartbeat is a delta without
    // entries.
    let text = members.value(name)?.text().ok_or(BadMember::invalid(name))?;
    let bytes = Base64UrlUnpadded::decode_vec(&text).map_err(|_| BadMember::invalid(name))?;
    HandleSet::decode(bytes).map_err(|_| BadMember::invalid(name))
}

fn base64url<S: Serializer>(set: &HandleSet, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&Base64UrlUnpadded::encode_string(set.as_bytes()))
}
