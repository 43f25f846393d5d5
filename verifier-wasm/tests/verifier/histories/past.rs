//! Computes the required state of a verifier from all the inputs that the verifier has received.

use std::collections::BTreeSet;

use doorlist_verifier::{HostTime, KeyId, MissingListPolicy, Options, RevocationList, StalePolicy};

use super::Token;
use crate::support::*;

/// All accepted lists in order, and the keys from other sources.
pub struct Past {
    options: Options,
    taken: Vec<(RevocationList, HostTime)>,
    trusted: BTreeSet<KeyId>,
    dropped: BTreeSet<KeyId>,
}

/// Whether the verifier still holds a handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listed {
    /// No accepted list contained the handle.
    Never,
    /// The handle must be held, because no list has arrived that could have removed it.
    Surely,
    /// A list has arrived that allows the removal. It is unknown whether the handle is still held.
    Perhaps,
}

impl Past {
    pub fn new(options: Options) -> Self {
        let trusted = [1, 2, 3].map(kid).into();
        Self { options, taken: Vec::new(), trusted, dropped: BTreeSet::new() }
    }

    pub fn took(&mut self, list: RevocationList, at: HostTime) {
        if let Some(jwks) = &list.jwks {
            let kids = jwks.keys.iter().map(|key| key.kid()).collect();
            self.dropped = (&(&self.dropped | &self.trusted)) - &kids;
            self.trusted = kids;
        }
        self.taken.push((list, at));
    }

    pub fn configured(&mut self, key: u8) {
        if !self.dropped.contains(&kid(key)) {
            self.trusted.insert(kid(key));
        }
    }

    pub fn trusts(&self, token: &Token) -> bool {
        self.trusted.contains(&kid(token.key))
    }

    /// The sequence number of the held list. 100 if no list is held.
    pub fn sequence(&self) -> u64 {
        self.last().map_or(100, |list| list.seq.get())
    }

    /// FORMAT.md §5. The verifier's time is the latest of these times: the wall clock and, for each accepted list, the
    /// list's `iat` plus the time that has passed since the list arrived.
    pub fn now(&self, at: HostTime) -> u64 {
        let proven = self
            .taken
            .iter()
            .map(|(list, heard)| list.issued_at.as_secs() + (at.monotonic - heard.monotonic).as_secs());
        proven.fold(at.wall.as_secs(), u64::max)
    }

    pub fn as_of(&self) -> Option<u64> {
        self.lists().map(|list| list.issued_at.as_secs()).max()
    }

    pub fn cutoff(&self) -> u64 {
        self.lists().map(|list| list.cutoff.as_secs()).max().unwrap_or(0)
    }

    pub fn leeway(&self) -> u64 {
        let own = self.options.clock_tolerance_secs;
        match self.last() {
            Some(list) => own.unwrap_or(list.leeway_secs).min(list.leeway_secs),
            None => own.unwrap_or(60),
        }
    }

    pub fn grace(&self) -> Option<u64> {
        self.options.outage_grace_secs
    }

    /// Whether there is an outage: a list is held, and its age is more than three times its `ttl`.
    pub fn is_outage(&self, at: HostTime) -> bool {
        !self.taken.is_empty() && self.now(at) > self.last_fresh()
    }

    /// The last second in which the held list is fresh.
    pub fn last_fresh(&self) -> u64 {
        self.as_of().unwrap_or(0) + self.last().map_or(0, |list| 3 * list.ttl_secs)
    }

    /// Whether the issuer no longer keeps revocations of tokens with this `iat`.
    pub fn has_forgotten(&self, iat: u64) -> bool {
        self.last().is_some_and(|list| Some(iat + list.retain_secs) < self.as_of())
    }

    /// Whether a policy refuses every token.
    pub fn is_refused_by_policy(&self, at: HostTime) -> bool {
        match self.as_of() {
            None => self.options.on_missing == MissingListPolicy::Deny,
            Some(as_of) => {
                let most = self.options.max_staleness_secs.unwrap_or(u64::MAX);
                self.options.on_stale == StalePolicy::Deny && self.now(at) - as_of > most
            }
        }
    }

    /// Checks the handles of the token's group and session. Returns `Surely` if at least one of them must still be
    /// held, and `Never` if no list contained either of them. Otherwise returns `Perhaps`.
    pub fn listed(&self, token: &Token) -> Listed {
        match [token.gid, token.sid].map(|number| self.lists_still(number)) {
            [Listed::Never, other] | [other, Listed::Never] => other,
            [Listed::Surely, _] | [_, Listed::Surely] => Listed::Surely,
            [Listed::Perhaps, Listed::Perhaps] => Listed::Perhaps,
        }
    }

    fn lists_still(&self, number: u64) -> Listed {
        let named: Vec<usize> = self.naming(number).collect();
        if named.is_empty() {
            Listed::Never
        } else if named.iter().any(|at| self.stayed_since(*at)) {
            Listed::Surely
        } else {
            Listed::Perhaps
        }
    }

    /// Whether all handles of this list must still be held (FORMAT.md §7). A later list removes these handles only if
    /// the `iat` of the later list is after a limit. The limit is the as-of time directly after this list was accepted,
    /// plus the longest `retain` of all lists up to and including the later list.
    fn stayed_since(&self, named: usize) -> bool {
        (named + 1..self.taken.len())
            .all(|at| self.taken[at].0.issued_at.as_secs() <= self.brought(named) + self.longest_retain(at))
    }

    /// The end of the time for which this handle must be held. The next list may remove the handle only if the list's
    /// `iat` is later. `None` if no list contained the handle.
    pub fn kept_until(&self, number: u64) -> Option<u64> {
        let last = self.naming(number).last()?;
        Some(self.brought(last) + self.longest_retain(self.taken.len() - 1))
    }

    fn naming(&self, number: u64) -> impl Iterator<Item = usize> {
        (0..self.taken.len()).filter(move |at| self.taken[*at].0.revoked.contains(handle(number)))
    }

    /// The as-of time directly after this list was accepted.
    fn brought(&self, at: usize) -> u64 {
        self.lists().take(at + 1).map(|list| list.issued_at.as_secs()).max().unwrap_or(0)
    }

    /// The longest `retain` of all lists up to and including this list.
    fn longest_retain(&self, at: usize) -> u64 {
        self.lists().take(at + 1).map(|list| list.retain_secs).max().unwrap_or(0)
    }

    fn lists(&self) -> impl Iterator<Item = &RevocationList> {
        self.taken.iter().map(|(list, _)| list)
    }

    fn last(&self) -> Option<&RevocationList> {
        self.lists().last()
    }
}

fn kid(key: u8) -> KeyId {
    Key::number(key).public().kid()
}
