//! What happened, for people to read later.

use std::fmt;

use doorlist_verifier::Handle;
use serde::{Deserialize, Serialize};

use super::Subject;

/// Something that happened to a subject, a session or the installation. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEvent {
    /// What happened.
    pub event: AuditKind,
    /// The subject, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub: Option<Subject>,
    /// The `gid` or `sid` it was about, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handle: Option<Handle>,
}

impl AuditEvent {
    /// Something that happened to a subject's `gid` or `sid`.
    pub fn of(event: AuditKind, sub: &Subject, handle: Handle) -> Self {
        Self { event, sub: Some(sub.clone()), handle: Some(handle) }
    }

    /// Something that happened to the installation.
    pub fn global(event: AuditKind) -> Self {
        Self { event, sub: None, handle: None }
    }
}

/// The stable words of the audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditKind {
    /// A session was opened.
    Login,
    /// A session gave way to a newer one of the same subject.
    SessionEvicted,
    /// A session was ended by its owner or an operator.
    SessionEnded,
    /// A refresh token came back after its successor had been used: theft, or a copied client state.
    RefreshReused,
    /// The answer of a rotation was lost, and the token before it was honoured again.
    RefreshRecovered,
    /// A client held a newer generation than the store, which had lost a write.
    RefreshCaughtUp,
    /// A subject's tokens and sessions ended.
    Kicked,
    /// A subject's tokens ended; its sessions live on.
    Voided,
    /// A subject was disabled.
    Disabled,
    /// A subject may log in again.
    Enabled,
    /// A subject was created.
    SubjectCreated,
    /// A subject was deleted.
    SubjectDeleted,
    /// A subject's password was changed.
    PasswordChanged,
    /// A subject's claims were changed, and its tokens ended.
    ClaimsChanged,
    /// Somebody else's unfinished revocation was finished.
    Healed,
    /// Everybody's tokens ended.
    Cutoff,
    /// The key ring changed.
    KeysChanged,
}

impl fmt::Display for AuditKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}
