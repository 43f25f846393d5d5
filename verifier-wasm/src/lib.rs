//! Offline verification of revocable access tokens.
//!
//! A token is checked against keys, the time that the host tells, and a revocation list that the issuer signed; no I/O,
//! no clock, no randomness, no panic. `FORMAT.md` is normative for what crosses the boundary. The issuer uses this very
//! crate for what it writes, and to check its own list before it publishes one.
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
//! | [`handle`], [`cursor`], [`time`] | the words that both sides share |
//! | [`claims`], [`list`] (with its handle set) | the wire format, encoding beside decoding |
//! | `json`, `form` | strictness, and the only readers: JSON with one meaning, the compact form with a header of this profile |
//! | [`keys`], [`signature`] | which keys are trusted; Ed25519 as an algorithm of `jwt-compact`, with tables for the keys in use |
//! | `held` | what is kept of the lists, and in which order lists are taken |
//! | [`policy`], [`verify`], [`answer`] | what the user decides; verification as numbered steps; what comes out |
//! | [`remembered`] | tokens seen before, looked at again without their signature |
//! | [`error`] | every refusal, with evidence and a stable code |
//! | `bindings` | the only file that knows wasm-bindgen |
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
pub mod keys;
pub mod list;
pub mod policy;
pub mod remembered;
pub mod signature;
pub mod time;
pub mod verify;

pub use answer::{Freshness, Loaded, RevocationStatus, Standing, Status, Verified};
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
