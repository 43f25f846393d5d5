//! Why a token, list, key set or option was refused: one named error each, with evidence and a stable code.

use std::fmt;

use serde::Serialize;

use crate::cursor::{Cursor, Epoch, Seq};
use crate::handle::Handle;
use crate::time::UnixSeconds;

/// Every way in which the verifier says no.
///
/// No variant holds any part of a token or list but numbers, handles and key ids: an error may be logged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
pub enum Error {
    /// The text is longer than its kind may be; nothing of it was read.
    #[error("{length} characters, where {limit} are allowed")]
    TooLong {
        /// Bytes of the text.
        length: usize,
        /// The most that is read.
        limit: usize,
    },
    /// Not a compact JWS (RFC 7515 §7.1) with a header of this profile.
    #[error("not a signed token of this profile: {reason}")]
    Form {
        /// What is wrong.
        reason: FormFlaw,
    },
    /// The header's `alg` is not `EdDSA` or `Ed25519`.
    #[error("the signature algorithm is not EdDSA or Ed25519")]
    Algorithm,
    /// No trusted key has this `kid`.
    #[error("no trusted key has the id {kid}")]
    UnknownKey {
        /// RFC 7638 thumbprint, as the header names it.
        kid: crate::keys::KeyId,
    },
    /// The signature does not fit the text and the key.
    #[error("the signature is not that of the named key")]
    Signature,
    /// The payload is not one JSON object with one meaning.
    #[error("the payload is not a JSON object with distinct names")]
    Payload,
    /// A claim is missing, has no valid form, or says something that does not fit here.
    #[error("the claim `{claim}` {reason}")]
    Claim {
        /// Its name; `typ` is the header's.
        claim: &'static str,
        /// What is wrong with it.
        reason: ClaimFlaw,
    },
    /// The token's time is over.
    #[error("expired at {expires_at}, now it is {now}")]
    Expired {
        /// The token's `exp`, or, where that is earlier, the last moment its issuer keeps revocations of it.
        expires_at: UnixSeconds,
        /// The verifier's time.
        now: UnixSeconds,
    },
    /// The token was taken back.
    #[error("revoked by {by}, says the list of {as_of}")]
    Revoked {
        /// What names the token.
        by: RevokedBy,
        /// The handle that is listed; absent for a cut-off.
        #[serde(skip_serializing_if = "Option::is_none")]
        handle: Option<Handle>,
        /// Age mark of the held list.
        as_of: UnixSeconds,
    },
    /// No list was loaded yet, and the policy is to deny then.
    #[error("no revocation list is held")]
    ListMissing,
    /// The held list is older than the policy allows.
    #[error("the revocation list is {age} s old, {max_staleness} s are allowed")]
    ListStale {
        /// Age mark of the held list.
        as_of: UnixSeconds,
        /// Seconds since then.
        age: u64,
        /// Seconds that are allowed.
        max_staleness: u64,
    },
    /// The list is malformed, of another issuer, or from the future.
    #[error("not a revocation list for this verifier: {reason}")]
    ListInvalid {
        /// What is wrong.
        reason: ListFlaw,
        /// The claim it is about, where it is one.
        #[serde(skip_serializing_if = "Option::is_none")]
        claim: Option<&'static str>,
    },
    /// The list is older than the one that is held; nothing new.
    #[error("an older list than the one held: {offered_sequence} of {offered_epoch}")]
    ListRollback {
        /// Lineage of the held list.
        held_epoch: Epoch,
        /// Sequence of the held list.
        held_sequence: Seq,
        /// Lineage of the refused one.
        offered_epoch: Epoch,
        /// Sequence of the refused one.
        offered_sequence: Seq,
    },
    /// The list is a delta that does not reach back to what is held: a snapshot is needed.
    #[error("the list continues from {since}, which is not held: a snapshot is needed")]
    ListGap {
        /// Where the delta begins.
        since: Seq,
        /// What is held.
        #[serde(skip_serializing_if = "Option::is_none")]
        held: Option<Cursor>,
    },
    /// The key set is malformed or holds a key that must not be trusted.
    #[error("not a usable key set: {reason}")]
    Jwks {
        /// What is wrong.
        reason: KeyFlaw,
    },
    /// An option is unknown, missing, or impossible.
    #[error("the option `{option}` {reason}")]
    Options {
        /// Its name in the JavaScript surface.
        option: &'static str,
        /// What it has to be.
        reason: &'static str,
    },
}

