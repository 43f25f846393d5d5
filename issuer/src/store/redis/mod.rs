//! Redis or Valkey behind the primitives of a [`Store`]: one server, a master that sentinels know, or a Cluster.
//!
//! A commit appends to the log first and swaps the record second, then writes the audit. What a swap was decided on
//! is named by a version that no other master shows (`scripts/master.lua`), so it never fits elsewhere. The rules of
//! each key are in [`keys`], what one command does in `scripts/`.

mod error;
mod info;
mod keys;
mod node;
mod reply;
mod scripts;
mod servers;
mod url;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use doorlist_verifier::{Cursor, Epoch, Seq, UnixSeconds};
use redis::{TlsCertificates, Value};

pub use keys::{MalformedPrefix, Prefix};
pub use url::{MalformedUrl, RedisUrl};

use self::keys::{BUCKETS, Keys, slot};
use self::reply::{NO_EPOCH, State, audit_row, converted, json, page, versioned};
use self::scripts::{Call, Script, Scripts};
use self::servers::Servers;
use super::{
    AuditRow, Commit, Committed, Confirmation, Reading, Store, StoreError, SubjectRow, Swap, Version,
};
use crate::domain::{Appended, AuditEvent, Durability, LogPage, NewEntry, Settings, Subject};

/// Entries asked for at once: a long log holds up no other request.
const PAGE: usize = 5_000;
/// Events kept; the oldest make room.
const AUDIT_KEPT: u64 = 100_000;

/// See the [module](self).
pub struct RedisStore {
    inner: Arc<Inner>,
}

struct Inner {
    servers: Servers,
    keys: Keys,
    scripts: Scripts,
    heard: Mutex<Heard>,
    #[cfg(test)]
    clock: Option<super::clock::ManualClock>,
}

/// What this node was told last.
struct Heard {
    epoch: Epoch,
    /// The latest time, in microseconds: the store's clock does not go back.
    micros: u64,
}

impl RedisStore {
    /// Finds the servers, refuses those that would lose revocations, and gives a store that holds nothing an epoch.
    /// `ca` are the PEM certificates to trust instead of the usual ones.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] with what to change, [`StoreError::Corrupt`].
    pub async fn open(url: RedisUrl, prefix: Prefix, ca: Option<Vec<u8>>) -> Result<Self, StoreError> {
        if ca.as_ref().is_some_and(|ca| !String::from_utf8_lossy(ca).contains("-----BEGIN CERTIFICATE-----"))
        {
            return Err(StoreError::Unavailable(
                "the file in DOORLIST_STORE_CA_FILE holds no PEM certificate".to_owned(),
            ));
        }
        let certificates = ca.map(|ca| TlsCertificates { client_tls: None, root_cert: Some(ca) });
        Self::start(Inner {
            servers: Servers::of(url, certificates),
            keys: Keys::of(prefix),
            scripts: Scripts::new(),
            heard: Mutex::new(Heard { epoch: NO_EPOCH, micros: 0 }),
            #[cfg(test)]
            clock: None,
        })
        .await
    }

    async fn start(inner: Inner) -> Result<Self, StoreError> {
        inner.servers.check().await?;
        let zero = UnixSeconds::ZERO;
        let first =
            Settings { epoch: Epoch(rand::random()), retain_secs: 0, cutoff: zero, sessions_since: zero };
        inner.merge_settings(first).await?;
        Ok(Self { inner: Arc::new(inner) })
    }
}

/// Does all of it, even when the caller goes away.
async fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::spawn(work).await {
        Ok(done) => done,
        Err(_) => Err(StoreError::Unavailable("shutting down".to_owned())),
    }
}

#[async_trait]
impl Store for RedisStore {
    async fn read(&self, sub: &Subject, since: Seq) -> Result<Reading, StoreError> {
        let Inner { keys, scripts, servers, .. } = &*self.inner;
        let key = keys.record(sub);
        let calls = [scripts.read.on(&[&key]), self.inner.page_after(since)];
        let [record, news] = servers.run_in_order(calls).await?;
        let record = versioned(record, &key)?
            .map(|(version, bytes)| Ok((version, json(&bytes, &key)?)))
            .transpose()?;
        Ok(Reading { record, news: self.inner.whole_page(since, news).await? })
    }

    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError> {
        to_its_end(Arc::clone(&self.inner).commit(commit)).await
    }

    async fn settle(&self, sub: &Subject) -> Result<(), StoreError> {
        let Inner { keys, scripts, servers, .. } = &*self.inner;
        let touch_head = self.inner.on_head(&scripts.confirm, &[&keys.head, &keys.log]).arg("").number(0);
        servers.settle(&touch_head).await?;
        servers.settle(&scripts.settle.on(&[&keys.record(sub)])).await
    }

