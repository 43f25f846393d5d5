//! Reads the host's wall clock for the code that calls the rules. The rules themselves read no clock.

use std::time::{SystemTime, UNIX_EPOCH};

use doorlist_verifier::UnixSeconds;

/// The host's current time.
pub fn host_time() -> UnixSeconds {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixSeconds::saturating_new(since_epoch.as_secs())
}
