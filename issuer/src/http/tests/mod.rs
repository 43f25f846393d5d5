//! Requests through the real router.

mod admin;
mod bad_input;
mod cookie;
mod list;
mod users;
