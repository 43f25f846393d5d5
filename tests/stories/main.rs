//! End-to-end stories against the real binary. Each file is one story. The stories do not need npm or any other
//! machine.

mod support;

// Twice: `make test` runs these stories on the embedded store, and again with DOORLIST_STORIES=pair. Two issuers on
// one Redis can change the outcome of these stories.
mod accounts;
mod agreement;
mod caching;
mod claims;
mod cutoff;
mod devices;
mod disable;
mod entry_cap;
mod forged_lists;
mod installation;
mod introspect;
mod keys;
mod kick;
mod login_and_refresh;
mod login_brake;
mod logout;
mod lost_answer;
mod parallel_refresh;
mod password_race;
mod restart;
mod resume;
mod reuse;
mod session_cap;
mod session_end;
mod two_installations;
mod void;

// Once: these stories are not repeated with DOORLIST_STORIES=pair. They always start the Redis that they need.
#[cfg(target_os = "linux")]
mod clock_steps;
mod crash;
mod foreign_values;
mod rolling_restart;
mod starting;
mod store_awaited;
mod store_faults;
mod store_refusals;
mod two_issuers;

// Once: these stories are not repeated with DOORLIST_STORIES=pair. They concern one process, its settings, its
// connections or its output. A second issuer or a different store cannot change the outcome of these stories.
mod admin_keys;
mod bad_input;
mod command_line;
mod cookies;
mod csrf;
mod draining;
#[cfg(target_os = "linux")]
mod full_disk;
#[cfg(target_os = "linux")]
mod hostile;
mod log_flood;
#[cfg(target_os = "linux")]
mod memory;
#[cfg(target_os = "linux")]
mod one_client;
mod origins;
mod output;
mod shutdown;
