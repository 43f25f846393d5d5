//! An in-memory store for tests that behaves like a store on the network. `commit` first appends and then swaps. A
//! test can stop a commit between the two steps, drop an answer, or let a failover restore an older state.

mod fault;
mod state;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use doorlist_verifier::{Cursor, Epoch, Seq, UnixSeconds};
use tokio::sync::watch;

pub(crate) use self::fault::{Fault, Pause, Paused, pause};
use self::state::NO_EPOCH;
pub(crate) use self::state::State;
use crate::domain::{Appended, LogEntry, LogPage, LogSettings, NewEntry, Subject};
use crate::store::clock::{ManualClock, StoreClock};
use crate::store::{
    AuditRow, Commit, Committed, Confirmation, Reading, Store, StoreError, SubjectRow, Swap, Tallies,
    TallyChange, TallyName, Version,
};

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct SimulatedStore {
    state: Mutex<State>,
    fault: Mutex<Fault>,
    clock: StoreClock,
    news: watch::Sender<Seq>,
}

impl SimulatedStore {
    pub(crate) fn new(clock: ManualClock) -> Self {
        Self {
            state: Mutex::new(State::new(Epoch(0x0123_4567_89ab_cdef))),
            fault: Mutex::default(),
            clock: StoreClock::new(Arc::new(clock), 0),
            news: watch::Sender::new(Seq::ZERO),
        }
    }

    pub(crate) fn state(&self) -> State {
        self.locked().clone()
    }

    /// Another master takes over with this state.
    pub(crate) fn fail_over_to(&self, state: State) {
        let mut current = self.locked();
        let (master, next_version) = (current.master + 1, current.next_version);
        *current = State { master, next_version, ..state };
    }

    /// The shard of the records fails over. The revocation log is on another shard and does not change.
    pub(crate) fn fail_over_records_to(&self, state: &State) {
        let records = state.records.clone();
        let current = self.state();
        self.fail_over_to(State { records, ..current });
    }

    /// Sets the fault for the next requests.
    pub(crate) fn arm(&self, fault: Fault) {
        *self.armed() = fault;
    }

    fn armed(&self) -> MutexGuard<'_, Fault> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the fault for one commit and clears it. `RefuseWrites` and `NoReplica` are not cleared.
    fn take_fault(&self) -> Fault {
        let mut fault = self.armed();
        match *fault {
            Fault::RefuseWrites => Fault::RefuseWrites,
            Fault::NoReplica => Fault::NoReplica,
            Fault::FailOverBeforeSettling(_) | Fault::PauseAfterConfirm(_) => Fault::None,
            _ => std::mem::take(&mut *fault),
        }
    }

    /// Returns the fault and clears it, but only if the fault is of this kind.
    fn take_fault_if<T>(&self, kind: impl FnOnce(Fault) -> Result<T, Fault>) -> Option<T> {
        let mut fault = self.armed();
        match kind(std::mem::take(&mut *fault)) {
            Ok(taken) => Some(taken),
            Err(other) => {
                *fault = other;
                None
            }
        }
    }

    fn take_fail_over(&self) -> Option<Box<State>> {
        self.take_fault_if(|fault| match fault {
            Fault::FailOverBeforeSettling(state) => Ok(state),
            other => Err(other),
        })
    }

    fn pause_after_confirm(&self) -> Option<Pause> {
        self.take_fault_if(|fault| match fault {
            Fault::PauseAfterConfirm(pause) => Ok(pause),
            other => Err(other),
        })
    }

    fn writable(&self) -> Result<(), StoreError> {
        match *self.armed() {
            Fault::RefuseWrites => {
                Err(StoreError::Unavailable("too few connected replicas to accept a write".into()))
            }
            _ => Ok(()),
        }
    }

    fn now(&self) -> UnixSeconds {
        self.clock.now()
    }

