//! Pure rules: `(record, log, request, now) → (record', entries, outcome)`.
//!
//! Nothing in here does I/O, reads a clock or draws a random number: what a rule needs is handed to it.

pub mod audit;
pub mod claims;
pub mod grant;
pub mod handles;
pub mod heal;
pub mod installation;
pub mod introspect;
pub mod limits;
pub mod lineage;
pub mod log;
pub mod log_view;
pub mod login;
pub mod password_hash;
pub mod record;
pub mod refresh;
pub mod revoke;
pub mod subject;

pub use audit::{AuditEvent, AuditKind};
pub use claims::UnfitClaims;
pub use grant::Grant;
pub use handles::HandleBlock;
pub use limits::{Limits, RETAIN_SLACK_SECS};
pub use log::{Appended, GroupEnd, LogEntry, LogPage, NewEntry, Revocation, Revoked, Settings};
pub use log_view::{Applied, LogView, Logged, SubjectLog};
pub use login::LoginRefusal;
pub use password_hash::PasswordHash;
pub use record::{CustomClaims, Record, Session, SubjectState};
pub use refresh::RefreshRefusal;
pub use subject::Subject;

#[cfg(test)]
pub(crate) mod fixtures;

use doorlist_verifier::UnixSeconds;

/// What a rule decides on besides the record.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// The store's time, read with the record or before it.
    pub now: UnixSeconds,
    /// Lifetimes and caps.
    pub limits: &'a Limits,
    /// What the log says of this subject, read after the record.
    pub log: &'a SubjectLog,
}

/// What a rule wants written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The record to be.
    pub record: Record,
    /// What the log gains, before the record is swapped.
    pub entries: Vec<NewEntry>,
    /// What people may read of it.
    pub audit: Vec<AuditEvent>,
    /// What has to have it before anybody is told.
    pub durability: Durability,
}

/// What has to have a change before its caller is answered, where a store has replicas.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Durability {
    /// A replica too: a failover must not lose it.
    #[default]
    Replicated,
    /// The store as it is: when a failover loses it, the next request makes up for it.
    Local,
}

impl Change {
    /// A record and nothing besides.
    pub fn to(record: Record) -> Self {
        Self { record, entries: Vec::new(), audit: Vec::new(), durability: Durability::Replicated }
    }

    fn noting(mut self, event: AuditEvent) -> Self {
        self.audit.push(event);
        self
    }

    fn revoking(mut self, sub: &Subject, revocation: Revocation) -> Self {
        self.entries.push(NewEntry::Revoked(Revoked { sub: sub.clone(), revocation }));
        self
    }
}
