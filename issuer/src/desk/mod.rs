//! The desk: where requests meet the rules of [`crate::domain`] and a [`Store`].
//!
//! Every request on a subject runs the same loop: read the record and after it the log's news, finish what the
//! log began ([`crate::domain`]'s healing), run the rule, commit; on a conflict all of it again. The desk also
//! keeps the node's [`LogView`], hears of news by [`Desk::tail`], and proves by [`Desk::beat`] that the store
//! lost nothing, without which no list is signed and no refresh is answered that wrote nothing.
//!
//! An `Err` means that nothing is known of the request's fate (503), or that a record is damaged (500).

mod outcome;
mod request;

use std::sync::Arc;
use std::time::Duration;

use doorlist_verifier::{Cursor, Handle, UnixSeconds};
use tokio::sync::watch;
use tokio::time::Instant;

pub use outcome::{
    Account, Change, Creation, CutoffSet, DamagedSubject, EndSession, Grant, KeySwap, Kick, Login,
    LoginRefusal, Refresh, RefreshRefusal, SubjectDetails, SubjectPage,
};
pub use request::{CutoffSessions, OpenSession, PasswordCheck, PasswordVerdict, Proof, RefreshClaims};

use crate::domain::{Limits, LogView, PasswordHash, Subject};
use crate::store::{AuditRow, Store, StoreError, Version};

/// See the [module](self).
pub struct Desk {
    store: Arc<dyn Store>,
    limits: Limits,
}

/// Where the node's copy of the log stands, and until when it may be vouched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// How far the log is known.
    pub position: Cursor,
    /// The store's time of the last write that found nothing missing: the `iat` of a list signed now.
    pub confirmed_at: UnixSeconds,
    /// When that write was sent, by this host's monotonic clock.
    pub confirmed: Instant,
    /// By how many seconds this host's clock differed from the store's then.
    pub clock_skew_secs: u64,
}

impl Standing {
    /// Whether the confirmation is younger than a heartbeat, so that a list may be signed.
    pub fn is_fresh(&self, heartbeat: Duration) -> bool {
        self.confirmed.elapsed() < heartbeat
    }
}

impl Desk {
    /// Raises `retain` to what `limits` need, reads the log, looks at the record of every entry and confirms.
    pub async fn open(
        store: Arc<dyn Store>,
        limits: Limits,
        heartbeat: Duration,
    ) -> Result<Arc<Self>, StoreError> {
        let _ = heartbeat;
        Ok(Arc::new(Self { store, limits }))
    }

    /// Opens a session. With [`Proof::Trusted`] a subject that is not there is made.
    pub async fn open_session(
        &self,
        sub: &Subject,
        session: OpenSession,
        proof: Proof<'_>,
    ) -> Result<Login, StoreError> {
        let _ = (sub, session, proof);
        Err(unbuilt())
    }

    /// Refreshes a session by the table of the design; a wrong `client_id` changes nothing.
    ///
    /// An answer that wrote nothing is given only when the store was confirmed within the heartbeat.
    pub async fn refresh(
        &self,
        token: &RefreshClaims,
        client_id: Option<&str>,
    ) -> Result<Refresh, StoreError> {
        let _ = (token, client_id);
        Err(unbuilt())
    }

    /// Ends every token and session the subject has now. With `expected`, only if that is its current `gid`, or
    /// was kicked already: a retry of the same kick does not hit a login made after it.
    pub async fn kick(&self, sub: &Subject, expected: Option<Handle>) -> Result<Kick, StoreError> {
        let _ = (sub, expected);
        Err(unbuilt())
    }

    /// Ends every access token the subject has now; its sessions refresh into new ones.
    pub async fn void(&self, sub: &Subject) -> Result<Change, StoreError> {
        let _ = sub;
        Err(unbuilt())
    }

    /// Ends a session, if it is one of this subject's.
    pub async fn end_session(&self, sub: &Subject, sid: Handle) -> Result<EndSession, StoreError> {
        let _ = (sub, sid);
        Err(unbuilt())
    }

    /// RFC 7009: ends the session of an authentic refresh token, a superseded one too; with a `client_id`, only
    /// if the session is that client's.
    pub async fn end_by_refresh_token(
        &self,
        token: &RefreshClaims,
        client_id: Option<&str>,
    ) -> Result<EndSession, StoreError> {
        let _ = (token, client_id);
        Err(unbuilt())
    }

