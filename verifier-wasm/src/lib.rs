//! Offline verification of revocable access tokens. See `FORMAT.md` for what crosses the boundary.
#![cfg_attr(not(target_arch = "wasm32"), forbid(unsafe_code))]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::as_conversions,
        clippy::arithmetic_side_effects,
        clippy::panic
    )
)]

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
pub mod signature;
pub mod time;
pub mod verify;

pub use claims::{AccessTokenClaims, Audience};
pub use cursor::{Cursor, Epoch, Seq};
pub use error::Error;
pub use handle::Handle;
pub use keys::{Jwks, KeyId, PublicKey};
pub use list::{HandleSet, RevocationList};
pub use policy::{MissingListPolicy, Options, StalePolicy};
pub use time::{HostTime, UnixSeconds};
pub use verify::{Freshness, LoadOutcome, Loaded, RevocationStatus, Status, Verified, Verifier};
