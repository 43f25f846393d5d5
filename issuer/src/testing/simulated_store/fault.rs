//! The faults that a test can cause in a store.

use tokio::sync::oneshot;

use super::State;

/// The fault for the next commit, confirmation or call of `settle`.
#[derive(Debug, Default)]
pub(crate) enum Fault {
    #[default]
    None,
    /// The next commit appends its entries and then fails before the swap, as if the node had died.
    DieBeforeSwap,
    /// The next commit is done, but its answer is lost.
    LoseAnswer,
    /// The next commit pauses between appending and swapping.
    PauseBeforeSwap(Pause),
    /// The next commit pauses before it does anything.
    PauseBeforeAppend(Pause),
    /// The answer to the next confirmation is delayed.
    PauseAfterConfirm(Pause),
    /// The next commit is done and answered. Then, before the next request, another master takes over with this state.
    LoseAfterAnswer(Box<State>),
    /// Writes are accepted but do not reach a replica. So a request that waits for a replica fails. (In this test
    /// store, only confirmations wait for a replica.)
    NoReplica,
    /// Reads are answered and writes are refused. An old master behaves like this while it does not know yet that
    /// another master has taken over.
    RefuseWrites,
    /// Just before the next record is settled, another master takes over the records, with the records of this state.
    /// The revocation log does not change.
    FailOverBeforeSettling(Box<State>),
}

/// The store's side of a pause. A request that reaches the pause tells the test. The request then waits until the
/// test lets it continue.
#[derive(Debug)]
pub(crate) struct Pause {
    there: oneshot::Sender<()>,
    go_on: oneshot::Receiver<()>,
}

/// The test's side of a pause.
#[derive(Debug)]
pub(crate) struct Paused {
    pub(crate) there: oneshot::Receiver<()>,
    pub(crate) go_on: oneshot::Sender<()>,
}

impl Pause {
    pub(super) async fn stop(self) {
        // An error means that the test has dropped its side of the pause. The request then continues.
        let _ = self.there.send(());
        let _ = self.go_on.await;
    }
}

pub(crate) fn pause() -> (Pause, Paused) {
    let (tell_there, there) = oneshot::channel();
    let (go_on, told_go_on) = oneshot::channel();
    (Pause { there: tell_there, go_on: told_go_on }, Paused { there, go_on })
}
