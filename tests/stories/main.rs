//! End-to-end stories against the real binary. Each file is one story. The stories do not need npm or any other
//! machine.

mod accounts;
mod agreement;
mod bad_input;
mod caching;
mod claims;
#[cfg(target_os = "linux")]
mod clock_steps;
mod command_line;
mod cookies;
mod crash;
mod csrf;
mod cutoff;
mod devices;
mod disable;
mod draining;
mod entry_cap;
mod foreign_values;
mod forged_lists;
#[cfg(target_os = "linux")]
mod full_disk;
mod installation;
mod introspect;
mod keys;
mod kick;
mod log_flood;
mod login_and_refresh;
mod logout;
mod lost_answer;
#[cfg(target_os = "linux")]
mod memory;
mod origins;
mod output;
mod parallel_refresh;
mod password_race;
mod restart;
mod resume;
mod reuse;
mod rolling_restart;
mod session_cap;
mod session_end;
mod shutdown;
mod starting;
mod store_awaited;
mod store_faults;
mod store_refusals;
mod support;
mod two_installations;
mod two_issuers;
mod void;
