//! Values and helpers for tests of the rules.

use doorlist_verifier::{Cursor, Epoch, Handle, Seq, UnixSeconds};

use super::login::{Decision, LoginHandles, OpenSession, login};
use super::{
    Change, Limits, LogSettings, Logged, Moment, NewEntry, Record, Revocation, Revoked, Subject, SubjectLog,
};

pub(crate) fn alice() -> Subject {
    "alice".try_into().expect("a subject")
}

pub(crate) fn handle(number: u64) -> Handle {
    Handle::new(number).expect("a handle")
}

pub(crate) fn at(seconds: u64) -> UnixSeconds {
    UnixSeconds::saturating_new(seconds)
}

/// The inputs of a rule in a test with one subject: the limits and the subject's part of the revocation log.
/// [`Self::moment`] adds the current time.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) limits: Limits,
    pub(crate) log: SubjectLog,
}

impl World {
    pub(crate) fn new() -> Self {
        let limits = Limits::default();
        let settings = LogSettings {
            epoch: Epoch(1),
            retain_secs: limits.retain_secs(),
            cutoff: UnixSeconds::ZERO,
            sessions_since: UnixSeconds::ZERO,
        };
        let position = Cursor { epoch: Epoch(1), seq: Seq::ZERO };
        Self { limits, log: SubjectLog { revoked: Vec::new(), settings, position } }
    }

    pub(crate) fn moment(&self, now: u64) -> Moment<'_> {
        Moment { now: at(now), limits: &self.limits, log: &self.log }
    }

    /// Appends the entries of a change in the same way as the store does.
    pub(crate) fn append(&mut self, change: &Change, now: u64) {
        for entry in &change.entries {
            if let NewEntry::Revoked(Revoked { revocation, .. }) = entry {
                self.log(*revocation, now);
            }
        }
    }

    pub(crate) fn log(&mut self, revocation: Revocation, now: u64) {
        let seq = Seq::new(self.log.position.seq.get() + 1).expect("a sequence");
        self.log.position.seq = seq;
        self.log.revoked.push(Logged { revocation, seq, at: at(now) });
    }

    /// A record with one session for each of these `sid`s. Each session was opened at `now`.
    pub(crate) fn record(&self, gid: u64, sids: &[u64], now: u64) -> Record {
        sids.iter().fold(Record::new(handle(gid)), |record, sid| match self.log_in(&record, *sid, now) {
            Decision::Open(change, _) => change.record,
            other => panic!("no session: {other:?}"),
        })
    }

    pub(crate) fn log_in(&self, record: &Record, sid: u64, now: u64) -> Decision {
        let open = OpenSession { client_id: "app".into(), ..OpenSession::default() };
        let handles = LoginHandles { sid: handle(sid), gid: handle(u64::MAX) };
        login(&alice(), Some(record), &open, handles, &self.moment(now))
    }
}

/// The handles that a change revokes.
pub(crate) fn revoked(change: &Change) -> Vec<Handle> {
    let handles = change.entries.iter().filter_map(|entry| match entry {
        NewEntry::Revoked(revoked) => Some(revoked.handle()),
        _ => None,
    });
    handles.collect()
}
