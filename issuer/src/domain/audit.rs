//! The audit: events that operators can read later.

use std::fmt;

use doorlist_verifier::Handle;
use serde::{Deserialize, Serialize};

use super::Subject;

/// An event about a subject, a session or the whole installation. It holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEvent {
    /// The kind of event.
    pub event: AuditKind,
    /// The subject, if the event concerns one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub: Option<Subject>,
    /// The `gid` or `sid`, if the event concerns one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handle: Option<Handle>,
    /// The name of the admin key with which the event was requested. `None` for requests of users, and for work that
    /// the issuer does on its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

impl AuditEvent {
    /// An event about a subject's `gid` or `sid`.
    pub fn of(event: AuditKind, sub: &Subject, handle: Handle) -> Self {
        Self { event, sub: Some(sub.clone()), handle: Some(handle), by: None }
    }

    /// An event about the whole installation.
    pub fn global(event: AuditKind) -> Self {
        Self { event, sub: None, handle: None, by: None }
    }
}

/// The kinds of audit event. Their names are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditKind {
    /// A session was opened.
    Login,
    /// A session was ended to make room for a newer session of the same subject.
    SessionEvicted,
    /// A session was ended by its owner or by an operator.
    SessionEnded,
    /// A client presented a refresh token whose successor had already been used. Either the token was stolen, or the
    /// client's state was copied.
    RefreshReused,
    /// The answer to a rotation was lost, so the previous refresh token was accepted again.
    RefreshRecovered,
    /// A client presented a refresh token of a newer generation than the generation in the store. The store had lost a
    /// write.
    RefreshCaughtUp,
    /// All tokens and sessions of a subject were revoked.
    Kicked,
    /// All access tokens of a subject were revoked. The subject's sessions stay open.
    Voided,
    /// A subject was disabled.
    Disabled,
    /// A subject was enabled, so the subject can log in again.
    Enabled,
    /// A subject was created.
    SubjectCreated,
    /// A subject was deleted.
    SubjectDeleted,
    /// A subject's password was changed.
    PasswordChanged,
    /// A subject's claims were changed, and the subject's access tokens were revoked.
    ClaimsChanged,
    /// A request completed a revocation that another request had left incomplete.
    Healed,
    /// A cut-off revoked the access tokens of all subjects.
    Cutoff,
    /// The key ring changed.
    KeysChanged,
}

impl fmt::Display for AuditKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_shown_by_its_stable_name() {
        assert_eq!(AuditKind::SessionEvicted.to_string(), "session_evicted");
        assert_eq!(AuditKind::Kicked.to_string(), "kicked");
    }
}
