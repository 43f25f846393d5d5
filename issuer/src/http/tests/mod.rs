//! Requests through the real router.

mod admin;
mod bad_input;
mod cookie;
mod introspect;
mod list;
mod users;
