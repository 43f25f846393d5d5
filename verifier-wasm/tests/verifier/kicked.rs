//! Tests that a kicked user is refused permanently, if the issuer follows its own rules. A verifier must keep a
//! revocation entry for longer than it accepts any token that matches the entry. This must hold even if caches deliver
//! old lists, the host's clock jumps, and the verifier has a long outage grace.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::time::Duration;

use doorlist_verifier::{Epoch, HostTime, LoadOutcome, RevocationList};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::json;

use crate::remembered::Remembering;
use crate::support::*;

const SUBJECTS: usize = 3;
/// The issuer's clock tolerance in seconds.
const LEEWAY: u64 = 60;
/// Lifetimes of access tokens, in minutes. The issuer may raise the lifetime but never lowers it.
const LIFETIMES: RangeInclusive<u64> = 1..=6;

#[derive(Debug, Clone)]
enum Deed {
    Pass(u64),
    /// Sets the clock of the verifier's host to the true time plus this many seconds.
    SetClock(i64),
    Mint(usize),
    Kick(usize),
    /// Kicks all users with a cut-off.
    CutOff,
    RaiseLifetime(u64),
    /// The revocation log gets a new epoch.
    Recover,
    /// A cache stores a list: a delta with the last entries, or a snapshot. Some entries may be missing. This happens
    /// after a failover, until a node has restored these entries.
    Publish {
        delta_of: Option<u64>,
        lacking: Option<usize>,
    },
    /// The verifier receives one of the lists in the caches.
    Serve(usize),
    Ask(usize),
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        6 => (0_u64..40).prop_map(|tens| Deed::Pass(10 * tens)),
        1 => prop_oneof![1 => Just(0), 3 => -2000_i64..2000, 1 => -200_000_i64..200_000].prop_map(Deed::SetClock),
        5 => (0..SUBJECTS).prop_map(Deed::Mint),
        3 => (0..SUBJECTS).prop_map(Deed::Kick),
        1 => Just(Deed::CutOff),
        1 => LIFETIMES.prop_map(|minutes| Deed::RaiseLifetime(60 * minutes)),
        1 => Just(Deed::Recover),
        5 => (option::of(0_u64..4), option::weighted(0.3, 0_usize..4))
            .prop_map(|(delta_of, lacking)| Deed::Publish { delta_of, lacking }),
        // The newest list is chosen most often.
        6 => prop_oneof![3 => Just(0_usize), 1 => 0_usize..20].prop_map(Deed::Serve),
        8 => (0_usize..20).prop_map(Deed::Ask),
    ]
}

/// An issuer that follows its rules, and the caches in front of it.
struct Issuer {
    now: u64,
    lifetime: u64,
    cutoff: u64,
    epoch: u64,
    seq: u64,
    /// The entries of the revocation log. Each entry has a time, a sequence number and a handle.
    log: Vec<(u64, u64, u64)>,
    /// The group of each subject.
    groups: [u64; SUBJECTS],
    minted: Vec<Minted>,
    cached: Vec<RevocationList>,
}

#[derive(Clone)]
struct Minted {
    gid: u64,
    iat: u64,
    text: String,
}

impl Issuer {
    fn new() -> Self {
        let (log, minted, cached) = (Vec::new(), Vec::new(), Vec::new());
        Self { now: NOW, lifetime: 60, cutoff: 0, epoch: 1, seq: 100, log, groups: [1, 2, 3], minted, cached }
    }

    fn mint(&mut self, subject: usize) {
        let (gid, iat) = (self.groups[subject], self.now.max(self.cutoff));
        let claims = claims_with(
            json!({ "gid": handle(gid), "sid": handle(1 << 40), "iat": iat, "exp": iat + self.lifetime }),
        );
        self.minted.push(Minted { gid, iat, text: Key::number(1).token(&claims) });
    }

    fn kick(&mut self, subject: usize) {
        self.seq += 1;
        self.log.push((self.now, self.seq, self.groups[subject]));
        self.groups[subject] += SUBJECTS as u64;
    }

    /// The time for which entries are kept. It is longer than the longest lifetime of a token plus the tolerance of
    /// verifiers.
    fn retain(&self) -> u64 {
        self.lifetime + LEEWAY + 60
    }

    fn publish(&mut self, delta_of: Option<u64>, lacking: Option<usize>) {
        let since = delta_of.map(|entries| self.seq - entries);
        let kept = self.log.iter().filter(|(at, ..)| at + self.retain() >= self.now);
        let told = kept.filter(|(_, seq, _)| since.is_none_or(|since| *seq > since));
        let mut handles: Vec<u64> = told.map(|(.., handle)| *handle).collect();
        handles.truncate(handles.len().saturating_sub(lacking.unwrap_or(0)));
        self.cached.push(RevocationList {
            issued_at: secs(self.now),
            retain_secs: self.retain(),
            leeway_secs: LEEWAY,
            epoch: Epoch(self.epoch),
            seq: seq(self.seq),
            since: since.map(seq),
            cutoff: secs(self.cutoff),
            jwks: since.is_none().then(|| jwks(&[1])),
            revoked: revoking(&handles),
            ..snapshot()
        });
    }
}

proptest! {
    #[test]
    fn a_kicked_subject_stays_refused(grace in 0_u64..8, deeds in vec(deed(), 1..120)) {
        let mut options = options();
        options.outage_grace_secs = Some(grace * 1000);
        let mut verifier = Remembering::new(verifier_with(options), 10);
        let (mut issuer, mut off) = (Issuer::new(), 0);
        // The handles and the latest cut-off in all accepted lists.
        let (mut named, mut cutoff) = (BTreeSet::new(), 0);
        for deed in deeds {
            let wall = secs(issuer.now.saturating_add_signed(off));
            let at = HostTime { wall, monotonic: Duration::from_secs(issuer.now - NOW) };
            match deed {
                Deed::Pass(seconds) => issuer.now += seconds,
                Deed::SetClock(seconds) => off = seconds,
                Deed::Mint(subject) => issuer.mint(subject),
                Deed::Kick(subject) => issuer.kick(subject),
                Deed::CutOff => issuer.cutoff = issuer.now + 1,
                Deed::RaiseLifetime(seconds) => issuer.lifetime = issuer.lifetime.max(seconds),
                Deed::Recover => issuer.epoch += 1,
                Deed::Publish { delta_of, lacking } => issuer.publish(delta_of, lacking),
                Deed::Serve(back) => {
                    let Some(list) = issuer.cached.iter().rev().nth(back) else { continue };
                    let loaded = verifier.verifier.load(&Key::number(1).list(list), at);
                    if loaded.is_ok_and(|loaded| loaded.outcome == LoadOutcome::Applied) {
                        named.extend(list.revoked.iter().map(|handle| handle.get()));
                        cutoff = list.cutoff.as_secs().max(cutoff);
                    }
                }
                Deed::Ask(back) => {
                    let Some(Minted { gid, iat, text }) = issuer.minted.iter().rev().nth(back) else { continue };
                    let is_revoked = named.contains(gid) || *iat < cutoff;
                    prop_assert!(!is_revoked || verifier.verify(text, at).is_err());
                }
            }
        }
    }
}