    async fn log_since(&self, since: Seq) -> Result<LogPage, StoreError> {
        let first = self.inner.servers.run(&self.inner.page_after(since), Durability::Local).await?;
        self.inner.whole_page(since, first).await
    }

    async fn wait_for_news(&self, since: Seq) -> Result<(), StoreError> {
        let Inner { keys, servers, .. } = &*self.inner;
        servers.wait_for_stream(&keys.log, slot(&keys.log), since.get()).await
    }

    async fn confirm(&self, held: Cursor) -> Result<Confirmation, StoreError> {
        let Inner { keys, scripts, servers, .. } = &*self.inner;
        let call = self.inner.on_head(&scripts.confirm, &[&keys.head, &keys.log]);
        let call = call.arg(held.epoch.to_string()).number(held.seq.get());
        let answer = servers.run(&call, Durability::Local).await?;
        // Holds up nothing.
        let inner = Arc::clone(&self.inner);
        tokio::spawn(async move { inner.servers.notice_replicas().await });
        let (whole, state): (bool, Value) = converted(answer, &keys.head)?;
        let state = self.inner.state(state)?;
        Ok(Confirmation { now: state.now(), whole, position: state.position() })
    }

    async fn trim(&self, through: Seq) -> Result<(), StoreError> {
        let Inner { keys, scripts, servers, .. } = &*self.inner;
        let call = self.inner.on_head(&scripts.trim, &[&keys.head, &keys.log]).number(through.get());
        servers.run(&call, Durability::Local).await.map(drop)
    }

    async fn merge_settings(&self, settings: Settings) -> Result<Settings, StoreError> {
        self.inner.merge_settings(settings).await
    }

    async fn settings(&self) -> Result<Settings, StoreError> {
        let Inner { keys, scripts, servers, .. } = &*self.inner;
        let call = self.inner.on_head(&scripts.state, &[&keys.head]);
        Ok(self.inner.state(servers.run(&call, Durability::Local).await?)?.settings)
    }

    async fn keys(&self) -> Result<Option<(Version, Vec<u8>)>, StoreError> {
        let Inner { keys, scripts, servers, .. } = &*self.inner;
        versioned(servers.run(&scripts.read.on(&[&keys.ring]), Durability::Local).await?, &keys.ring)
    }

    async fn swap_keys(
        &self,
        expected: Option<Version>,
        ring: Vec<u8>,
        entries: Vec<NewEntry>,
        seen: Seq,
    ) -> Result<Committed, StoreError> {
        to_its_end(Arc::clone(&self.inner).swap_keys(expected, ring, entries, seen)).await
    }

    async fn subjects(&self, after: Option<&Subject>, limit: usize) -> Result<Vec<SubjectRow>, StoreError> {
        let Inner { keys, scripts, servers, .. } = &*self.inner;
        let names = self.inner.names(after, limit).await?;
        let calls: Vec<_> = names.iter().map(|sub| scripts.read.on(&[&keys.record(sub)])).collect();
        let records = servers.run_all(&calls).await;
        let mut rows = Vec::with_capacity(names.len());
        for (sub, record) in names.into_iter().zip(records) {
            let place = keys.record(&sub);
            let record = match record.and_then(|record| versioned(record, &place)) {
                Ok(Some((version, bytes))) => json(&bytes, &place).map(|record| (version, record)),
                // Forgotten since its name was read.
                Ok(None) => continue,
                Err(error @ StoreError::Unavailable(_)) => return Err(error),
                Err(error @ StoreError::Corrupt { .. }) => Err(error),
            };
            rows.push(SubjectRow { sub, record });
        }
        Ok(rows)
    }

    async fn audit(&self, before: Option<u64>, limit: usize) -> Result<Vec<AuditRow>, StoreError> {
        let Inner { keys, scripts, servers, .. } = &*self.inner;
        let newest = before.map_or_else(|| "+".to_owned(), |before| format!("({before}-0"));
        let call = scripts.audit.on(&[&keys.audit]).arg(newest).number(limit as u64);
        let rows: Vec<_> = converted(servers.run(&call, Durability::Local).await?, &keys.audit)?;
        rows.into_iter().map(|row| audit_row(row, &keys.audit)).collect()
    }

    async fn forget(&self, sub: &Subject, expected: Version) -> Result<bool, StoreError> {
        let Inner { keys, scripts, servers, .. } = &*self.inner;
        let (record, bucket) = (keys.record(sub), keys.bucket_of(sub));
        let call = scripts.forget.on(&[&record, &bucket]).arg(shown(Some(expected))).arg(sub.as_str());
        converted(servers.run(&call, Durability::Local).await?, &record)
    }
}

