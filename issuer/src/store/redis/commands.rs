//! The operations of the store. Each operation needs one or a few commands.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use doorlist_verifier::{Cursor, Epoch, Seq};
use redis::Value;

use super::error::corrupt;
use super::keys::{BUCKETS, KeyNames};
use super::reply::{NO_EPOCH, State, converted, page, stored};
use super::routing::Servers;
use super::scripts::{Call, Script, Scripts};
use crate::domain::{Appended, AuditEvent, Durability, LogPage, LogSettings, NewEntry, Record, Subject};
use crate::store::clock::seconds;
use crate::store::{
    Commit, Committed, MAX_TALLIES, StoreError, Swap, TALLY_SECS, Tallies, TallyChange, TallyName, Version,
};

/// Largest number of entries that one command reads. Without this limit, reading a long revocation log would delay
/// other requests.
pub(super) const PAGE: usize = 5_000;
/// Largest number of entries that one command appends. A command with many more entries would delay all other
/// requests.
const APPENDED: usize = 1_000;
/// Number of audit events that are kept. When a new event is added, the oldest event is dropped.
pub(super) const AUDIT_KEPT: u64 = 100_000;

/// The parts that the operations of a store need.
pub(super) struct Inner {
    pub(super) servers: Servers,
    pub(super) keys: KeyNames,
    pub(super) scripts: Scripts,
    pub(super) heard: Mutex<Heard>,
    #[cfg(test)]
    pub(super) clock: Option<crate::store::clock::ManualClock>,
}

/// The epoch and the time that this node last received from the store.
pub(super) struct Heard {
    pub(super) epoch: Epoch,
    /// The latest time from the store, in microseconds. Every script gets this time, because the store's clock must
    /// not go back.
    pub(super) micros: u64,
}

impl Inner {
    pub(super) async fn commit(self: Arc<Self>, commit: Commit) -> Result<Committed, StoreError> {
        let Commit { entries, swap, audit, seen, durability } = commit;
        let mut position = Cursor { epoch: self.last_heard().epoch, seq: seen };
        if !entries.is_empty() {
            position = self.append(entries, seen, durability).await?.position();
        }
        if let Some(swap) = swap
            && !self.swap(swap, durability).await?
        {
            return Ok(Committed { swapped: false, position });
        }
        if let Err(error) = self.note(audit).await {
            // The change is already written. So the caller gets no error if only the audit event cannot be written.
            tracing::warn!(%error, "an event is missing in the audit");
        }
        Ok(Committed { swapped: true, position })
    }

    /// Appends entries. The entries of one request are appended in one step. Several steps are needed only when a
    /// node puts a whole lost revocation log back.
    async fn append(
        &self,
        mut entries: Vec<NewEntry>,
        seen: Seq,
        durability: Durability,
    ) -> Result<State, StoreError> {
        loop {
            let rest = entries.split_off(entries.len().min(APPENDED));
            let call =
                self.on_head(&self.scripts.append, &[&self.keys.head, &self.keys.log]).number(seen.get());
            let call = with_entries(call, entries)?;
            let state = self.state(self.servers.run(&call, durability).await?)?;
            if rest.is_empty() {
                return Ok(state);
            }
            entries = rest;
        }
    }

    async fn swap(&self, swap: Swap, durability: Durability) -> Result<bool, StoreError> {
        let Swap { sub, expected, record } = swap;
        let (key, bucket) = (self.keys.record(&sub), self.keys.bucket_of(&sub));
        let call = self
            .scripts
            .swap
            .on(&[&key, &bucket])
            .arg(shown(expected))
            .arg(new_version())
            .arg(text(&record)?)
            .arg(sub.as_str());
        converted(self.servers.run(&call, durability).await?, &key)
    }

    async fn note(&self, events: Vec<AuditEvent>) -> Result<(), StoreError> {
        if events.is_empty() {
            return Ok(());
        }
        let mut call =
            self.on_head(&self.scripts.note, &[&self.keys.head, &self.keys.audit]).number(AUDIT_KEPT);
        for event in &events {
            call = call.arg(text(event)?);
        }
        self.servers.run(&call, Durability::Local).await.map(drop)
    }

    pub(super) async fn swap_keys(
        self: Arc<Self>,
        expected: Option<Version>,
        ring: Vec<u8>,
        entries: Vec<NewEntry>,
        seen: Seq,
    ) -> Result<Committed, StoreError> {
        let KeyNames { head, log, ring: key, .. } = &self.keys;
        let call = self.on_head(&self.scripts.swap_keys, &[head, log, key]).number(seen.get());
        let call = call.arg(shown(expected)).arg(new_version()).arg(ring);
        let call = with_entries(call, entries)?;
        let answer = self.servers.run(&call, Durability::Replicated).await?;
        let (swapped, state): (bool, Value) = converted(answer, key)?;
        Ok(Committed { swapped, position: self.state(state)?.position() })
    }

