//! Pure rules: `(record, log, request, now) → (record', entries, outcome)`.
//!
//! Nothing in here does I/O, reads a clock or draws a random number: what a rule needs is handed to it.

pub mod audit;
pub mod limits;
pub mod log;
pub mod log_view;
pub mod password_hash;
pub mod record;
pub mod subject;

pub use audit::{AuditEvent, AuditKind};
pub use limits::Limits;
pub use log::{Appended, LogEntry, LogPage, NewEntry, RevocationKind, Revoked, Settings};
pub use log_view::{Applied, LogView, Logged, SubjectLog};
pub use password_hash::PasswordHash;
pub use record::{CustomClaims, Record, Session, SubjectState};
pub use subject::Subject;
