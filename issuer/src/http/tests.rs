//! Tests that send requests through the real router.

mod admin;
mod bad_input;
mod cookie;
mod former_name;
mod headers;
mod introspect;
mod list;
mod login_brake;
mod scopes;
mod users;
