//! The host's wall clock, the only place that reads it for the shell around the rules.

use std::time::{SystemTime, UNIX_EPOCH};

use doorlist_verifier::UnixSeconds;

/// Now, by the host.
pub fn host_time() -> UnixSeconds {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixSeconds::saturating_new(since_epoch.as_secs())
}
