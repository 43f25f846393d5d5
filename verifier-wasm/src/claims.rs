//! The claims of an access token: the claims of RFC 9068, a group and a session.

use std::borrow::Cow;

use serde::Serialize;

use crate::error::{ClaimFlaw, Error};
use crate::handle::Handle;
use crate::json::{self, BadMember, MemberFlaw, Members};
use crate::key_id::KeyId;
use crate::time::UnixSeconds;

/// The longest access token that is accepted, in characters.
pub const MAX_TOKEN_LEN: usize = 8192;

/// The longest subject, in bytes of UTF-8.
pub const MAX_SUBJECT_LEN: usize = 255;

/// The header's `typ` of an access token (RFC 9068 §2.1).
pub const ACCESS_TOKEN_TYPE: &str = "at+jwt";

/// The long form of [`ACCESS_TOKEN_TYPE`]. RFC 9068 §2.1 says to accept this form too.
pub const ACCESS_TOKEN_MEDIA_TYPE: &str = "application/at+jwt";

/// The claims that have a defined meaning here. Claims that an application adds must not have these names.
pub const REGISTERED_CLAIMS: [&str; 11] =
    ["aud", "client_id", "exp", "gid", "iat", "iss", "jti", "nbf", "scope", "sid", "sub"];

/// The claims of an access token that have a defined meaning here. Claims that an application added are only in the
/// payload's text. Their names are not in [`REGISTERED_CLAIMS`].
///
/// ```
/// use doorlist_verifier::error::ClaimFlaw;
/// use doorlist_verifier::{AccessTokenClaims, Error};
///
/// let payload = br#"{
///     "iss": "https://issuer.example", "sub": "alice", "aud": "api", "iat": 1767225540, "exp": 1767226440,
///     "jti": "token-1", "client_id": "web", "gid": "0000000000ab0001", "sid": "0000000000ab0002"
/// }"#;
/// let claims = AccessTokenClaims::decode(payload)?;
/// assert_eq!(claims.subject, "alice");
/// assert!(claims.audience.contains("api"));
///
/// let missing = Error::Claim { claim: "sub", reason: ClaimFlaw::Missing };
/// assert_eq!(AccessTokenClaims::decode(br#"{"iss": "https://issuer.example"}"#), Err(missing));
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccessTokenClaims {
    /// The issuer of the token.
    #[serde(rename = "iss")]
    pub issuer: String,
    /// The user: a text of 1 to 255 bytes.
    #[serde(rename = "sub")]
    pub subject: String,
    /// The audience of the token.
    #[serde(rename = "aud")]
    pub audience: Audience,
    /// The token is expired from this second on.
    #[serde(rename = "exp")]
    pub expires_at: UnixSeconds,
    /// The time of issue.
    #[serde(rename = "iat")]
    pub issued_at: UnixSeconds,
    /// The token is not valid before this second.
    #[serde(rename = "nbf", skip_serializing_if = "Option::is_none")]
    pub not_before: Option<UnixSeconds>,
    /// The token's identifier.
    #[serde(rename = "jti")]
    pub jwt_id: String,
    /// The client that the token was issued to (RFC 8693 §4.3).
    pub client_id: String,
    /// The handle of the subject's token group.
    pub gid: Handle,
    /// The handle of the token's session.
    pub sid: Handle,
    /// The scope (RFC 6749 §3.3), in the form of RFC 8693 §4.2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
}

impl AccessTokenClaims {
    /// Decodes the payload of a token.
    ///
    /// # Errors
    /// [`Error::Payload`] if the payload is not a JSON object with distinct names at every depth. [`Error::Claim`] for
    /// the first claim that is missing or malformed.
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

/// The data needed to check whether a token is revoked, after another library has verified the token. `kid` comes from
/// the token's header, and all other members come from the payload.
///
/// ```
/// use doorlist_verifier::{Error, VettedClaims};
///
/// let payload = br#"{
///     "iss": "https://issuer.example", "sub": "alice", "iat": 1767225540,
///     "gid": "0000000000ab0001", "sid": "0000000000ab0002"
/// }"#;
/// let claims = VettedClaims::decode(payload)?;
/// assert_eq!(claims.sid.to_string(), "0000000000ab0002");
/// assert_eq!(claims.kid, None);
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VettedClaims {
    /// The issuer of the token. A list contains only handles of its own issuer.
    pub issuer: String,
    /// The time of issue.
    pub issued_at: UnixSeconds,
    /// The handle of the subject's token group.
    pub gid: Handle,
    /// The handle of the token's session.
    pub sid: Handle,
    /// The identifier of the key that signed the token. `None` if the caller does not know the key. If an identifier is
    /// given, the verifier checks that it trusts this key.
    pub kid: Option<KeyId>,
}

impl VettedClaims {
    /// Decodes a JSON object with the members `iss`, `iat`, `gid` and `sid`, and optionally `kid`. Other members are
    /// ignored.
    ///
    /// # Errors
    /// The errors of [`AccessTokenClaims::decode`].
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

/// The audience of a token (RFC 7519 §4.1.3): a single name or an array of names.
///
/// ```
/// use doorlist_verifier::Audience;
///
/// let audience = Audience::Many(vec!["api".into(), "files".into()]);
/// assert!(audience.contains("files"));
/// assert_eq!(audience.names().join(" "), "api files");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Audience {
    /// The audience is a string in JSON.
    One(String),
    /// The audience is an array in JSON. It is never empty.
    Many(Vec<String>),
}

impl Audience {
    /// Whether the audience contains this name.
    pub fn contains(&self, name: &str) -> bool {
        match self {
            Self::One(one) => one == name,
            Self::Many(many) => many.iter().any(|one| one == name),
        }
    }

    /// All names of the audience.
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