    /// A kick, after which the subject may not log in.
    pub async fn disable(&self, sub: &Subject) -> Result<Change, StoreError> {
        let _ = sub;
        Err(unbuilt())
    }

    /// The subject may log in again.
    pub async fn enable(&self, sub: &Subject) -> Result<Change, StoreError> {
        let _ = sub;
        Err(unbuilt())
    }

    /// Makes a subject, with the hash of its password if it has an account here.
    pub async fn create_subject(&self, sub: &Subject, password: Option<PasswordHash>) -> Result<Creation, StoreError> {
        let _ = (sub, password);
        Err(unbuilt())
    }

    /// A kick, after which only the new password is good.
    pub async fn set_password(&self, sub: &Subject, password: PasswordHash) -> Result<Change, StoreError> {
        let _ = (sub, password);
        Err(unbuilt())
    }

    /// A kick, after which the subject is not there.
    pub async fn delete_subject(&self, sub: &Subject) -> Result<Change, StoreError> {
        let _ = sub;
        Err(unbuilt())
    }

    /// A subject and its live sessions; `None`: there is no such subject.
    pub async fn subject(&self, sub: &Subject) -> Result<Option<SubjectDetails>, StoreError> {
        let _ = sub;
        Err(unbuilt())
    }

    /// A page of at most `limit` subjects in order of their names.
    pub async fn subjects(&self, after: Option<&Subject>, limit: usize) -> Result<SubjectPage, StoreError> {
        let _ = (after, limit);
        Err(unbuilt())
    }

    /// Ends every token there is, and every session too with [`CutoffSessions::End`].
    pub async fn cutoff(&self, sessions: CutoffSessions) -> Result<CutoffSet, StoreError> {
        let _ = sessions;
        Err(unbuilt())
    }

    /// The key ring's sealed bytes.
    pub async fn keys(&self) -> Result<Option<(Version, Vec<u8>)>, StoreError> {
        self.store.keys().await
    }

    /// Swaps the key ring and logs the keys it changed about.
    pub async fn swap_keys(
        &self,
        expected: Option<Version>,
        ring: Vec<u8>,
        changed_kids: &[String],
    ) -> Result<KeySwap, StoreError> {
        let _ = (expected, ring, changed_kids);
        Err(unbuilt())
    }

    /// The newest audit events, newest first; those before number `before` if it is given.
    pub async fn audit(&self, before: Option<u64>, limit: usize) -> Result<Vec<AuditRow>, StoreError> {
        self.store.audit(before, limit).await
    }

    /// A look at the node's copy of the log. Keep it short: every request waits meanwhile.
    pub fn log<R>(&self, look: impl FnOnce(&LogView) -> R) -> R {
        let _ = look;
        unreachable!("not built yet")
    }

    /// Where the copy stands now.
    pub fn standing(&self) -> Standing {
        *self.watch().borrow()
    }

    /// Tells of every change of [`Self::standing`]: news of the log, and confirmations.
    pub fn watch(&self) -> watch::Receiver<Standing> {
        unreachable!("not built yet")
    }

    /// The standing, after a confirmation of the store if the last one is older than the heartbeat. What a list
    /// is signed on.
    pub async fn confirmed(&self) -> Result<Standing, StoreError> {
        Err(unbuilt())
    }

    /// Waits until the copy holds everything up to `position`; at once when it is of another epoch.
    pub async fn reached(&self, position: Cursor) {
        let _ = position;
    }

    /// Follows the store's log until dropped. Run once, in the background.
    pub async fn tail(&self) {}

    /// Beats twice a heartbeat until dropped. Run once, in the background.
    pub async fn heartbeats(&self) {}

    /// One heartbeat: confirms that the store lost nothing (and puts back what it lost), drops log entries past
    /// their time after a last look at their records, forgets records past their keeping.
    pub async fn beat(&self) -> Result<Standing, StoreError> {
        Err(unbuilt())
    }

    /// The limits the rules go by.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }
}

fn unbuilt() -> StoreError {
    StoreError::Unavailable("not built yet".into())
}
