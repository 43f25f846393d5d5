//! The `doorlist` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    doorlist::cli::main()
}
