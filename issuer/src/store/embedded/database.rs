//! The open database file, and how it is opened again after the storage failed.
//!
//! After one I/O error (a full disk, a loose cable) redb refuses every further operation until the file is closed and
//! opened again. So after a failure the file is closed at once. Until the file is open again, every caller gets the
//! reason as an error. A thread tries to open the file again until it succeeds.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::thread;
use std::time::Duration;

use redb::Database;

use super::tables::{Head, corrupt};
use super::transaction::Fault;
use super::writer::unavailable;
use crate::store::StoreError;

/// Pause before the first attempt to open the file again. The pause doubles after each attempt, up to
/// [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Opens the file: at the start, and again after each failure.
pub(super) type Open = Box<dyn Fn() -> Result<(Database, Head), StoreError> + Send + Sync>;

/// Checks the head of a file that was opened again.
type OnReopened = Box<dyn Fn(&Head) -> Result<(), StoreError> + Send + Sync>;

/// A database that is opened again after its storage failed.
#[derive(Clone)]
pub(super) struct Reopening(Arc<Inner>);

struct Inner {
    state: RwLock<State>,
    open: Open,
    on_reopened: OnReopened,
}

enum State {
    /// The database, and the number of times that the file was opened again.
    Open(Database, u64),
    /// The reason for the failure, and the number of times that the file was opened again before this failure. The
    /// file is closed. A thread tries to open the file until an attempt succeeds or the store is closed.
    Failed(StoreError, u64),
    Closed,
}

impl fmt::Debug for Reopening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reopening").field("failure", &self.failure()).finish_non_exhaustive()
    }
}

impl Reopening {
    /// Wraps an open database. `on_reopened` checks the file each time the file has been opened again. If
    /// `on_reopened` returns an error, the file is closed again.
    pub(super) fn new(db: Database, open: Open, on_reopened: OnReopened) -> Self {
        let state = RwLock::new(State::Open(db, 0));
        Self(Arc::new(Inner { state, open, on_reopened }))
    }

    /// Runs `act` on the open database. If the storage fails, closes the file and starts the thread that opens the
    /// file again.
    pub(super) fn with<T>(&self, act: impl FnOnce(&Database) -> Result<T, Fault>) -> Result<T, StoreError> {
        let (outcome, opening) = match &*self.read() {
            State::Open(db, opening) => (catch_unwind(AssertUnwindSafe(|| act(db))), *opening),
            State::Failed(error, _) => return Err(error.clone()),
            State::Closed => return Err(closed()),
        };
        match outcome {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(Fault::Job(error))) => Err(error),
            Ok(Err(Fault::Storage(error))) => {
                let is_final = ends_every_operation(&error);
                let error = unavailable(error);
                if is_final {
                    self.fail(error.clone(), opening);
                }
                Err(error)
            }
            Err(panic) => Err(damaged(&*panic)),
        }
    }

    /// The reason why the file is closed. `None` while the file is open.
    pub(super) fn failure(&self) -> Option<StoreError> {
        match &*self.read() {
            State::Open(..) => None,
            State::Failed(error, _) => Some(error.clone()),
            State::Closed => Some(closed()),
        }
    }

    /// Closes the file. The file is not opened again.
    pub(super) fn close(&self) {
        *self.write() = State::Closed;
    }

    /// Closes the failed file and starts the thread that opens the file again. Does nothing if another thread has
    /// already closed the failed file.
    fn fail(&self, error: StoreError, opening: u64) {
        {
            let mut state = self.write();
            if !matches!(*state, State::Open(_, now) if now == opening) {
                return;
            }
            *state = State::Failed(error.clone(), opening);
        }
        tracing::error!(%error, "the store failed; the issuer opens it again as soon as possible");
        let weak = Arc::downgrade(&self.0);
        let retry = move || {
            let mut pause = FIRST_PAUSE;
            loop {
                thread::park_timeout(pause);
                pause = (2 * pause).min(LONGEST_PAUSE);
                let Some(inner) = weak.upgrade() else { return };
                match Self(inner).reopen() {
                    Ok(()) => return,
                    Err(error) => tracing::debug!(%error, "the store cannot be opened yet"),
                }
            }
        };
        if let Err(error) = thread::Builder::new().name("store-reopen".into()).spawn(retry) {
            tracing::error!(%error, "no thread can be started to open the store again; restart the issuer");
        }
    }

    /// Tries once to open the file. Also returns `Ok` if the file is already open or the store is closed.
    fn reopen(&self) -> Result<(), StoreError> {
        // The lock is held during the whole attempt. Otherwise another thread could close the store before the file
        // is opened here.
        let mut state = self.write();
        let State::Failed(_, opening) = *state else { return Ok(()) };
        let opened = catch_unwind(AssertUnwindSafe(|| (self.0.open)()))
            .unwrap_or_else(|panic| Err(damaged(&*panic)))
            .and_then(|(db, head)| (self.0.on_reopened)(&head).map(|()| db));
        match opened {
            Ok(db) => {
                *state = State::Open(db, opening + 1);
                tracing::warn!("the store is open again");
                Ok(())
            }
            Err(error) => {
                *state = State::Failed(error.clone(), opening);
                Err(error)
            }
        }
    }

    // After a panic the state is still complete, because every write to the state is one assignment.
    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.0.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.0.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether redb will fail every later operation on the open file after `error`.
fn ends_every_operation(error: &redb::Error) -> bool {
    use redb::Error::{DatabaseClosed, Io, LockPoisoned, PreviousIo};
    matches!(error, Io(_) | PreviousIo | LockPoisoned(_) | DatabaseClosed)
}

fn closed() -> StoreError {
    StoreError::Unavailable("the store is closed".into())
}

/// Turns a panic of redb into an error. For some kinds of damage, redb panics and does not return an error.
pub(super) fn damaged(panic: &(dyn Any + Send)) -> StoreError {
    let said = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    corrupt("the file", said.unwrap_or("damaged"))
}
