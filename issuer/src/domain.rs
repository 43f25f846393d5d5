//! Pure rules: `(record, revocation log, request, now) → (record', entries, outcome)`.
//!
//! No rule does I/O, reads a clock or draws a random number. The caller passes in everything that a rule needs.

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
pub mod login_brake;
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
pub use log::{Appended, GroupEnd, LogEntry, LogPage, LogSettings, NewEntry, Revocation, Revoked};
pub use log_view::{Applied, LogView, Logged, SubjectLog};
pub use login::LoginRefusal;
pub use password_hash::PasswordHash;
pub use record::{CustomClaims, Record, Session, SubjectState};
pub use refresh::RefreshRefusal;
pub use subject::Subject;

#[cfg(test)]
pub(crate) mod fixtures;

use doorlist_verifier::UnixSeconds;

/// The inputs of a rule besides the record.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// The store's time. The time is read together with the record or before the record.
    pub now: UnixSeconds,
    /// The limits on lifetimes and numbers.
    pub limits: &'a Limits,
    /// The entries of the revocation log about this subject, read after the record.
    pub log: &'a SubjectLog,
}

/// The result of a rule: everything that must be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The new record.
    pub record: Record,
    /// Entries to append to the revocation log before the record is swapped.
    pub entries: Vec<NewEntry>,
    /// Events for the audit.
    pub audit: Vec<AuditEvent>,
    /// Where the change must be stored before the caller gets an answer.
    pub durability: Durability,
}

/// Where a change must be stored before the caller gets an answer. The choice matters only for a store with replicas.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Durability {
    /// The change must also be on a replica. Then a failover does not lose the change.
    #[default]
    Replicated,
    /// It is enough that the change is on the store's master. If a failover loses the change, the client's next request
    /// repairs the record.
    Local,
}

impl Change {
    /// A change that writes only the record, without entries or audit events.
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
