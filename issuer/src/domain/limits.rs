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
    /// For this many seconds after a rotation, the previous refresh token gets the same answer.
    pub refresh_grace_secs: u64,
    /// The largest leeway, in seconds, that a verifier may apply to a token's times.
    pub leeway_secs: u64,
    /// Maximum number of live sessions of one subject. A further login ends the session that has been unused for the
    /// longest time.
    pub sessions_per_subject: usize,
    /// Maximum number of live handles of one subject in the revocation log. At this number, no further session is
    /// opened.
    pub entries_per_subject: usize,
}

impl Default for Limits {
    /// 15 minutes, 30 days, 90 days, 30 seconds, 60 seconds, 20 sessions, 32 entries.
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

/// Seconds that `retain` adds to a token's lifetime and a verifier's leeway. In this time a node may pause between a
/// decision and the signature, or may not yet have noticed that its store is isolated.
pub const RETAIN_SLACK_SECS: u64 = 60;

impl Limits {
    /// Seconds for which an entry must stay in the revocation log to outlive every token that it can match: the
    /// longest lifetime, the leeway that a verifier may add, and a minute for a node that pauses between a decision
    /// and the signature.
    pub const fn retain_secs(&self) -> u64 {
        self.access_ttl_secs.saturating_add(self.leeway_secs).saturating_add(RETAIN_SLACK_SECS)
    }
}
