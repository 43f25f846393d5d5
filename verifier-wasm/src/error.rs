//! The errors with which the verifier refuses a token, list, key set or option. Each error has a stable code. Most
//! errors also have evidence: the values that explain the error.

use serde::Serialize;

use crate::cursor::{Cursor, Epoch, Seq};
use crate::handle::Handle;
use crate::time::UnixSeconds;

mod flaws;
mod shown;

pub use flaws::{ClaimFlaw, FormFlaw, KeyFlaw, ListFlaw, RevokedBy};
use shown::{Date, Held, Named, Quoted};

/// The reason why the verifier refused a token, list, key set or option.
///
/// No variant contains a token, a list or a signature. From the refused text, an error contains only numbers, handles
/// and key ids. There is one exception: if the signature of a token was checked, the error may contain the token's
/// `iss` and `aud`. So it is safe to write an error to log output. The WebAssembly module contains no messages, so
/// `js/src/messages.ts` has a copy of all messages. Tests compare both copies with
/// `tests/vectors/messages/errors.json`.
///
/// ```
/// use doorlist_verifier::Error;
///
/// /// The status of an API's response to a refused token.
/// fn http_status(error: &Error) -> u16 {
///     match error {
///         // The service cannot check any token at present: the client's token may be valid.
///         Error::ListMissing | Error::ListStale { .. } => 503,
///         _ => 401,
///     }
/// }
///
/// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verifier/support.rs")); }
/// # use support::*;
/// # let (mut verifier, token, now) = (ready(), Key::number(1).token(&claims()), at(NOW + 3600));
/// let error = verifier.verify(&token, now).unwrap_err();
/// assert_eq!(error.code(), "ERR_JWT_EXPIRED");
/// assert_eq!(http_status(&error), 401);
/// assert!(error.to_string().starts_with("the token expired at 2026-01-01T00:14:00Z"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum Error {
    /// The token is longer than the limit. No part of the token was read.
    #[error("the token has {length} characters; at most {limit} are allowed")]
    TooLong {
        /// The length of the token in bytes.
        length: usize,
        /// The maximum length.
        limit: usize,
    },
    /// The text is not a compact JWS (RFC 7515 §7.1) with a header of this profile.
    #[error("{reason}")]
    Form {
        /// The reason why the text was refused.
        reason: FormFlaw,
    },
    /// The header's `alg` is not `EdDSA` or `Ed25519`.
    #[error("the signature algorithm must be EdDSA or Ed25519: the text is from another kind of issuer")]
    Algorithm,
    /// No trusted key has this `kid`.
    #[error("{}", if *trusted == 0 { NO_KEYS } else { OTHER_KEY })]
    UnknownKey {
        /// The `kid` of the header: an RFC 7638 thumbprint.
        kid: crate::key_id::KeyId,
        /// The number of trusted keys.
        trusted: usize,
    },
    /// The signature does not match the text and the key.
    #[error("the signature does not match: the text was changed, or another key signed it")]
    Signature,
    /// The payload is not a JSON object with distinct names.
    #[error("the payload is not a JSON object with distinct names")]
    Payload,
    /// A claim is missing or malformed.
    #[error("the claim `{claim}` {reason}")]
    Claim {
        /// The name of the claim.
        claim: &'static str,
        /// The reason why the claim was refused.
        reason: ClaimFlaw,
    },
    /// The header's `typ` is not the `typ` of an access token.
    #[error(
        "the header's `typ` is not that of an access token (`at+jwt`): is this an ID token, or a revocation list?"
    )]
    Type {
        /// Always `typ`.
        claim: &'static str,
        /// Always [`ClaimFlaw::CheckFailed`].
        reason: ClaimFlaw,
    },
    /// The token is from another issuer. Before the check of the issuer, this verifier or the caller has checked the
    /// signature.
    #[error(
        "the token's issuer (`iss`) is {}, but {} is expected: they must be exactly equal",
        Quoted(actual),
        Quoted(expected)
    )]
    Issuer {
        /// Always `iss`.
        claim: &'static str,
        /// Always [`ClaimFlaw::CheckFailed`].
        reason: ClaimFlaw,
        /// The issuer in the verifier's options.
        expected: String,
        /// The issuer in the token.
        actual: String,
    },
    /// The token is for another audience. Before the check of the audience, the verifier has checked the signature.
    #[error(
        "the token is for {} (`aud`), but {} is expected: \
         ask the issuer for that audience, or change the option `audience`",
        Quoted(actual),
        Quoted(expected)
    )]
    Audience {
        /// Always `aud`.
        claim: &'static str,
        /// Always [`ClaimFlaw::CheckFailed`].
        reason: ClaimFlaw,
        /// The audience in the verifier's options.
        expected: Vec<String>,
        /// The audience in the token.
        actual: Vec<String>,
    },
    /// The token is not valid yet.
    #[error(
        "the token {} {} (current time {}, clock tolerance {clock_tolerance} s): are both clocks right?",
        if *claim == "nbf" { "is not valid before" } else { "was issued in the future, at" },
        Date(*time),
        Date(*now)
    )]
    TooEarly {
        /// The claim with the time: `nbf` or `iat`.
        claim: &'static str,
        /// Always [`ClaimFlaw::CheckFailed`].
        reason: ClaimFlaw,
        /// The value of the claim.
        time: UnixSeconds,
        /// The verifier's time.
        now: UnixSeconds,
        /// The clock tolerance in seconds.
        clock_tolerance: u64,
    },
    /// The token has expired.
    #[error(
        "the token expired at {} (current time {}, clock tolerance {clock_tolerance} s)",
        Date(*expires_at),
        Date(*now)
    )]
    Expired {
        /// The token's `exp`, or the end of the time for which the issuer kept revocations of this token.
        expires_at: UnixSeconds,
        /// The verifier's time.
        now: UnixSeconds,
        /// The clock tolerance in seconds.
        clock_tolerance: u64,
    },
    /// The token is revoked.
    #[error("revoked: the token{by} (list as of {})", Date(*as_of))]
    Revoked {
        /// The reason why the token is revoked.
        by: RevokedBy,
        /// The handle that is on the list. Absent if the token was issued before a cut-off.
        #[serde(skip_serializing_if = "Option::is_none")]
        handle: Option<Handle>,
        /// The as-of time of the held list.
        as_of: UnixSeconds,
    },
    /// No list was loaded yet, and the policy refuses tokens in that case.
    #[error(
        "no revocation list was loaded yet, so the token cannot be checked: load one, or connect to the issuer"
    )]
    ListMissing,
    /// The held list is older than the policy allows.
    #[error(
        "the revocation list is {age} s old (as of {}), and at most {max_staleness} s are allowed: \
         no newer list arrived from the issuer",
        Date(*as_of)
    )]
    ListStale {
        /// The as-of time of the held list.
        as_of: UnixSeconds,
        /// The age of the list in seconds.
        age: u64,
        /// The maximum age in seconds.
        max_staleness: u64,
    },
    /// The list is malformed, from another issuer, or from the future.
    #[error("{reason}{}", Named(*claim))]
    ListInvalid {
        /// The reason why the list was refused.
        reason: ListFlaw,
        /// The claim that caused the refusal, if a claim caused it.
        #[serde(skip_serializing_if = "Option::is_none")]
        claim: Option<&'static str>,
    },
    /// The list is older than the held list. The verifier is unchanged.
    #[error(
        "the revocation list {offered_epoch}:{offered_sequence} is older than the list held, \
         {held_epoch}:{held_sequence}"
    )]
    ListRollback {
        /// The epoch of the held list.
        held_epoch: Epoch,
        /// The sequence number of the held list.
        held_sequence: Seq,
        /// The epoch of the refused list.
        offered_epoch: Epoch,
        /// The sequence number of the refused list.
        offered_sequence: Seq,
    },
    /// The list is a delta, and the verifier lacks entries before this delta. A snapshot is needed.
    #[error("the revocation list is a delta from sequence {since}, but {}: load a snapshot", Held(*held))]
    ListGap {
        /// The sequence number after which the delta begins.
        since: Seq,
        /// The position of the held list. Absent if no list is held.
        #[serde(skip_serializing_if = "Option::is_none")]
        held: Option<Cursor>,
    },
    /// The key set is malformed, or contains a key that must not be trusted.
    #[error("{reason}")]
    Jwks {
        /// The reason why the key set was refused.
        reason: KeyFlaw,
    },
    /// An option is unknown or missing, or its value is not allowed.
    #[error("the option `{option}` {reason}")]
    Options {
        /// The name of the option in JavaScript.
        option: &'static str,
        /// The requirement that the option violates.
        reason: &'static str,
    },
}

