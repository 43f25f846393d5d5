//! Pure rules: `(record, log, request, now) → (record', entries, outcome)`.
//!
//! Nothing in here does I/O, reads a clock or draws a random number: what a rule needs is handed to it.

pub mod log;
pub mod record;
pub mod subject;

pub use log::{LogEntry, NewEntry, RevocationKind, Revoked};
pub use record::{Record, Session, SubjectState};
pub use subject::Subject;
