//! Offline verification of revocable access tokens.
//!
//! The verifier checks a token against keys, against the time that the host gives, and against a revocation list that
//! the issuer signed. The crate does no I/O, has no clock and no randomness, and never panics. `FORMAT.md` is normative
//! for all data that the crate reads and writes. The issuer uses the same crate to write tokens and lists, and to check
//! each list before it is published.
//!
//! ```
//! use doorlist_verifier::{Error, HostTime, Options, Verified, Verifier};
//!
//! fn check(jwks: &str, list: &str, token: &str, now: HostTime) -> Result<Verified, Error> {
//!     let mut verifier = Verifier::new(Options::new("https://issuer.example", Some(vec!["api".into()])))?;
//!     verifier.add_jwks(jwks)?;
//!     verifier.load(list, now)?;
//!     verifier.verify(token, now)
//! }
//! ```
//!
//! # Layout
//!
//! | | |
//! |---|---|
//! | [`handle`], [`cursor`], [`time`], `key_id` | the types that issuer and verifier share |
//! | [`claims`], [`list`] (with its handle set) | the wire format: encoding and decoding side by side |
//! | `json`, `form` | the strict parsers of all input: JSON with one meaning; compact JWS with this profile's header |
//! | [`keys`], [`signature`] | the trusted keys; Ed25519 as an algorithm of `jwt-compact`, with tables |
//! | `held` | the data kept from lists, and the order in which lists are accepted |
//! | [`policy`], [`verify`], [`answer`] | the options; verification in numbered steps; the results |
//! | `terms`, [`remembered`] | tokens accepted before, checked again without verifying their signature |
//! | [`error`] | every refusal, with evidence and a stable code |
//! | `bindings` | the only file that uses wasm-bindgen |
#![cfg_attr(not(target_arch = "wasm32"), forbid(unsafe_code))]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::as_conversions,
        clippy::arithmetic_side_effects,
        clippy::panic,
        clippy::string_slice
    )
)]

/// The README's examples are compiled with the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub mod answer;
#[cfg(target_arch = "wasm32")]
mod bindings;
pub mod claims;
pub mod cursor;
pub mod error;
mod form;
pub mod handle;
mod handle_set;
mod held;
mod json;
mod key_id;
pub mod keys;
pub mod list;
pub mod policy;
pub mod remembered;
pub mod signature;
mod terms;
pub mod time;
pub mod verify;

pub use answer::{Freshness, Loaded, RevocationStatus, Status, Verdict, Verified};
pub use claims::{AccessTokenClaims, Audience, VettedClaims};
pub use cursor::{Cursor, Epoch, Seq};
pub use error::Error;
pub use handle::Handle;
pub use held::LoadOutcome;
pub use keys::{Jwks, KeyId, PublicKey};
pub use list::{HandleSet, RevocationList};
pub use policy::{MissingListPolicy, Options, StalePolicy};
pub use time::{HostTime, UnixSeconds};
pub use verify::Verifier;
