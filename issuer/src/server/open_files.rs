//! The system's limit of open files. Each connection is an open file.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// More open files are never needed.
const MOST: u64 = 1 << 20;

/// Raises the soft limit of open files as far as the system allows it without privileges. Returns the limit that
/// applies now.
pub(super) fn raise() -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.unwrap_or(MOST).min(MOST);
    let applies = match current {
        Some(current) if current < wanted => {
            let raised = Rlimit { current: Some(wanted), maximum };
            match setrlimit(Resource::Nofile, raised) {
                Ok(()) => wanted,
                Err(error) => {
                    tracing::warn!(%error, current, wanted, "the limit of open files cannot be raised");
                    current
                }
            }
        }
        current => current.unwrap_or(MOST).min(MOST),
    };
    usize::try_from(applies).unwrap_or(usize::MAX)
}
