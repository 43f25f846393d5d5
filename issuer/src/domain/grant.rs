//! The data from which tokens are made.

use doorlist_verifier::{Handle, UnixSeconds};

use super::claims::merged;
use super::{CustomClaims, Moment, Record, Session, Subject};

/// The result of opening or refreshing a session. The session's next access token and refresh token are made from
/// this data.
///
/// The rule has already decided the times, so the signer must not read a clock again. `issued_at` is at or after
/// every cut-off that the rule knew. `expires_at` is at or before the session's end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The user.
    pub sub: Subject,
    /// The token group of the access token.
    pub gid: Handle,
    /// The session.
    pub sid: Handle,
    /// The generation of the refresh token to sign.
    pub generation: u64,
    /// The client that the session was opened for.
    pub client_id: String,
    /// The RFC 6749 §3.3 scope.
    pub scope: Option<String>,
    /// The caller's claims: the claims of the session and of the subject. The subject's claims take precedence.
    pub claims: CustomClaims,
    /// The `iat` of the access token.
    pub issued_at: UnixSeconds,
    /// The `exp` of the access token.
    pub expires_at: UnixSeconds,
    /// The time at which the session ends. The refresh token is not valid after this time.
    pub session_ends_at: UnixSeconds,
}

impl Grant {
    /// The grant for a session of this record. `moment` gives the current time and the limits.
    pub(super) fn of(sub: &Subject, record: &Record, session: &Session, moment: &Moment<'_>) -> Self {
        let session_ends_at = session.end(moment.limits.refresh_idle_secs);
        Self {
            sub: sub.clone(),
            gid: record.gid,
            sid: session.sid,
            generation: session.generation,
            client_id: session.client_id.clone(),
            scope: session.scope.clone(),
            claims: merged(&session.claims, &record.claims),
            issued_at: moment.now.max(moment.log.settings.cutoff),
            expires_at: moment.now.plus_secs(moment.limits.access_ttl_secs).min(session_ends_at),
            session_ends_at,
        }
    }
}
