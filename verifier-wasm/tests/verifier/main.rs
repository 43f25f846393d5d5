//! Tests of the verifier's public interface: the inputs that the verifier accepts and refuses, and its results.
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
mod documented;
mod kicked;
mod outage;
mod properties;
mod remembered;
mod signatures;
mod traces;
mod vectors;
mod vetted;
mod whole;
