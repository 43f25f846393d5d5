//! The writer thread. It takes the queued jobs, runs them in one transaction, and answers each caller when the
//! transaction is on disk.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use redb::{Database, Durability};
use tokio::sync::{mpsc, oneshot};

use super::Shared;
use super::tables::{Head, corrupt};
use super::transaction::{Fault, Work, Written};
use crate::store::StoreError;

/// Largest number of jobs in one transaction. In a larger transaction, each caller would wait longer for the jobs of
/// other callers.
const BATCH: usize = 256;
/// Largest number of jobs that wait for the writer. Further callers wait until there is room in the queue.
const QUEUE: usize = 1024;

/// A function that sends the answer to the caller after the commit. If this function is dropped before it is called,
/// the caller gets an error.
type Reply = Box<dyn FnOnce() + Send>;
/// A function that runs one job of a transaction. The function returns the job's [`Reply`] and a result. If the result
/// is an error of the storage, the writer must drop the [`Reply`] without calling it.
type Job = Box<dyn FnOnce(&mut Work<'_>) -> (Reply, Result<(), redb::Error>) + Send>;

/// Sends jobs to the writer thread. When this value is dropped, the drop waits until the thread has finished the
/// queued jobs and has ended.
#[derive(Debug)]
pub(super) struct Writer {
    queue: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    /// The error of the last transaction that failed. The callers whose replies were dropped get this error.
    failure: Arc<Mutex<Option<StoreError>>>,
}

impl Writer {
    pub(super) fn start(shared: Arc<Shared>) -> Result<Self, StoreError> {
        let (queue, jobs) = mpsc::channel(QUEUE);
        let failure = Arc::new(Mutex::new(None));
        let told = failure.clone();
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || run(&shared, jobs, &told))
            .map_err(|error| StoreError::Unavailable(format!("no thread for the writer: {error}")))?;
        Ok(Self { queue: Some(queue), thread: Some(thread), failure })
    }

    /// Queues a job and waits until its writes are durable. If the caller drops this future, the thread still does
    /// the queued job.
    pub(super) async fn write<T, F>(&self, op: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Work<'_>) -> Result<T, Fault> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |work| {
            let result = match op(work) {
                Ok(value) => Ok(value),
                Err(Fault::Job(error)) => Err(error),
                Err(Fault::Storage(error)) => return (Box::new(move || drop(answer)), Err(error)),
            };
            // If the caller is gone, the answer is lost, but the job is done.
            (Box::new(move || drop(answer.send(result))), Ok(()))
        });
        let queue = self.queue.as_ref().ok_or_else(|| self.why())?;
        queue.send(job).await.map_err(|_| self.why())?;
        answered.await.map_err(|_| self.why())?
    }

    fn why(&self) -> StoreError {
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.clone().unwrap_or_else(|| StoreError::Unavailable("the store is closed".into()))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // The thread catches its own panics, so the result of the join is not needed.
            drop(thread.join());
        }
    }
}

fn run(shared: &Shared, mut jobs: mpsc::Receiver<Job>, failure: &Mutex<Option<StoreError>>) {
    while let Some(first) = jobs.blocking_recv() {
        let mut batch = VecDeque::from([first]);
        while batch.len() < BATCH
            && let Ok(job) = jobs.try_recv()
        {
            batch.push_back(job);
        }
        // `batch` and `replies` are dropped at the end of each round of this loop. So after an error, the reason is in
        // `failure` before a caller notices that the caller's reply was dropped.
        let mut replies = Vec::with_capacity(batch.len());
        let stamp = shared.clock.hold();
        let done = shared.file.with(|db| transact(db, stamp, &mut batch, &mut replies));
        shared.clock.go_on();
        match done {
            Ok(head) => {
                shared.news.send_if_modified(|last| std::mem::replace(last, head.last) != head.last);
                replies.into_iter().for_each(|reply| reply());
            }
            Err(error) => {
                tracing::warn!(%error, "a transaction failed");
                *failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            }
        }
    }
}

/// Runs the whole batch in one durable transaction. If the transaction fails, no write of any job takes place. A job
/// that finds a conflict writes nothing and does not affect the other jobs.
fn transact(
    db: &Database,
    now_micros: u64,
    batch: &mut VecDeque<Job>,
    replies: &mut Vec<Reply>,
) -> Result<Head, Fault> {
    let mut txn = db.begin_write()?;
    txn.set_durability(Durability::Immediate)?;
    // With quick repair, redb does not need to read the whole file to open the file after a crash.
    txn.set_quick_repair(true);
    let (head, written) = work(&txn, now_micros, batch, replies)?;
    match written {
        Written::Something => txn.commit()?,
        Written::Nothing => txn.abort()?,
    }
    Ok(head)
}

fn work(
    txn: &redb::WriteTransaction,
    now_micros: u64,
    batch: &mut VecDeque<Job>,
    replies: &mut Vec<Reply>,
) -> Result<(Head, Written), Fault> {
    let mut work = Work::begin(txn, now_micros)?;
    while let Some(job) = batch.pop_front() {
        let (reply, done) = job(&mut work);
        replies.push(reply);
        done?;
    }
    work.finish()
}

/// Turns an error of redb into an error of the store.
pub(super) fn unavailable(error: impl Into<redb::Error>) -> StoreError {
    match error.into() {
        redb::Error::Corrupted(reason) => corrupt("the file", &reason),
        redb::Error::DatabaseAlreadyOpen => StoreError::Away {
            place: "the file".into(),
            reason: "the file is open in another process; only one may have it".into(),
        },
        error => StoreError::Unavailable(error.to_string()),
    }
}
