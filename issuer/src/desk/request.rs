//! What the desk is asked.

use async_trait::async_trait;
use doorlist_verifier::Handle;

use crate::domain::{PasswordHash, Subject};

/// Why a session may be opened.
#[derive(Clone, Copy)]
pub enum Proof<'a> {
    /// A trusted back end authenticated the user itself; the subject is made if there is none.
    Trusted,
    /// The password of an account kept here.
    Password(&'a dyn PasswordCheck),
}

/// Compares a password, held by the implementor, with a hash.
#[async_trait]
pub trait PasswordCheck: Send + Sync {
    /// Asked once for each hash the login meets: again when the record changed meanwhile and holds another one.
    /// `None`: there is no account; take as long as for a wrong password.
    async fn check(&self, hash: Option<&PasswordHash>) -> PasswordVerdict;
}

/// What a password check found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordVerdict {
    /// It is the password.
    Right,
    /// It is not, or there is no account.
    Wrong,
    /// Too many checks are running.
    Busy,
}

/// The claims of a refresh token whose MAC was found good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshClaims {
    /// The user.
    pub sub: Subject,
    /// The session.
    pub sid: Handle,
    /// The token's generation, `n` in the table.
    pub generation: u64,
}

/// What a cut-off does to sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CutoffSessions {
    /// They live on and refresh into new tokens.
    Keep,
    /// Those opened before it end.
    End,
}
