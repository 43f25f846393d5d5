//! What an access token says: RFC 9068 with a group and a session.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::error::{ClaimFlaw, Error};
use crate::handle::Handle;
use crate::json::{self, MemberFlaw, Members};
use crate::time::UnixSeconds;

/// The longest access token that is read, in characters.
pub const MAX_TOKEN_LEN: usize = 8192;

/// The longest subject, in bytes of UTF-8.
pub const MAX_SUBJECT_LEN: usize = 255;

/// The header's `typ` of an access token (RFC 9068 §2.1).
pub const ACCESS_TOKEN_TYPE: &str = "at+jwt";

/// Its long form, which RFC 9068 §2.1 says to accept too.
pub const ACCESS_TOKEN_MEDIA_TYPE: &str = "application/at+jwt";

/// The claims that have a meaning of their own here; a caller's own claims have other names.
pub const REGISTERED_CLAIMS: [&str; 11] =
    ["aud", "client_id", "exp", "gid", "iat", "iss", "jti", "nbf", "scope", "sid", "sub"];

/// The claims of an access token.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AccessTokenClaims {
    /// Who issued it.
    #[serde(rename = "iss")]
    pub issuer: String,
    /// The user: 1 to 255 bytes.
    #[serde(rename = "sub")]
    pub subject: String,
    /// Who it is for.
    #[serde(rename = "aud")]
    pub audience: Audience,
    /// It is void from this second on.
    #[serde(rename = "exp")]
    pub expires_at: UnixSeconds,
    /// When it was issued.
    #[serde(rename = "iat")]
    pub issued_at: UnixSeconds,
    /// It is not valid before this second.
    #[serde(rename = "nbf", skip_serializing_if = "Option::is_none")]
    pub not_before: Option<UnixSeconds>,
    /// Its own name.
    #[serde(rename = "jti")]
    pub jwt_id: String,
    /// The client it was issued to (RFC 8693 §4.3).
    pub client_id: String,
    /// The subject's token group.
    pub gid: Handle,
    /// The session it belongs to.
    pub sid: Handle,
    /// RFC 6749 §3.3, as RFC 8693 §4.2 writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The caller's own claims; none has a name of [`REGISTERED_CLAIMS`].
    #[serde(flatten)]
    pub custom: Map<String, Value>,
}

impl AccessTokenClaims {
    /// Reads the payload of a token.
    ///
    /// # Errors
    /// [`Error::Payload`] when it is not a JSON object with distinct names at every depth; [`Error::Claim`] for the
    /// first claim that is missing or malformed.
    pub fn decode(payload: &[u8]) -> Result<Self, Error> {
        let mut members = json::parse_object(payload).map_err(|_| Error::Payload)?;
        let members = &mut members;
        Ok(Self {
            issuer: claim("iss", members, Members::text)?,
            subject: claim("sub", members, Members::text).and_then(bounded_subject)?,
            audience: claim("aud", members, Audience::take)?,
            expires_at: claim("exp", members, Members::time)?,
            issued_at: claim("iat", members, Members::time)?,
            not_before: claim("nbf", members, |members, name| json::optional(members.time(name)))?,
            jwt_id: claim("jti", members, Members::text)?,
            client_id: claim("client_id", members, Members::text)?,
            gid: claim("gid", members, Members::parsed)?,
            sid: claim("sid", members, Members::parsed)?,
            scope: claim("scope", members, |members, name| json::optional(members.text(name)))?,
            custom: std::mem::take(&mut members.0),
        })
    }
}

fn claim<T>(
    claim: &'static str,
    members: &mut Members,
    take: impl FnOnce(&mut Members, &str) -> Result<T, MemberFlaw>,
) -> Result<T, Error> {
    take(members, claim).map_err(|flaw| {
        let reason = match flaw {
            MemberFlaw::Missing => ClaimFlaw::Missing,
            MemberFlaw::Invalid => ClaimFlaw::Invalid,
        };
        Error::Claim { claim, reason }
    })
}

fn bounded_subject(subject: String) -> Result<String, Error> {
    if subject.len() > MAX_SUBJECT_LEN {
        return Err(Error::Claim { claim: "sub", reason: ClaimFlaw::Invalid });
    }
    Ok(subject)
}

/// RFC 7519 §4.1.3: a single name or an array of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Audience {
    /// A string in JSON.
    One(String),
    /// An array in JSON; never empty.
    Many(Vec<String>),
}

impl Audience {
    /// Whether this name is one of them.
    pub fn contains(&self, name: &str) -> bool {
        match self {
            Self::One(one) => one == name,
            Self::Many(many) => many.iter().any(|one| one == name),
        }
    }

    fn take(members: &mut Members, name: &str) -> Result<Self, MemberFlaw> {
        match members.take(name)? {
            Value::String(one) if !one.is_empty() => Ok(Self::One(one)),
            Value::Array(many) if !many.is_empty() => many
                .into_iter()
                .map(|one| match one {
                    Value::String(one) if !one.is_empty() => Ok(one),
                    _ => Err(MemberFlaw::Invalid),
                })
                .collect::<Result<_, _>>()
                .map(Self::Many),
            _ => Err(MemberFlaw::Invalid),
        }
    }
}
