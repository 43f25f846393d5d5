//! The `doorlist` binary.

use std::process::ExitCode;

/// glibc's allocator keeps memory that many simultaneous connections took for as long as the process lives.
/// jemalloc's background thread returns unused memory to the system within about ten seconds.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    doorlist::cli::main()
}
