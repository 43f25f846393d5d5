//! A verifier that remembers says what one that does not would say.

use std::time::Duration;

use doorlist_verifier::remembered::{Known, Memory};
use doorlist_verifier::{
    Error, HostTime, MissingListPolicy, Options, RevocationList, StalePolicy, Standing, Verified, Verifier,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::json;

use crate::support::*;

/// A verifier as it is used behind the boundary: what was accepted is remembered, and looked at again first.
struct Remembering {
    verifier: Verifier,
    memory: Memory,
    /// By slot, what was accepted.
    first: Vec<Option<Verified>>,
    again: usize,
}

impl Remembering {
    fn new(verifier: Verifier, capacity: usize) -> Self {
        Self { verifier, memory: Memory::new(capacity), first: Vec::new(), again: 0 }
    }

    fn verify(&mut self, token: &str, at: HostTime) -> Result<Verified, Error> {
        if let Some(Known { slot, standing }) = self.memory.verify_again(token.as_bytes(), &self.verifier, at)
        {
            self.again += 1;
            let first = self.first[slot].clone().expect("a slot that was answered before");
            let (revocation, freshness, outage) = (standing.revocation, standing.freshness, standing.outage);
            return Ok(Verified { revocation, freshness, outage, ..first });
        }
        let verified = self.verifier.verify(token, at)?;
        if let Some(slot) = self.memory.remember(token.as_bytes().into(), verified.terms) {
            self.first.resize(self.first.len().max(slot + 1), None);
            self.first[slot] = Some(verified.clone());
        }
        Ok(verified)
    }
}

/// All that a user is told; what is kept of a token is not.
fn said(verified: Verified) -> (String, String, Standing) {
    let Verified { header_json, payload_json, revocation, freshness, outage, .. } = verified;
    (header_json, payload_json, Standing { revocation, freshness, outage })
}

/// What may happen to a verifier. Numbers are small, so that things meet.
#[derive(Debug, Clone)]
enum Event {
    Verify(usize),
    /// Both clocks go on; the wall clock may also be set, back too.
    Pass {
        secs: u64,
        wall: Option<u64>,
    },
    Load(List),
    /// A key set from elsewhere, which may name a dropped key.
    AddKey(u8),
}

#[derive(Debug, Clone)]
struct List {
    /// Snapshot or delta; from another epoch now and then.
    is_delta: bool,
    epoch: u64,
    ahead: u64,
    age: u64,
    revoked: Vec<u64>,
    cutoff: Option<u64>,
    keys: Option<Vec<u8>>,
    signer: u8,
    retain: u64,
    ttl: u64,
    leeway: u64,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        12 => (0_usize..16).prop_map(Event::Verify),
        4 => (0_u64..120, option::weighted(0.2, NOW - 300..NOW + 900))
            .prop_map(|(secs, wall)| Event::Pass { secs, wall }),
        4 => list().prop_map(Event::Load),
        1 => (1_u8..4).prop_map(Event::AddKey),
    ]
}

fn list() -> impl Strategy<Value = List> {
    let news =
        (vec(0_u64..8, 0..2), option::weighted(0.1, 0_u64..400), option::weighted(0.3, vec(1_u8..4, 1..4)));
    let order = (any::<bool>(), prop_oneof![9 => Just(1_u64), 1 => Just(2)], 0_u64..3, 0_u64..40);
    let words = (prop_oneof![Just(60_u64), Just(1020)], 5_u64..20, 0_u64..60, 1_u8..4);
    (order, news, words).prop_map(|(order, news, words)| {
        let ((is_delta, epoch, ahead, age), (revoked, cutoff, keys)) = (order, news);
        let (retain, ttl, leeway, signer) = words;
        List { is_delta, epoch, ahead, age, revoked, cutoff, keys, signer, retain, ttl, leeway }
    })
}

fn rules() -> impl Strategy<Value = Options> {
    let policies = (any::<bool>(), any::<bool>(), any::<bool>());
    (policies, option::of(0_u64..120)).prop_map(|((stale, missing, grace), tolerance)| Options {
        clock_tolerance_secs: tolerance,
        max_staleness_secs: stale.then_some(45),
        on_stale: if stale { StalePolicy::Deny } else { StalePolicy::Allow },
        on_missing: if missing { MissingListPolicy::Allow } else { MissingListPolicy::Deny },
        outage_grace_secs: grace.then_some(300),
        ..options()
    })
}

