//! Sequences of snapshots and deltas, from trusted and untrusted keys, in any order. A refused list changes nothing,
//! and a handle that a list brought stays refused until a later list proves that its time is over.

#![no_main]

use std::time::Duration;

use arbitrary::Arbitrary;
use doorlist_fuzz::support::*;
use doorlist_verifier::{Epoch, HostTime, LoadOutcome, RevocationList, Verifier, VettedClaims};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Draft {
    /// Which key signs. The verifier trusts key 1 at first, and never key 4.
    signer: u8,
    epoch: u8,
    is_delta: bool,
    since: i8,
    ahead: i8,
    iat: i16,
    retain: u16,
    ttl: u8,
    cutoff: Option<i16>,
    /// One bit a key.
    keys: Option<u8>,
    /// One bit a handle.
    revoked: u8,
    /// Seconds until the next list.
    passed: u16,
    /// Present: this byte of the signed list is replaced.
    damage: Option<(u16, u8)>,
    /// The list is offered a second time.
    is_replayed: bool,
}

const HANDLES: std::ops::Range<u64> = 1..9;

fuzz_target!(|drafts: Vec<Draft>| {
    let mut verifier = verifier();
    let mut past = Past::default();
    let mut host = HostTime { wall: secs(NOW), monotonic: Duration::from_secs(5) };
    for draft in drafts.iter().take(12) {
        let list = list(draft, verifier.status(host).sequence.map_or(100, |seq| seq.get()));
        let signer = draft.signer % 4 + 1;
        let mut text = Key::number(signer).list(&list);
        let is_damaged = draft.damage.is_some_and(|(at, with)| damage(&mut text, at, with));
        for _ in 0..=u8::from(draft.is_replayed) {
            offer(&mut verifier, &mut past, &list, &text, host, is_damaged || signer == 4);
        }
        host.wall = host.wall.plus_secs(draft.passed.into());
        host.monotonic += Duration::from_secs(draft.passed.into());
    }
});

fn offer(
    verifier: &mut Verifier,
    past: &mut Past,
    list: &RevocationList,
    text: &str,
    host: HostTime,
    is_forged: bool,
) {
    let before = (format!("{:?}", verifier.status(host)), verifier.trust());
    match verifier.load(text, host).map(|loaded| loaded.outcome) {
        Ok(outcome) => {
            assert!(!is_forged, "a forged list was accepted");
            if outcome == LoadOutcome::Applied {
                past.0.push(list.clone());
            }
        }
        Err(_) => assert_eq!((format!("{:?}", verifier.status(host)), verifier.trust()), before),
    }
    let Some(as_of) = past.0.iter().map(|list| list.issued_at).max() else { return };
    assert_eq!(verifier.status(host).freshness.as_of, Some(as_of));
    for number in HANDLES {
        let claims = VettedClaims {
            issuer: ISSUER.into(),
            issued_at: as_of,
            gid: handle(number),
            sid: handle(SID),
            kid: None,
        };
        let verdict = verifier.check_vetted(&claims, host);
        if past.surely_lists(number) {
            assert!(verdict.is_err(), "handle {number} was forgotten");
        }
        if !past.0.iter().any(|list| list.revoked.contains(handle(number))) {
            let is_cut_off = past.0.iter().any(|list| list.cutoff > as_of);
            assert!(is_cut_off || !matches!(verdict, Err(error) if error.code() == "ERR_JWT_REVOKED"));
        }
    }
}

/// All accepted lists in order.
#[derive(Default)]
struct Past(Vec<RevocationList>);

impl Past {
    /// Whether the verifier must still hold the handle (FORMAT.md §7): a later list removes it only if the `iat` of the
    /// later list is after the as-of time at which the handle was brought, plus the longest `retain`.
    fn surely_lists(&self, number: u64) -> bool {
        let named = (0..self.0.len()).filter(|at| self.0[*at].revoked.contains(handle(number)));
        named.into_iter().any(|named| {
            let brought = self.0[..=named].iter().map(|list| list.issued_at.as_secs()).max().unwrap_or(0);
            (named + 1..self.0.len()).all(|at| {
                let retain = self.0[..=at].iter().map(|list| list.retain_secs).max().unwrap_or(0);
                self.0[at].issued_at.as_secs() <= brought + retain
            })
        })
    }
}

fn list(draft: &Draft, held: u64) -> RevocationList {
    let numbers = |bits: u8| (0..8).filter(move |bit| bits >> bit & 1 == 1);
    let in_jwks = draft.keys.or((!draft.is_delta).then_some(0b111));
    let keys = in_jwks.map(|bits| numbers(bits & 0b111).map(|bit| bit + 1).collect::<Vec<u8>>());
    RevocationList {
        issued_at: secs(NOW.saturating_add_signed(draft.iat.into())),
        ttl_secs: u64::from(draft.ttl).max(1),
        retain_secs: u64::from(draft.retain).max(1),
        epoch: Epoch(draft.epoch.into()),
        seq: seq(held.saturating_add_signed(draft.ahead.into())),
        since: draft.is_delta.then(|| seq(held.saturating_add_signed(draft.since.into()))),
        cutoff: secs(draft.cutoff.map_or(0, |cutoff| NOW.saturating_add_signed(cutoff.into()))),
        jwks: keys.map(|keys| jwks(&keys)),
        revoked: revoking(&numbers(draft.revoked).map(|bit| u64::from(bit) + 1).collect::<Vec<_>>()),
        ..snapshot()
    }
}

/// Replaces one byte. Returns whether the text is now another one.
fn damage(text: &mut String, at: u16, with: u8) -> bool {
    let at = usize::from(at) % text.len();
    let with = char::from(b' ' + with % 95);
    if text.as_bytes()[at] == with as u8 {
        return false;
    }
    text.replace_range(at..=at, with.encode_utf8(&mut [0; 4]));
    true
}
