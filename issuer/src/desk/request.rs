//! The inputs of requests to the desk.

use async_trait::async_trait;
use doorlist_verifier::Handle;

use crate::domain::{PasswordHash, Subject};

/// Why the issuer is allowed to open a session.
#[derive(Clone, Copy)]
pub enum Proof<'a> {
    /// A trusted back end authenticated the user itself. The subject is created if it does not exist.
    Trusted,
    /// The password of an account kept here.
    Password(&'a dyn PasswordCheck),
}

/// Holds a password that a user entered, and compares hashes with this password.
#[async_trait]
pub trait PasswordCheck: Send + Sync {
    /// The login calls this method once for each hash that the login reads. If the record gets another hash during the
    /// login, the login calls this method again. `hash` is `None` if there is no account. In this case, the check must
    /// take as long as for a wrong password.
    async fn check(&self, hash: Option<&PasswordHash>) -> PasswordVerdict;
}

/// The result of a password check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordVerdict {
    /// The password is right.
    Right,
    /// The password is wrong, or there is no account.
    Wrong,
    /// Too many checks are running.
    Busy,
}

/// The claims of a refresh token whose MAC is valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshClaims {
    /// The user.
    pub sub: Subject,
    /// The session.
    pub sid: Handle,
    /// The token's generation, `n` in the decision table.
    pub generation: u64,
}

/// The effect of a cut-off on sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CutoffSessions {
    /// The sessions stay open. The next refresh of a session gives new tokens.
    Keep,
    /// The cut-off also ends every session that was opened before the cut-off.
    End,
}
