//! The limits that the rules apply.

/// Lifetimes in seconds, and the maximum numbers of sessions and handles of one subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Lifetime of an access token.
    pub access_ttl_secs: u64,
    /// A session ends if it is not refreshed for this many seconds.
    pub refresh_idle_secs: u64,
    /// A session ends this many seconds after its login, even if it is in use.
    pub refresh_absolute_secs: u64,
    /// For this many seconds after a rotation, the previous refresh token gets the same answer as the current refresh
    /// token.
    pub refresh_grace_secs: u64,
    /// The largest leeway, in seconds, that a verifier is allowed to apply to a token's times.
    pub leeway_secs: u64,
    /// Maximum number of live sessions of one subject. A further login ends the session that has been unused for the
    /// longest time.
    pub sessions_per_subject: usize,
    /// Maximum number of live handles of one subject in the revocation log. A subject with this many live handles
    /// cannot open a session.
    pub entries_per_subject: usize,
}

impl Default for Limits {
    /// The defaults: 15 minutes for an access token, 30 days for an idle session, 90 days for any session, 30 seconds
    /// of grace, 60 seconds of leeway, 20 sessions and 32 handles.
    fn default() -> Self {
        Self {
            access_ttl_secs: 900,
            refresh_idle_secs: 30 * 86_400,
            refresh_absolute_secs: 90 * 86_400,
            refresh_grace_secs: 30,
            leeway_secs: 60,
            sessions_per_subject: 20,
            entries_per_subject: 32,
        }
    }
}

/// Extra seconds in [`Limits::retain_secs`], for two reasons. A node may pause between its decision and the
/// signature. A node may also need some time to notice that its store is isolated.
pub const RETAIN_SLACK_SECS: u64 = 60;

impl Limits {
    /// Seconds for which an entry must stay in the revocation log, so that the entry outlives every token that the
    /// entry revokes. This is the sum of the lifetime of an access token, the leeway that a verifier may apply, and
    /// [`RETAIN_SLACK_SECS`].
    pub const fn retain_secs(&self) -> u64 {
        self.access_ttl_secs.saturating_add(self.leeway_secs).saturating_add(RETAIN_SLACK_SECS)
    }
}
