//! What goes wrong with a store, when a test wants it to.

use tokio::sync::oneshot;

use super::State;

/// What happens to commits and confirmations.
#[derive(Debug, Default)]
pub(crate) enum Fault {
    #[default]
    None,
    /// The next commit appends, and then its node dies.
    DieBeforeSwap,
    /// The next commit is done, and its answer lost.
    LoseAnswer,
    /// The next commit waits between append and swap.
    PauseBeforeSwap(Pause),
    /// The next commit waits before it does anything.
    PauseBeforeAppend(Pause),
    /// The answer of the next confirmation is held up.
    PauseAfterConfirm(Pause),
    /// The next commit is answered, and the store comes back with this in its place before anybody reads.
    LoseAfterAnswer(Box<State>),
    /// Writes are taken, but no replica has them: what waits for one fails. (Here: confirmations.)
    NoReplica,
    /// Reads are answered, writes are not: a master that was demoted and does not know it.
    RefuseWrites,
    /// The shard of the records fails over to these just before the next record is settled.
    FailOverBeforeSettling(Box<State>),
}

/// The store's side of a stop: tells that it is there, and waits to go on.
#[derive(Debug)]
pub(crate) struct Pause {
    there: oneshot::Sender<()>,
    go_on: oneshot::Receiver<()>,
}

/// The test's side of a stop.
#[derive(Debug)]
pub(crate) struct Paused {
    pub(crate) there: oneshot::Receiver<()>,
    pub(crate) go_on: oneshot::Sender<()>,
}

impl Pause {
    pub(super) async fn stop(self) {
        // Whoever armed it may have stopped caring.
        let _ = self.there.send(());
        let _ = self.go_on.await;
    }
}

pub(crate) fn pause() -> (Pause, Paused) {
    let (tell_there, there) = oneshot::channel();
    let (go_on, told_go_on) = oneshot::channel();
    (Pause { there: tell_there, go_on: told_go_on }, Paused { there, go_on })
}