impl Inner {
    async fn commit(self: Arc<Self>, commit: Commit) -> Result<Committed, StoreError> {
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
            // What happened did happen.
            tracing::warn!(%error, "the audit misses an event");
        }
        Ok(Committed { swapped: true, position })
    }

    async fn append(
        &self,
        entries: Vec<NewEntry>,
        seen: Seq,
        durability: Durability,
    ) -> Result<State, StoreError> {
        let call = self.on_head(&self.scripts.append, &[&self.keys.head, &self.keys.log]).number(seen.get());
        let call = with_entries(call, entries)?;
        self.state(self.servers.run(&call, durability).await?)
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

    async fn swap_keys(
        self: Arc<Self>,
        expected: Option<Version>,
        ring: Vec<u8>,
        entries: Vec<NewEntry>,
        seen: Seq,
    ) -> Result<Committed, StoreError> {
        let Keys { head, log, ring: key, .. } = &self.keys;
        let call = self.on_head(&self.scripts.swap_keys, &[head, log, key]).number(seen.get());
        let call = call.arg(shown(expected)).arg(new_version()).arg(ring);
        let call = with_entries(call, entries)?;
        let answer = self.servers.run(&call, Durability::Replicated).await?;
        let (swapped, state): (bool, Value) = converted(answer, key)?;
        Ok(Committed { swapped, position: self.state(state)?.position() })
    }

    async fn merge_settings(&self, settings: Settings) -> Result<Settings, StoreError> {
        let Settings { epoch, retain_secs, cutoff, sessions_since } = settings;
        // Whoever knows of no epoch has none to put back.
        let epoch = if epoch == NO_EPOCH { Epoch(rand::random()) } else { epoch };
        let call = self.on_head(&self.scripts.merge, &[&self.keys.head]).arg(epoch.to_string());
        let call = call.number(retain_secs).number(cutoff.as_secs()).number(sessions_since.as_secs());
        Ok(self.state(self.servers.run(&call, Durability::Replicated).await?)?.settings)
    }

    fn page_after(&self, since: Seq) -> Call<'_> {
        let call = self.on_head(&self.scripts.page, &[&self.keys.head, &self.keys.log]);
        call.number(since.get()).number(PAGE as u64)
    }

    /// The rest of a page that is longer than is asked for at once.
    async fn whole_page(&self, since: Seq, first: Value) -> Result<LogPage, StoreError> {
        let Keys { head, log, .. } = &self.keys;
        let (continues, mut state, mut entries) = page(first, head, log)?;
        let mut got = entries.len();
        while got == PAGE {
            let so_far = entries.last().map_or(since, |entry| entry.seq);
            let next = self.servers.run(&self.page_after(so_far), Durability::Local).await?;
            let (continues, now, more) = page(next, head, log)?;
            if !continues {
                return Err(StoreError::Unavailable("the log was cut while it was read".to_owned()));
            }
            got = more.len();
            state = now;
            entries.extend(more);
        }
        self.heard(&state);
        Ok(LogPage { entries, continues, last: state.last, settings: state.settings, now: state.now() })
    }

    /// The first names after one, from all buckets.
    async fn names(&self, after: Option<&Subject>, limit: usize) -> Result<Vec<Subject>, StoreError> {
        let mut names: Vec<String> = Vec::new();
        let mut after = after.map(|after| after.as_str().to_owned());
        while names.len() < limit {
            let start = after.as_ref().map_or_else(|| "-".to_owned(), |after| format!("({after}"));
            // So many that a second round is rare.
            let share = (limit - names.len()) * 2 / BUCKETS + 8;
            let keys: Vec<_> = (0..BUCKETS).map(|bucket| self.keys.subjects(bucket)).collect();
            let calls: Vec<_> = keys
                .iter()
                .map(|key| self.scripts.names.on(&[key]).arg(start.as_str()).number(share as u64))
                .collect();
            let mut found: Vec<String> = Vec::new();
            // Up to here no bucket has names that were not given.
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
                .map_err(|_| error::corrupt(&self.keys.anywhere(), "a name that is no subject"))
        };
        names.into_iter().map(subject).collect()
    }

    fn state(&self, answer: Value) -> Result<State, StoreError> {
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

    /// A call of a script that opens the head.
    fn on_head<'a>(&self, script: &'a Script, keys: &[&str]) -> Call<'a> {
        let call = script.on(keys).number(self.last_heard().micros);
        #[cfg(test)]
        if let Some(clock) = &self.clock {
            return scripts::manual::at(clock, call);
        }
        call
    }
}

/// Three arguments an entry, as `scripts/head.lua` says.
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

/// A version as `scripts/master.lua` shows it; empty for no record.
fn shown(version: Option<Version>) -> String {
    version.map(|Version(number)| format!("{number:016x}")).unwrap_or_default()
}

/// Random, and so never that of a record that was forgotten or lost.
fn new_version() -> String {
    format!("{:016x}", rand::random::<u64>())
}

fn text<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(value).map_err(|error| error::corrupt("memory", &error.to_string()))
}

#[cfg(test)]
mod tests;
