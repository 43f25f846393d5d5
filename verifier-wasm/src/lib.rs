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

pub mod cursor;
pub mod handle;
pub mod time;

pub use cursor::{Cursor, Epoch, Seq};
pub use handle::Handle;
pub use time::{HostTime, UnixSeconds};