impl Error {
    /// The stable code: those of `jose` where the meaning is the same.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLong { .. } | Self::Form { .. } => "ERR_JWS_INVALID",
            Self::Algorithm => "ERR_JOSE_ALG_NOT_ALLOWED",
            Self::UnknownKey { .. } => "ERR_JWKS_NO_MATCHING_KEY",
            Self::Signature => "ERR_JWS_SIGNATURE_VERIFICATION_FAILED",
            Self::Payload => "ERR_JWT_INVALID",
            Self::Claim { .. } => "ERR_JWT_CLAIM_VALIDATION_FAILED",
            Self::Expired { .. } => "ERR_JWT_EXPIRED",
            Self::Revoked { .. } => "ERR_JWT_REVOKED",
            Self::ListMissing => "ERR_LIST_MISSING",
            Self::ListStale { .. } => "ERR_LIST_STALE",
            Self::ListInvalid { .. } => "ERR_LIST_INVALID",
            Self::ListRollback { .. } => "ERR_LIST_ROLLBACK",
            Self::ListGap { .. } => "ERR_LIST_GAP",
            Self::Jwks { .. } => "ERR_JWKS_INVALID",
            Self::Options { .. } => "ERR_OPTIONS_INVALID",
        }
    }

    /// Code, message and evidence, as JavaScript gets them.
    pub fn report(&self) -> ErrorReport<'_> {
        ErrorReport { code: self.code(), message: self.to_string(), evidence: self }
    }
}

/// See [`Error::report`].
#[derive(Debug, Serialize)]
pub struct ErrorReport<'a> {
    code: &'static str,
    message: String,
    /// `null` where there is none.
    evidence: &'a Error,
}

/// Where a text stops being a compact JWS of this profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FormFlaw {
    /// Not three parts with dots between them.
    #[error("not three parts")]
    Parts,
    /// A part is not unpadded base64url in its one spelling.
    #[error("not canonical unpadded base64url")]
    Encoding,
    /// The header is not a JSON object of exactly `alg`, `typ` and `kid`, each a string, each once.
    #[error("a header other than alg, typ and kid")]
    Header,
    /// The header's `kid` cannot be an RFC 7638 thumbprint.
    #[error("a kid that is no thumbprint")]
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
    #[error("is malformed")]
    Invalid,
    /// Well-formed, but not for this verifier or this time.
    #[error("does not fit")]
    CheckFailed,
}

/// What took a token back.
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
            Self::Gid => "its group",
            Self::Sid => "its session",
            Self::Cutoff => "the cut-off",
        })
    }
}

/// What is wrong with a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ListFlaw {
    /// Longer than [`crate::list::MAX_LIST_LEN`].
    #[error("too long")]
    TooLong,
    /// Not a compact JWS of this profile.
    #[error("not a signed token of this profile")]
    Form,
    /// The header's `typ` is not that of a list.
    #[error("another type of token")]
    Type,
    /// The payload is not a JSON object with distinct names.
    #[error("not a JSON object with distinct names")]
    Payload,
    /// A claim is missing.
    #[error("a claim is missing")]
    Missing,
    /// A claim has the wrong type or is out of range.
    #[error("a claim is malformed")]
    Malformed,
    /// Another `iss` than the verifier's.
    #[error("another issuer")]
    Issuer,
    /// Its `iat` is more than a day ahead of the host's clock.
    #[error("from the future")]
    Future,
}

/// What is wrong with a key or a set of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyFlaw {
    /// Not a JSON object with an array `keys` of objects, names distinct.
    #[error("not a JWK Set")]
    Form,
    /// A private key does not belong into a verifier.
    #[error("it holds a private key")]
    Private,
    /// `x` is not 32 bytes of canonical base64url, or not a point of the curve.
    #[error("a key is not a point of the curve")]
    Point,
    /// A key of small order fits signatures that nobody made.
    #[error("a key of small order")]
    SmallOrder,
    /// `kid` is missing or is not the key's RFC 7638 thumbprint.
    #[error("a kid that is not the key's thumbprint")]
    KeyId,
    /// More than [`crate::keys::MAX_KEYS`].
    #[error("too many keys")]
    TooMany,
}
