//! The numbers the rules go by.

/// Lifetimes in seconds, and how much one subject may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Lifetime of an access token.
    pub access_ttl_secs: u64,
    /// A session that is not refreshed for this long has ended.
    pub refresh_idle_secs: u64,
    /// A session ends this long after its login, whatever it does.
    pub refresh_absolute_secs: u64,
    /// For this long after a rotation the token before it gets the same answer.
    pub refresh_grace_secs: u64,
    /// How far a verifier may stretch times.
    pub leeway_secs: u64,
    /// Live sessions of one subject; the one unseen longest gives way.
    pub sessions_per_subject: usize,
    /// Live handles of one subject in the revocation log; with more, no session is opened.
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

/// What `retain` adds to a token's life and a verifier's leeway: for a node that pauses between a decision and a
/// signature, or has not noticed yet that its store is on its own.
pub const RETAIN_SLACK_SECS: u64 = 60;

impl Limits {
    /// Seconds a log entry must stay, so that it outlives every token it can match: the longest lifetime, the
    /// leeway a verifier may add, and a minute for a node that pauses between a decision and a signature.
    pub const fn retain_secs(&self) -> u64 {
        self.access_ttl_secs.saturating_add(self.leeway_secs).saturating_add(RETAIN_SLACK_SECS)
    }
}