    fn append(&self, entries: Vec<NewEntry>, seen: Seq) {
        let mut state = self.locked();
        for entry in entries {
            let number = state.last.get().max(seen.get()) + 1;
            let seq = Seq::new(number.max(self.clock.tick())).expect("a sequence");
            let entry = match entry {
                NewEntry::Revoked(revoked) => Appended::Revoked(revoked),
                NewEntry::Cutoff { end_sessions } => {
                    let cutoff = self.now().max(state.settings.cutoff).plus_secs(1);
                    Appended::Cutoff { cutoff, end_sessions }
                }
                NewEntry::Key { kid } => Appended::Key { kid },
                NewEntry::Mark => Appended::Mark,
                NewEntry::Restored(appended) => appended,
            };
            if let Appended::Cutoff { cutoff, end_sessions } = entry {
                let sessions_since = if end_sessions { cutoff } else { UnixSeconds::ZERO };
                let raised = LogSettings { cutoff, sessions_since, ..state.settings };
                state.settings = state.settings.merged(&raised);
            }
            state.log.insert(seq, LogEntry { seq, at: self.now(), entry });
            state.last = seq;
        }
        self.news.send_replace(state.last);
    }

    fn swap(&self, swap: Swap) -> bool {
        let mut state = self.locked();
        if state.version_of(&swap.sub) != swap.expected {
            return false;
        }
        let version = state.next_version();
        state.records.insert(swap.sub, (version, swap.record));
        true
    }
}

fn died() -> StoreError {
    StoreError::Unavailable("the connection broke".into())
}

#[async_trait]
impl Store for SimulatedStore {
    async fn read(&self, sub: &Subject, since: Seq) -> Result<Reading, StoreError> {
        let state = self.locked();
        let record = state.records.get(sub);
        let record = record.map(|(version, record)| (state.here(*version), record.clone()));
        Ok(Reading { record, news: state.page(since, self.now()) })
    }

    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError> {
        self.writable()?;
        let fault = self.take_fault();
        if let Fault::PauseBeforeAppend(pause) = fault {
            pause.stop().await;
            return self.commit(commit).await;
        }
        self.append(commit.entries, commit.seen);
        let fault = match fault {
            Fault::DieBeforeSwap => return Err(died()),
            Fault::PauseBeforeSwap(pause) => {
                pause.stop().await;
                Fault::None
            }
            fault => fault,
        };
        let swapped = commit.swap.is_none_or(|swap| self.swap(swap));
        let mut state = self.locked();
        if swapped {
            for event in commit.audit {
                let number = state.audit.len() as u64 + 1;
                let row = AuditRow { number, at: self.now(), event };
                state.audit.push(row);
            }
        }
        match fault {
            Fault::LoseAnswer => Err(died()),
            Fault::LoseAfterAnswer(lost) => {
                let position = state.position();
                let (master, next_version) = (state.master + 1, state.next_version);
                *state = State { master, next_version, ..*lost };
                Ok(Committed { swapped, position })
            }
            _ => Ok(Committed { swapped, position: state.position() }),
        }
    }

    async fn settle(&self, sub: &Subject, read: Option<Version>) -> Result<bool, StoreError> {
        if let Some(state) = self.take_fail_over() {
            self.fail_over_records_to(&state);
        }
        Ok(self.locked().version_of(sub) == read)
    }

    async fn log_since(&self, since: Seq) -> Result<LogPage, StoreError> {
        Ok(self.locked().page(since, self.now()))
    }

    async fn wait_for_news(&self, since: Seq) -> Result<(), StoreError> {
        self.news.subscribe().wait_for(|last| *last > since).await.map(drop).map_err(|_| died())
    }

    async fn confirm(&self, held: Cursor) -> Result<Confirmation, StoreError> {
        if matches!(*self.armed(), Fault::NoReplica) {
            return Err(died());
        }
        self.writable()?;
        let confirmation = {
            let state = self.locked();
            let whole = state.has(held.seq) && held.epoch == state.settings.epoch;
            Confirmation { now: self.now(), whole, position: state.position() }
        };
        if let Some(pause) = self.pause_after_confirm() {
            pause.stop().await;
        }
        Ok(confirmation)
    }

