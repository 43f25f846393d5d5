//! The `doorlist` binary.

use std::process::ExitCode;

/// After many simultaneous connections, glibc's allocator does not return their memory to the system until the process
/// ends. jemalloc's background thread returns unused memory within about ten seconds.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    doorlist::cli::main()
}
