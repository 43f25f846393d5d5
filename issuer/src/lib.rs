//! The Doorlist issuer.
//!
//! # Layout
//!
//! - [`domain`]: pure rules over one subject's record and the revocation log. No HTTP, no storage, no clock.
//! - [`store`]: the few primitives a backend offers, and the backends. Only this folder names a table or a key.

pub mod domain;
pub mod store;