    async fn trim(&self, through: Seq) -> Result<(), StoreError> {
        let mut state = self.locked();
        state.log.retain(|seq, _| *seq > through);
        state.trimmed = state.trimmed.max(through);
        Ok(())
    }

    async fn merge_settings(&self, settings: LogSettings) -> Result<LogSettings, StoreError> {
        let mut state = self.locked();
        if state.settings.epoch == NO_EPOCH {
            state.settings.epoch = settings.epoch;
        }
        state.settings = state.settings.merged(&settings);
        Ok(state.settings)
    }

    async fn settings(&self) -> Result<LogSettings, StoreError> {
        Ok(self.locked().settings)
    }

    async fn keys(&self) -> Result<Option<(Version, Vec<u8>)>, StoreError> {
        let state = self.locked();
        Ok(state.keys.as_ref().map(|(version, ring)| (state.here(*version), ring.clone())))
    }

    async fn swap_keys(
        &self,
        expected: Option<Version>,
        ring: Vec<u8>,
        entries: Vec<NewEntry>,
        seen: Seq,
    ) -> Result<Committed, StoreError> {
        let swapped = {
            let mut state = self.locked();
            let swapped = state.keys.as_ref().map(|(version, _)| state.here(*version)) == expected;
            if swapped {
                let version = state.next_version();
                state.keys = Some((version, ring));
            }
            swapped
        };
        if swapped {
            self.append(entries, seen);
        }
        Ok(Committed { swapped, position: self.locked().position() })
    }

    async fn installation(&self) -> Result<Option<(Version, Vec<u8>)>, StoreError> {
        let state = self.locked();
        Ok(state.installation.as_ref().map(|(version, bytes)| (state.here(*version), bytes.clone())))
    }

    async fn swap_installation(
        &self,
        expected: Option<Version>,
        installation: Vec<u8>,
    ) -> Result<bool, StoreError> {
        let mut state = self.locked();
        let swapped = state.installation.as_ref().map(|(version, _)| state.here(*version)) == expected;
        if swapped {
            let version = state.next_version();
            state.installation = Some((version, installation));
        }
        Ok(swapped)
    }

    async fn subjects(&self, after: Option<&Subject>, limit: usize) -> Result<Vec<SubjectRow>, StoreError> {
        let state = self.locked();
        let rows = state.records.iter().filter(|(sub, _)| after.is_none_or(|after| *sub > after)).take(limit);
        let rows = rows.map(|(sub, (version, record))| SubjectRow {
            sub: sub.clone(),
            record: Ok((state.here(*version), record.clone())),
        });
        Ok(rows.collect())
    }

    async fn audit(&self, before: Option<u64>, limit: usize) -> Result<Vec<AuditRow>, StoreError> {
        let state = self.locked();
        let rows = state.audit.iter().rev().filter(|row| before.is_none_or(|before| row.number < before));
        Ok(rows.take(limit).cloned().collect())
    }

    async fn tallies(&self, names: &[TallyName]) -> Result<Tallies, StoreError> {
        Ok(self.locked().tallies.read(names, self.now()))
    }

    async fn swap_tallies(&self, changes: Vec<TallyChange>) -> Result<bool, StoreError> {
        Ok(self.locked().tallies.swap(changes, self.now()))
    }

    async fn forget(&self, sub: &Subject, expected: Version) -> Result<bool, StoreError> {
        let mut state = self.locked();
        let forgotten = state.version_of(sub) == Some(expected);
        if forgotten {
            state.records.remove(sub);
        }
        Ok(forgotten)
    }
}

#[tokio::test]
async fn the_simulated_store_keeps_the_contract_of_a_store() {
    crate::store::contract::all(async |clock| SimulatedStore::new(clock)).await;
}
