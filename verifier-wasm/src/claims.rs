//! What an access token says: RFC 9068 with a group and a session.

use std::borrow::Cow;

use serde::Serialize;

use crate::error::{ClaimFlaw, Error};
use crate::handle::Handle;
use crate::json::{self, BadMember, MemberFlaw, Members};
use crate::keys::KeyId;
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

/// The claims of an access token that have a meaning here. The caller's own are in the signed text beside them, where
/// whoever gave them a meaning may read them; none has a name of [`REGISTERED_CLAIMS`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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
}

impl AccessTokenClaims {
    /// Reads the payload of a token.
    ///
    /// # Errors
    /// [`Error::Payload`] when it is not a JSON object with distinct names at every depth; [`Error::Claim`] for the
    /// first claim that is missing or malformed.
    pub fn decode(payload: &[u8]) -> Result<Self, Error> {
        let members = json::parse_object(payload).map_err(|_| Error::Payload)?;
        Self::read(&members).map_err(refused)
    }

    fn read(members: &Members<'_>) -> Result<Self, BadMember> {
        let text = |name| members.text(name).map(Cow::into_owned);
        Ok(Self {
            issuer: text("iss")?,
            subject: text("sub").and_then(bounded_subject)?,
            audience: Audience::read(members, "aud")?,
            expires_at: members.time("exp")?,
            issued_at: members.time("iat")?,
            not_before: json::optional(members.time("nbf"))?,
            jwt_id: text("jti")?,
            client_id: text("client_id")?,
            gid: members.parsed("gid")?,
            sid: members.parsed("sid")?,
            scope: json::optional(text("scope"))?,
        })
    }
}

/// What of a token that somebody else verified is asked of a list: of its payload all but `kid`, which its header has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VettedClaims {
    /// Who issued it: a list knows nothing of another issuer's handles.
    pub issuer: String,
    /// When it was issued.
    pub issued_at: UnixSeconds,
    /// The subject's token group.
    pub gid: Handle,
    /// The session it belongs to.
    pub sid: Handle,
    /// The key that signed it, where that is known: it may have been dropped since.
    pub kid: Option<KeyId>,
}

impl VettedClaims {
    /// Reads an object of these, under the names that tokens have for them. Others are ignored.
    ///
    /// # Errors
    /// As [`AccessTokenClaims::decode`].
    pub fn decode(claims: &[u8]) -> Result<Self, Error> {
        let members = json::parse_object(claims).map_err(|_| Error::Payload)?;
        Self::read(&members).map_err(refused)
    }

    fn read(members: &Members<'_>) -> Result<Self, BadMember> {
        Ok(Self {
            issuer: members.text("iss")?.into_owned(),
            issued_at: members.time("iat")?,
            gid: members.parsed("gid")?,
            sid: members.parsed("sid")?,
            kid: json::optional(members.parsed("kid"))?,
        })
    }
}

fn refused(BadMember { name: claim, flaw }: BadMember) -> Error {
    let reason = match flaw {
        MemberFlaw::Missing => ClaimFlaw::Missing,
        MemberFlaw::Invalid => ClaimFlaw::Invalid,
    };
    Error::Claim { claim, reason }
}

fn bounded_subject(subject: String) -> Result<String, BadMember> {
    if subject.len() > MAX_SUBJECT_LEN { Err(BadMember::invalid("sub")) } else { Ok(subject) }
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

    /// All of them.
    pub const fn names(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many.as_slice(),
        }
    }

    fn read(members: &Members<'_>, name: &'static str) -> Result<Self, BadMember> {
        let value = members.value(name)?;
        let Some(items) = value.items() else {
            return members.text(name).map(|one| Self::One(one.into_owned()));
        };
        let name_of = |item: json::Value<'_>| item.text().filter(|one| !one.is_empty()).map(Cow::into_owned);
        let many: Option<Vec<String>> = items.map(name_of).collect();
        many.filter(|many| !many.is_empty()).map(Self::Many).ok_or(BadMember::invalid(name))
    }
}
