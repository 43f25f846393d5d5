//! The verifier from outside: what it accepts, what it refuses and how it says so.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used
)]

mod histories;
mod support;

mod clock;
mod kicked;
mod outage;
mod properties;
mod remembered;
mod signatures;
mod traces;
mod vectors;
mod vetted;
mod whole;
