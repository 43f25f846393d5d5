//! What tokens are made of.

use doorlist_verifier::{Handle, UnixSeconds};

use super::claims::merged;
use super::{CustomClaims, Moment, Record, Session, Subject};

/// A session was opened or refreshed: everything an access token and a refresh token are made of.
///
/// Times are decided, not to be read again from a clock: `issued_at` is at or after every cut-off the decision
/// knew, and `expires_at` is at or before the session's end.
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
    /// Who the session was opened for.
    pub client_id: String,
    /// RFC 6749 §3.3 scope.
    pub scope: Option<String>,
    /// The caller's own claims: the session's, and over them the subject's.
    pub claims: CustomClaims,
    /// `iat` of the access token.
    pub issued_at: UnixSeconds,
    /// `exp` of the access token.
    pub expires_at: UnixSeconds,
    /// When the refresh token is of no use any more.
    pub session_ends_at: UnixSeconds,
}

impl Grant {
    /// What a session of a record is granted at this moment.
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
