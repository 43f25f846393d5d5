//! The Doorlist issuer.
//!
//! # Layout
//!
//! - [`cli`]: the command line; [`config`]: settings; [`demo`]: an issuer to try out.
//! - [`server`]: a running issuer, from start to stop; [`life`]: whether it starts, serves, drains or stops.
//! - [`clients`]: the address of each client, and the limits for one client.
//! - [`desk`]: how a request is run: a loop reads the record, runs a rule and commits the result. Also the node's
//!   copy of the revocation log, and the heartbeat.
//! - [`domain`]: pure rules over one subject's record and the revocation log. No HTTP, no storage, no clock.
//! - [`store`]: the few operations that a backend offers, and the backends. Only this folder names a table or a
//!   key.
//! - [`revocations`]: the node's live list. Each change is signed once, and all clients get the same bytes.
//! - [`secret`]: master secrets, the admin key, and the keys derived from them.
//! - [`http`]: the route table and its endpoints; [`app`]: the state that they use.
//! - [`output`]: standard output, standard error and the log output: the only module that writes to them.
//! - [`keys`]: the keys that sign: their rules and how they are stored.
//! - [`installation`]: the installation's identity, compared with the store; [`former_name`]: the installation's names
//!   before a rename.
//! - [`password`], [`access_token`], [`refresh_token`], [`device`], [`token_cookie`]: make and check the credentials of
//!   users and clients; [`authentic`]: what refresh tokens and device tokens have in common.
//! - [`login_brake`]: slows down guesses of passwords; its rules are in [`domain::login_brake`].

#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr))]

pub mod access_token;
pub mod app;
mod atomic_file;
pub mod authentic;
pub mod cli;
pub mod clients;
mod clock;
pub mod config;
pub mod demo;
pub mod desk;
pub mod device;
pub mod domain;
pub mod former_name;
pub mod http;
pub mod installation;
pub mod keys;
pub mod life;
pub mod login_brake;
pub mod output;
pub mod password;
pub mod refresh_token;
pub mod revocations;
pub mod secret;
pub mod server;
pub mod store;
pub mod token_cookie;

#[cfg(test)]
mod testing;
