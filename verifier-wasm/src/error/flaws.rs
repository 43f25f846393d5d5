//! The reasons inside an error, each with its half of the sentence.

use std::fmt;

use serde::Serialize;

/// Where a text stops being a compact JWS of this profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FormFlaw {
    /// Not three parts with dots between them.
    #[error("not a signed token: it must have three parts with dots between them")]
    Parts,
    /// A part is not unpadded base64url in its one spelling.
    #[error(
        "not a signed token: a part is not base64url without padding; it was cut off or changed on its way"
    )]
    Encoding,
    /// The header is not a JSON object of exactly `alg`, `typ` and `kid`, each a string, each once.
    #[error("not a token of this kind of issuer: its header must have exactly `alg`, `typ` and `kid`")]
    Header,
    /// The scheme of an `Authorization` header stands before the token (RFC 6750 §2.1).
    #[error("the token begins with `Bearer`: pass only what follows it")]
    Scheme,
    /// Quotes stand around the token.
    #[error("the token stands in quotes: pass it without them")]
    Quotes,
    /// White space stands around the token.
    #[error("white space stands around the token: trim it")]
    WhiteSpace,
    /// The header's `kid` cannot be an RFC 7638 thumbprint.
    #[error("not a token of this kind of issuer: the `kid` of its header is not an RFC 7638 thumbprint")]
    KeyId,
}

/// What is wrong with a claim; `jose`'s words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimFlaw {
    /// It is mandatory.
    #[error("is missing")]
    Missing,
    /// Wrong type, empty, or out of range.
    #[error("has the wrong type or is out of range")]
    Invalid,
    /// Well-formed, but not for this verifier or this time.
    #[error("does not fit")]
    CheckFailed,
}

/// What revoked a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RevokedBy {
    /// Its subject's group.
    Gid,
    /// Its session.
    Sid,
    /// It was issued before the cut-off.
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

/// What is wrong with a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ListFlaw {
    /// Longer than [`crate::list::MAX_LIST_LEN`].
    #[error("the revocation list is too long")]
    TooLong,
    /// Not a compact JWS of this profile.
    #[error("not a revocation list: it must be a signed token of three parts")]
    Form,
    /// The header's `typ` is not that of a list.
    #[error("not a revocation list: the `typ` of its header says otherwise")]
    Type,
    /// The payload is not a JSON object with distinct names.
    #[error("the payload of the revocation list is not a JSON object with distinct names")]
    Payload,
    /// A claim is missing.
    #[error("the revocation list lacks the claim")]
    Missing,
    /// A claim has the wrong type or is out of range.
    #[error("the revocation list has the wrong type, or a value out of range, in the claim")]
    Malformed,
    /// Another `iss` than the verifier's.
    #[error("the revocation list is from another issuer than expected, by its claim")]
    Issuer,
    /// Its `iat` is more than a day ahead of the host's clock.
    #[error("the revocation list is more than a day ahead of this clock, by its claim")]
    Future,
}

/// What is wrong with a key or a set of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyFlaw {
    /// Not a JSON object with an array `keys` of objects, names distinct.
    #[error("not a JWK Set: a JSON object with an array `keys` is expected")]
    Form,
    /// A private key does not belong into a verifier.
    #[error("the key set holds a private key: remove it, and replace that key")]
    Private,
    /// `x` is not 32 bytes of canonical base64url, or not a point of the curve.
    #[error("the key set holds a key that is not a point of the curve")]
    Point,
    /// A key of small order fits signatures that nobody made.
    #[error("the key set holds a key of small order, which forged signatures fit")]
    SmallOrder,
    /// `kid` is missing or is not the key's RFC 7638 thumbprint.
    #[error("the key set holds a key whose `kid` is not its RFC 7638 thumbprint")]
    KeyId,
    /// More than [`crate::keys::MAX_KEYS`].
    #[error("the key set is too long, or has too many keys")]
    TooMany,
}
