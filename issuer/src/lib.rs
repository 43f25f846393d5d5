//! The Doorlist issuer.
//!
//! # Layout
//!
//! - [`desk`]: requests: the loop that reads, runs a rule and commits; the node's copy of the log; the heartbeat.
//! - [`domain`]: pure rules over one subject's record and the revocation log. No HTTP, no storage, no clock.
//! - [`store`]: the few primitives a backend offers, and the backends. Only this folder names a table or a key.
//! - [`secret`]: master secrets, the admin key, and what is derived from them.
//! - [`password`], [`refresh_token`]: what users and clients hold, made and checked.

pub mod cli;
pub mod config;
pub mod desk;
pub mod domain;
pub mod password;
pub mod refresh_token;
pub mod secret;
pub mod store;
