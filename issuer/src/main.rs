//! The `doorlist` binary.

use std::process::ExitCode;

/// When many connections have been open at the same time, glibc's allocator keeps their memory until the process
/// ends. jemalloc's background thread returns unused memory within about ten seconds.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    doorlist::cli::main()
}
