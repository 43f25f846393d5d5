//! Requests through the real router.

mod admin;
mod bad_input;
mod list;
mod users;
