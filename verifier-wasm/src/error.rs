//! The reasons for refusing a token, list, key set or option: one error each, with a stable code and its evidence.

use serde::Serialize;

use crate::cursor::{Cursor, Epoch, Seq};
use crate::handle::Handle;
use crate::time::UnixSeconds;

mod flaws;
mod shown;

pub use flaws::{ClaimFlaw, FormFlaw, KeyFlaw, ListFlaw, RevokedBy};
use shown::{Date, Held, Named, Quoted};

/// Why the verifier refused a token, list, key set or option.
///
/// No variant holds a token, a list or a signature. Of a token whose signature was checked it may hold `iss` and `aud`; of
/// others only numbers and key ids. So an error may be logged. `js/src/messages.ts` has the same sentences, because the
/// WebAssembly module carries none; `tests/vectors/messages.json` holds the two equal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
pub enum Error {
    /// The text is longer than its kind may be; nothing of it was read.
    #[error("the token has {length} characters; at most {limit} are allowed")]
    TooLong {
        /// Bytes of the text.
        length: usize,
        /// The most that is read.
        limit: usize,
    },
    /// Not a compact JWS (RFC 7515 §7.1) with a header of this profile.
    #[error("{reason}")]
    Form {
        /// What is wrong.
        reason: FormFlaw,
    },
    /// The header's `alg` is not `EdDSA` or `Ed25519`.
    #[error("the signature algorithm must be EdDSA or Ed25519: this is from another kind of issuer")]
    Algorithm,
    /// No trusted key has this `kid`.
    #[error("{}", if *trusted == 0 { NO_KEYS } else { OTHER_KEY })]
    UnknownKey {
        /// RFC 7638 thumbprint, as the header names it.
        kid: crate::keys::KeyId,
        /// How many keys are trusted.
        trusted: usize,
    },
    /// The signature does not fit the text and the key.
    #[error("the signature does not match: the text was changed, or another key signed it")]
    Signature,
    /// The payload is not one JSON object with one meaning.
    #[error("the payload is not a JSON object with distinct names")]
    Payload,
    /// A claim is missing or malformed.
    #[error("the claim `{claim}` {reason}")]
    Claim {
        /// Its name.
        claim: &'static str,
        /// What is wrong with it.
        reason: ClaimFlaw,
    },
    /// The header's `typ` is not that of an access token.
    #[error(
        "the header's `typ` is not that of an access token (`at+jwt`): is this an ID token, or a revocation list?"
    )]
    Type {
        /// `typ`.
        claim: &'static str,
        /// [`ClaimFlaw::CheckFailed`].
        reason: ClaimFlaw,
    },
    /// The token is from another issuer. Its signature was checked before, here or by the caller.
    #[error(
        "the token's issuer (`iss`) is {}, but {} is expected: they must be equal to the letter",
        Quoted(actual),
        Quoted(expected)
    )]
    Issuer {
        /// `iss`.
        claim: &'static str,
        /// [`ClaimFlaw::CheckFailed`].
        reason: ClaimFlaw,
        /// The verifier's option.
        expected: String,
        /// The token's.
        actual: String,
    },
    /// The token is for another audience. Its signature was checked before.
    #[error(
        "the token is for {} (`aud`), but {} is expected: \
         ask the issuer for that audience, or change the option `audience`",
        Quoted(actual),
        Quoted(expected)
    )]
    Audience {
        /// `aud`.
        claim: &'static str,
        /// [`ClaimFlaw::CheckFailed`].
        reason: ClaimFlaw,
        /// The verifier's option.
        expected: Vec<String>,
        /// The token's.
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
        /// `nbf` or `iat`.
        claim: &'static str,
        /// [`ClaimFlaw::CheckFailed`].
        reason: ClaimFlaw,
        /// What the claim says.
        time: UnixSeconds,
        /// The verifier's time.
        now: UnixSeconds,
        /// Seconds.
        clock_tolerance: u64,
    },
    /// The token has expired.
    #[error(
        "the token expired at {} (current time {}, clock tolerance {clock_tolerance} s)",
        Date(*expires_at),
        Date(*now)
    )]
    Expired {
        /// The token's `exp`, or, where that is earlier, the last moment its issuer keeps revocations of it.
        expires_at: UnixSeconds,
        /// The verifier's time.
        now: UnixSeconds,
        /// Seconds.
        clock_tolerance: u64,
    },
    /// The token is revoked.
    #[error("revoked: the token{by} (list as of {})", Date(*as_of))]
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
        /// Age mark of the held list.
        as_of: UnixSeconds,
        /// Seconds since then.
        age: u64,
        /// Seconds that are allowed.
        max_staleness: u64,
    },
    /// The list is malformed, of another issuer, or from the future.
    #[error("{reason}{}", Named(*claim))]
    ListInvalid {
        /// What is wrong.
        reason: ListFlaw,
        /// The claim it is about, where it is one.
        #[serde(skip_serializing_if = "Option::is_none")]
        claim: Option<&'static str>,
    },
    /// The list is older than the one that is held; nothing new.
    #[error(
        "the revocation list is older than the one that is held: \
         {offered_epoch}:{offered_sequence} after {held_epoch}:{held_sequence}"
    )]
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
    #[error("the revocation list is a delta from sequence {since} on, but {}: load a snapshot", Held(*held))]
    ListGap {
        /// Where the delta begins.
        since: Seq,
        /// What is held.
        #[serde(skip_serializing_if = "Option::is_none")]
        held: Option<Cursor>,
    },
    /// The key set is malformed or holds a key that must not be trusted.
    #[error("{reason}")]
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

const NO_KEYS: &str = "no key is trusted yet, so nothing can be verified: give the issuer's keys (`jwks`), or connect to the issuer";
const OTHER_KEY: &str =
    "signed with a key that is not trusted: the key belongs to another issuer, or was retired";

impl Error {
    /// The stable code: those of `jose` where the meaning is the same.
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