const NO_KEYS: &str = "no key is trusted yet, so nothing can be verified: give the issuer's keys (`jwks`), or connect to the issuer";
const OTHER_KEY: &str =
    "signed with a key that is not trusted: the key belongs to another issuer, or was retired";

impl Error {
    /// The stable code. If `jose` has a code with the same meaning, both codes are equal.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLong { .. } | Self::Form { .. } => "ERR_JWS_INVALID",
            Self::Algorithm => "ERR_JOSE_ALG_NOT_ALLOWED",
            Self::UnknownKey { .. } => "ERR_JWKS_NO_MATCHING_KEY",
            Self::Signature => "ERR_JWS_SIGNATURE_VERIFICATION_FAILED",
            Self::Payload => "ERR_JWT_INVALID",
            Self::Claim { .. }
            | Self::Type { .. }
            | Self::Issuer { .. }
            | Self::Audience { .. }
            | Self::TooEarly { .. } => "ERR_JWT_CLAIM_VALIDATION_FAILED",
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

    /// Returns code, message and evidence in the form that JavaScript gets.
    pub fn report(&self) -> ErrorReport<'_> {
        ErrorReport { code: self.code(), message: self.to_string(), evidence: self }
    }
}

/// The code, message and evidence of an error, made by [`Error::report`].
///
/// ```
/// use doorlist_verifier::Jwks;
///
/// let error = Jwks::parse("{}").unwrap_err();
/// let report = serde_json::to_value(error.report())?;
/// assert_eq!(report["code"], "ERR_JWKS_INVALID");
/// assert_eq!(report["message"], error.to_string());
/// assert_eq!(report["evidence"]["reason"], "form");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Serialize)]
pub struct ErrorReport<'a> {
    code: &'static str,
    message: String,
    /// `null` if the error has no evidence.
    evidence: &'a Error,
}