    /// Swaps the record of the installation. Uses the script that swaps the key ring, but with the key of the
    /// installation's record and without entries.
    pub(super) async fn swap_installation(
        self: Arc<Self>,
        expected: Option<Version>,
        installation: Vec<u8>,
    ) -> Result<bool, StoreError> {
        let KeyNames { head, log, installation: key, .. } = &self.keys;
        let call = self.on_head(&self.scripts.swap_keys, &[head, log, key]).number(0);
        let call = call.arg(shown(expected)).arg(new_version()).arg(installation);
        let (swapped, _): (bool, Value) =
            converted(self.servers.run(&call, Durability::Replicated).await?, key)?;
        Ok(swapped)
    }

    pub(super) async fn merge_settings(&self, settings: LogSettings) -> Result<LogSettings, StoreError> {
        let LogSettings { epoch, retain_secs, cutoff, sessions_since } = settings;
        // A node that does not know the epoch cannot put the epoch back. So this node offers a new epoch.
        let epoch = if epoch == NO_EPOCH { Epoch(rand::random()) } else { epoch };
        let call =
            self.on_head(&self.scripts.merge, &[&self.keys.head, &self.keys.log]).arg(epoch.to_string());
        let call = call.number(retain_secs).number(cutoff.as_secs()).number(sessions_since.as_secs());
        Ok(self.state(self.servers.run(&call, Durability::Replicated).await?)?.settings)
    }

    pub(super) fn page_after(&self, since: Seq) -> Call<'_> {
        let call = self.on_head(&self.scripts.page, &[&self.keys.head, &self.keys.log]);
        call.number(since.get()).number(PAGE as u64)
    }

    /// Turns the answer of the first command into a page. If one command cannot return the whole page, reads the rest
    /// too.
    pub(super) async fn whole_page(&self, since: Seq, first: Value) -> Result<LogPage, StoreError> {
        let KeyNames { head, log, .. } = &self.keys;
        let (continues, mut state, mut entries) = page(first, head, log)?;
        let mut got = entries.len();
        while got == PAGE {
            let so_far = entries.last().map_or(since, |entry| entry.seq);
            let next = self.servers.run(&self.page_after(so_far), Durability::Local).await?;
            let (continues, now, more) = page(next, head, log)?;
            if !continues {
                return Err(StoreError::Unavailable(
                    "the revocation log was trimmed while it was read".to_owned(),
                ));
            }
            got = more.len();
            state = now;
            entries.extend(more);
        }
        self.heard(&state);
        Ok(LogPage { entries, continues, last: state.last, settings: state.settings, now: state.now() })
    }

    /// The records of these subjects, in the same order.
    pub(super) async fn records(
        &self,
        subs: &[Subject],
    ) -> Vec<Result<Option<(Version, Record)>, StoreError>> {
        let places: Vec<_> = subs.iter().map(|sub| self.keys.record(sub)).collect();
        let calls: Vec<_> = places.iter().map(|place| self.scripts.read.on(&[place])).collect();
        let answers = self.servers.run_all(&calls).await.into_iter().zip(&places);
        answers.map(|(answer, place)| stored(answer?, place)).collect()
    }

    /// The first `limit` names after `after`, from all buckets together.
    pub(super) async fn names(
        &self,
        after: Option<&Subject>,
        limit: usize,
    ) -> Result<Vec<Subject>, StoreError> {
        let mut names: Vec<String> = Vec::new();
        let mut after = after.map(|after| after.as_str().to_owned());
        while names.len() < limit {
            let start = after.as_ref().map_or_else(|| "-".to_owned(), |after| format!("({after}"));
            // The number of names to request from each bucket. With this number, a second round is rarely needed.
            let share = (limit - names.len()) * 2 / BUCKETS + 8;
            let keys: Vec<_> = (0..BUCKETS).map(|bucket| self.keys.subjects(bucket)).collect();
            let calls: Vec<_> = keys
                .iter()
                .map(|key| self.scripts.names.on(&[key]).arg(start.as_str()).number(share as u64))
                .collect();
            let mut found: Vec<String> = Vec::new();
            // The answers of all buckets are complete up to this name. `None` if all buckets have returned all of
            // their names.
            let mut complete: Option<String> = None;
            for (answer, key) in self.servers.run_all(&calls).await.into_iter().zip(&keys) {
                let names: Vec<String> = converted(answer?, key)?;
                if names.len() == share {
                    complete = [complete, names.last().cloned()].into_iter().flatten().min();
                }
                found.extend(names);
            }
            if let Some(complete) = &complete {
                found.retain(|name| name <= complete);
            }
            found.sort_unstable();
            names.extend(found);
            match complete {
                Some(complete) => after = Some(complete),
                None => break,
            }
        }
        names.truncate(limit);
        let subject = |name: String| {
            Subject::try_from(name.as_str())
                .map_err(|_| corrupt(&self.keys.anywhere(), "not a valid subject name"))
        };
        names.into_iter().map(subject).collect()
    }

    pub(super) fn state(&self, answer: Value) -> Result<State, StoreError> {
        let state = State::read(answer, &self.keys.head)?;
        self.heard(&state);
        Ok(state)
    }

    fn heard(&self, state: &State) {
        let mut heard = self.last_heard();
        heard.epoch = state.settings.epoch;
        heard.micros = heard.micros.max(state.micros);
    }

    fn last_heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call of a script that reads the head. The first argument is the latest time that this node received.
    pub(super) fn on_head<'a>(&self, script: &'a Script, keys: &[&str]) -> Call<'a> {
        self.timed(script.on(keys).number(self.last_heard().micros))
    }

    /// In tests, adds the test's clock to the call of a script that reads the clock.
    fn timed<'a>(&self, call: Call<'a>) -> Call<'a> {
        #[cfg(test)]
        if let Some(clock) = &self.clock {
            return super::scripts::manual::at(clock, call);
        }
        call
    }

    pub(super) async fn tallies(&self, names: &[TallyName]) -> Result<Tallies, StoreError> {
        let KeyNames { tallies, former_tallies, .. } = &self.keys;
        let call = self.timed(self.scripts.tallies.on(&[tallies, former_tallies]));
        let call = names.iter().fold(call, |call, name| call.arg(*name));
        let answer = self.servers.run(&call, Durability::Local).await?;
        let (micros, values): (u64, Vec<Vec<u8>>) = converted(answer, tallies)?;
        Ok(Tallies { now: seconds(micros), values })
    }

    pub(super) async fn swap_tallies(&self, changes: Vec<TallyChange>) -> Result<bool, StoreError> {
        let KeyNames { tallies, former_tallies, .. } = &self.keys;
        let call = self.timed(self.scripts.swap_tallies.on(&[tallies, former_tallies]));
        let call = call.number(MAX_TALLIES as u64).number(TALLY_SECS * 1_000_000);
        let call = changes.into_iter().fold(call, |call, TallyChange { name, expected, value }| {
            call.arg(name).arg(expected).arg(value)
        });
        converted(self.servers.run(&call, Durability::Local).await?, tallies)
    }
}

