//! The reasons that errors contain. Each reason has its own part of the error's message.

use std::fmt;

use serde::Serialize;

/// The reason why a text is not a compact JWS of this profile.
///
/// ```
/// use doorlist_verifier::Error;
/// use doorlist_verifier::error::FormFlaw;
///
/// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verifier/support.rs")); }
/// # use support::*;
/// # let (mut verifier, now) = (ready(), at(NOW));
/// # let authorization = format!("Bearer {}", Key::number(1).token(&claims()));
/// // The service passed the whole `Authorization` header instead of the token.
/// let error = verifier.verify(&authorization, now).unwrap_err();
/// assert_eq!(error, Error::Form { reason: FormFlaw::Scheme });
/// assert_eq!(error.to_string(), "the token begins with `Bearer`: pass only the text after `Bearer`");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FormFlaw {
    /// The text does not consist of three parts with dots between them.
    #[error("not a signed token: it must have three parts with dots between them")]
    Parts,
    /// A part is not canonical base64url without padding. Each sequence of bytes has exactly one canonical spelling.
    #[error(
        "not a signed token: a part is not base64url without padding; it was cut off or changed in transit"
    )]
    Encoding,
    /// The header is longer than 1,024 characters, or is not a JSON object with exactly the members `alg`, `typ` and
    /// `kid`. Each member must be a string and must occur once.
    #[error(
        "not a token of this kind of issuer: the header of the token must have exactly `alg`, `typ` and `kid`"
    )]
    Header,
    /// The text begins with the scheme of an `Authorization` header (RFC 6750 §2.1), and the token follows.
    #[error("the token begins with `Bearer`: pass only the text after `Bearer`")]
    Scheme,
    /// The token is in quotes.
    #[error("the token is in quotes: remove the quotes")]
    Quotes,
    /// White space surrounds the token.
    #[error("the token has white space around it: remove the white space")]
    WhiteSpace,
    /// The header's `kid` does not have the form of an RFC 7638 thumbprint.
    #[error(
        "not a token of this kind of issuer: the `kid` of the token's header is not an RFC 7638 thumbprint"
    )]
    KeyId,
}

/// The reason why a claim is refused. The names of the reasons come from the library `jose`.
///
/// ```
/// use doorlist_verifier::Error;
/// use doorlist_verifier::error::ClaimFlaw;
///
/// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verifier/support.rs")); }
/// # use support::*;
/// # let (mut verifier, list, now) = (ready(), Key::number(1).list(&snapshot()), at(NOW));
/// // A revocation list is signed by the same issuer, but is not an access token.
/// let error = verifier.verify(&list, now).unwrap_err();
/// assert_eq!(error, Error::Type { claim: "typ", reason: ClaimFlaw::CheckFailed });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ClaimFlaw {
    /// The claim is mandatory, but missing.
    #[error("is missing")]
    Missing,
    /// The claim has the wrong type, is empty, or is out of range.
    #[error("has the wrong type or is out of range")]
    Invalid,
    /// The claim is well-formed, but its value does not fit this verifier or the current time.
    #[error("does not fit")]
    CheckFailed,
}

/// The reason why a token is revoked.
///
/// ```
/// use doorlist_verifier::Error;
/// use doorlist_verifier::error::RevokedBy;
///
/// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verifier/support.rs")); }
/// # use support::*;
/// # let revocation = doorlist_verifier::RevocationList { revoked: revoking(&[SID]), ..delta(100, 101) };
/// # let (mut verifier, now) = (ready(), at(NOW));
/// # let (delta, token) = (Key::number(1).list(&revocation), Key::number(1).token(&claims()));
/// // `delta` revokes the token's session.
/// verifier.load(&delta, now)?;
/// let error = verifier.verify(&token, now).unwrap_err();
/// assert!(matches!(error, Error::Revoked { by: RevokedBy::Sid, .. }));
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RevokedBy {
    /// The subject's group is on the list.
    Gid,
    /// The token's session is on the list.
    Sid,
    /// The token was issued before the cut-off.
    Cutoff,
}

impl fmt::Display for RevokedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gid => "'s group is on the revocation list",
            Self::Sid => "'s session is on the revocation list",
            Self::Cutoff => " was issued before the cut-off",
        })
    }
}

/// The reason why a list is refused.
///
/// ```
/// use doorlist_verifier::Error;
/// use doorlist_verifier::error::ListFlaw;
///
/// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verifier/support.rs")); }
/// # use support::*;
/// # let (mut verifier, now) = (verifier(), at(NOW));
/// # let other = doorlist_verifier::RevocationList { issuer: "https://other.example".into(), ..snapshot() };
/// # let list = Key::number(1).list(&other);
/// // `list` is signed with a trusted key, but names another issuer.
/// let error = verifier.load(&list, now).unwrap_err();
/// assert_eq!(error, Error::ListInvalid { reason: ListFlaw::Issuer, claim: Some("iss") });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ListFlaw {
    /// The list is longer than [`crate::list::MAX_LIST_LEN`].
    #[error("the revocation list is too long")]
    TooLong,
    /// The list is not a compact JWS of this profile.
    #[error("not a revocation list: it must be a signed token of three parts")]
    Form,
    /// The header's `typ` is not the `typ` of a list.
    #[error("not a revocation list: its header has another `typ`")]
    Type,
    /// The payload is not a JSON object with distinct names.
    #[error("the payload of the revocation list is not a JSON object with distinct names")]
    Payload,
    /// A claim is missing.
    #[error("the revocation list lacks the claim")]
    Missing,
    /// A claim has the wrong type or is out of range.
    #[error("the revocation list has a value of the wrong type or out of range, in the claim")]
    Malformed,
    /// The list's `iss` differs from the verifier's issuer.
    #[error("the revocation list names an unexpected issuer in its claim")]
    Issuer,
    /// The list's `iat` is more than a day ahead of the host's clock.
    #[error("the revocation list has a time more than a day ahead of this clock, in its claim")]
    Future,
}

/// The reason why a key or a key set is refused.
///
/// ```
/// use doorlist_verifier::error::KeyFlaw;
/// use doorlist_verifier::{Error, Jwks, PublicKey};
///
/// assert_eq!(Jwks::parse("[]"), Err(Error::Jwks { reason: KeyFlaw::Form }));
///
/// // The neutral element of the curve. Signatures for this key can be forged.
/// let mut bytes = [0; 32];
/// bytes[0] = 1;
/// assert_eq!(PublicKey::from_bytes(&bytes), Err(KeyFlaw::SmallOrder));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum KeyFlaw {
    /// The text is not a JSON object with distinct names and an array `keys` of objects.
    #[error("not a JWK Set: a JSON object with an array `keys` is expected")]
    Form,
    /// The set contains a private key. A verifier must not get a private key.
    #[error("the key set holds a private key: remove the private key, and replace it with a new key")]
    Private,
    /// `x` is not 32 bytes of canonical base64url, or the 32 bytes are not a point of the curve.
    #[error("the key set holds a key that is not a point of the curve")]
    Point,
    /// The key has small order, so signatures for this key can be forged.
    #[error("the key set holds a key of small order, for which signatures can be forged: remove this key")]
    SmallOrder,
    /// `kid` is missing or is not the key's RFC 7638 thumbprint.
    #[error("the key set holds a key whose `kid` is not its RFC 7638 thumbprint")]
    KeyId,
    /// The set is too long, or there are more keys than [`crate::keys::MAX_KEYS`].
    #[error("the key set is too long, or has too many keys")]
    TooMany,
}