/// Sixteen tokens: of three keys, four groups, eight sessions; some short-lived, some not valid yet, one never good.
fn tokens() -> Vec<String> {
    (0..16_u64)
        .map(|number| {
            let claims = claims_with(json!({
                "gid": handle(1 + number % 4),
                "sid": handle(100 + number % 8),
                "iat": NOW - 60 + number * 10,
                "exp": NOW + 60 + (number % 5) * 120,
                "nbf": (number % 3 == 0).then_some(NOW - 30 + number * 20),
                "jti": format!("token-{number}"),
            }));
            let token = Key::number(1 + (number % 3) as u8).token(&claims);
            if number == 15 { token.replace("e", "f") } else { token }
        })
        .collect()
}

fn signed(list: List, held: u64, now: u64) -> (u64, String) {
    let sequence = held + list.ahead;
    let revoked = list.revoked.iter().map(|number| if *number < 4 { 1 + number } else { 96 + number });
    let claims = RevocationList {
        issued_at: secs(now - list.age),
        ttl_secs: list.ttl,
        retain_secs: list.retain,
        leeway_secs: list.leeway,
        epoch: doorlist_verifier::Epoch(list.epoch),
        seq: seq(sequence),
        since: list.is_delta.then_some(seq(held)),
        cutoff: secs(list.cutoff.map_or(0, |cutoff| NOW - 200 + cutoff)),
        jwks: list.keys.map(|keys| jwks(&keys)).or((!list.is_delta).then(|| jwks(&[1, 2, 3]))),
        revoked: revoking(&revoked.collect::<Vec<_>>()),
        ..snapshot()
    };
    (sequence, Key::number(list.signer).list(&claims))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn memory_changes_no_answer(rules in rules(), capacity in 0_usize..20, events in vec(event(), 1..60)) {
        let mut plain = verifier_with(rules);
        plain.add_jwks(&jwks_text(&[2, 3])).unwrap();
        let mut remembering = Remembering::new(plain.clone(), capacity);
        let tokens = tokens();
        let (mut wall, mut monotonic, mut held) = (NOW, 5, 100);
        for event in events {
            let at = HostTime { wall: secs(wall), monotonic: Duration::from_secs(monotonic) };
            match event {
                Event::Verify(number) => {
                    let answer = plain.verify(&tokens[number], at).map(said);
                    prop_assert_eq!(remembering.verify(&tokens[number], at).map(said), answer);
                }
                Event::Pass { secs, wall: set } => {
                    monotonic += secs;
                    wall = set.unwrap_or(wall + secs);
                }
                Event::Load(list) => {
                    let (sequence, list) = signed(list, held, wall);
                    let loaded = plain.load(&list, at);
                    prop_assert_eq!(&remembering.verifier.load(&list, at), &loaded);
                    if loaded.is_ok() {
                        held = sequence;
                    }
                }
                Event::AddKey(number) => {
                    let set = jwks_text(&[number]);
                    prop_assert_eq!(remembering.verifier.add_jwks(&set), plain.add_jwks(&set));
                }
            }
        }
    }
}

/// The test above would hold for a memory that never knows anything.
#[test]
fn a_second_look_needs_no_first() {
    let mut verifier = Remembering::new(ready(), 10);
    let token = Key::number(1).token(&claims());
    for _ in 0..3 {
        verifier.verify(&token, at(NOW)).unwrap();
    }
    assert_eq!(verifier.again, 2);

    // A list that names others: searched anew, and good.
    let mut kick = delta(100, 101);
    kick.revoked = revoking(&[77]);
    verifier.verifier.load(&Key::number(1).list(&kick), at(NOW)).unwrap();
    verifier.verify(&token, at(NOW)).unwrap();
    assert_eq!(verifier.again, 3);

    let mut kick = delta(101, 102);
    kick.revoked = revoking(&[SID]);
    verifier.verifier.load(&Key::number(1).list(&kick), at(NOW)).unwrap();
    assert_eq!(verifier.verify(&token, at(NOW)).unwrap_err().code(), "ERR_JWT_REVOKED");
    assert_eq!(verifier.again, 3);
}

/// What is refused for now is not forgotten.
#[test]
fn a_clock_that_goes_back_and_forth() {
    let mut verifier = Remembering::new(ready(), 10);
    let token = Key::number(1).token(&claims());
    let host = |wall: u64| HostTime { wall: secs(wall), monotonic: Duration::from_secs(NOW) };
    verifier.verify(&token, host(NOW)).unwrap();
    // Expired at the exact second, then forgotten; the clock goes back, and it is accepted as if for the first time.
    verifier.verify(&token, host(NOW + 899)).unwrap();
    assert_eq!(verifier.again, 1);
    assert_eq!(verifier.verify(&token, host(NOW + 900)).unwrap_err().code(), "ERR_JWT_EXPIRED");
    verifier.verify(&token, host(NOW)).unwrap();
    assert_eq!(verifier.again, 1);
    verifier.verify(&token, host(NOW)).unwrap();
    assert_eq!(verifier.again, 2);
}