/// Adds three arguments for each entry. `scripts/head.lua` describes the arguments.
fn with_entries(mut call: Call<'_>, entries: Vec<NewEntry>) -> Result<Call<'_>, StoreError> {
    for entry in entries {
        let flag = |end_sessions| if end_sessions { "1" } else { "0" };
        let (appended, cutoff, ends) = match entry {
            NewEntry::Cutoff { end_sessions } => (None, None, flag(end_sessions)),
            NewEntry::Restored(Appended::Cutoff { cutoff, end_sessions }) => {
                (Some(Appended::Cutoff { cutoff, end_sessions }), Some(cutoff), flag(end_sessions))
            }
            NewEntry::Restored(appended) => (Some(appended), None, "0"),
            NewEntry::Revoked(revoked) => (Some(Appended::Revoked(revoked)), None, "0"),
            NewEntry::Key { kid } => (Some(Appended::Key { kid }), None, "0"),
            NewEntry::Mark => (Some(Appended::Mark), None, "0"),
        };
        let appended = appended.map(|appended| text(&appended)).transpose()?.unwrap_or_default();
        call = call
            .arg(appended)
            .arg(cutoff.map(|cutoff| cutoff.as_secs().to_string()).unwrap_or_default())
            .arg(ends);
    }
    Ok(call)
}

/// A version in the form that `scripts/master.lua` uses. The text is empty if there was no record.
pub(super) fn shown(version: Option<Version>) -> String {
    version.map(|Version(number)| format!("{number:016x}")).unwrap_or_default()
}

/// The version is random, so that it never equals the version of a record that was removed or lost.
fn new_version() -> String {
    format!("{:016x}", rand::random::<u64>())
}

fn text<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(value).map_err(|error| corrupt("memory", &error.to_string()))
}
