//! The Doorlist issuer.
//!
//! # Layout
//!
//! - [`cli`]: the command line; [`config`]: settings; [`demo`]: an issuer to play with.
//! - [`server`]: a running issuer: start, drain, stop; [`life`]: which of these is under way.
//! - [`desk`]: requests: the loop that reads, runs a rule and commits; the node's copy of the log; the heartbeat.
//! - [`domain`]: pure rules over one subject's record and the revocation log. No HTTP, no storage, no clock.
//! - [`store`]: the few primitives a backend offers, and the backends. Only this folder names a table or a key.
//! - [`revocations`]: the node's live list: signed once a change, the same bytes to all.
//! - [`secret`]: master secrets, the admin key, and what is derived from them.
//! - [`http`]: the route table and its endpoints; [`app`] is what they have at hand.
//! - [`output`]: standard output, standard error and the log: the only module that writes to them.
//! - [`keys`]: the keys that sign: their rules, how they are stored.
//! - [`installation`]: what the installation is called, compared with the store; [`former_name`]: after it was renamed.
//! - [`password`], [`access_token`], [`refresh_token`], [`refresh_cookie`]: what users and clients hold, made and checked.

#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr))]

pub mod access_token;
pub mod app;
pub mod cli;
mod clock;
pub mod config;
pub mod demo;
pub mod desk;
pub mod domain;
mod draft;
pub mod former_name;
pub mod http;
pub mod installation;
pub mod keys;
pub mod life;
pub mod output;
pub mod password;
pub mod refresh_cookie;
pub mod refresh_token;
pub mod revocations;
pub mod secret;
pub mod server;
pub mod store;

#[cfg(test)]
mod testing;
