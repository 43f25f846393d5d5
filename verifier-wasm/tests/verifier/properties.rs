//! Tests of properties that hold for every input.

use std::collections::BTreeSet;
use std::time::Duration;

use doorlist_verifier::{Error, Handle, HandleSet, HostTime, Jwks, RevocationStatus, Seq};
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use serde_json::json;

use crate::support::*;

/// Most handles come from a few blocks, so that a group often has neighbours. Some handles come from any block.
fn any_handle() -> impl Strategy<Value = Handle> {
    prop_oneof![
        4 => (0_u64..4, 0_u16..40).prop_filter_map("zero", |(block, position)| Handle::from_parts(block, position)),
        1 => (0_u64..200, any::<u16>()).prop_filter_map("zero", |(block, position)| Handle::from_parts(block, position)),
        1 => (1..=u64::MAX).prop_map(|number| Handle::new(number).unwrap()),
    ]
}

fn handles() -> impl Strategy<Value = BTreeSet<Handle>> {
    btree_set(any_handle(), 0..200)
}

fn set_of(handles: &BTreeSet<Handle>) -> HandleSet {
    HandleSet::from_handles(handles.iter().rev().chain(handles).copied())
}

proptest! {
    #[test]
    fn a_set_of_handles_reads_as_it_was_written(handles in handles(), others in handles()) {
        let set = set_of(&handles);
        prop_assert_eq!(set.len(), handles.len());
        prop_assert!(set.iter().eq(handles.iter().copied()));
        prop_assert_eq!(&HandleSet::decode(set.as_bytes()).unwrap(), &set);
        for handle in handles.iter().chain(&others) {
            prop_assert_eq!(set.contains(*handle), handles.contains(handle));
        }
    }

    #[test]
    fn union_difference_and_intersection_are_those_of_sets(a in handles(), b in handles()) {
        let (left, right) = (set_of(&a), set_of(&b));
        prop_assert_eq!(left.union(&right), set_of(&(&a | &b)));
        prop_assert_eq!(left.difference(&right), set_of(&(&a - &b)));
        prop_assert_eq!(left.intersects(&right), !(&a & &b).is_empty());
    }

    /// If bytes can be decoded, they are the only encoding of their handles.
    #[test]
    fn a_set_of_handles_has_one_encoding(handles in handles(), changes in vec((any::<prop::sample::Index>(), any::<u8>()), 0..3)) {
        let mut bytes = set_of(&handles).as_bytes().to_vec();
        for (index, byte) in changes {
            if !bytes.is_empty() {
                let at = index.index(bytes.len());
                bytes[at] = byte;
            }
        }
        if let Ok(set) = HandleSet::decode(bytes.as_slice()) {
            let again = HandleSet::from_handles(set.iter());
            prop_assert_eq!(again.as_bytes(), bytes.as_slice());
        }
    }

    #[test]
    fn any_bytes_are_a_set_of_handles_or_refused(bytes in vec(any::<u8>(), 0..64)) {
        if let Ok(set) = HandleSet::decode(bytes.as_slice()) {
            let again = HandleSet::from_handles(set.iter());
            prop_assert_eq!(again.as_bytes(), bytes.as_slice());
        }
    }

    #[test]
    fn any_text_is_refused_without_a_panic(text in ".{0,200}", wall in any::<u64>(), monotonic in any::<u64>()) {
        let mut verifier = ready();
        let before = verifier.status(at(NOW));
        let at_any = HostTime {
            wall: doorlist_verifier::UnixSeconds::saturating_new(wall),
            monotonic: Duration::from_nanos(monotonic),
        };
        prop_assert!(verifier.verify(&text, at_any).is_err());
        prop_assert!(verifier.load(&text, at_any).is_err());
        prop_assert!(verifier.add_jwks(&text).is_err());
        prop_assert!(verifier.restore_trust(&text).is_err());
        prop_assert_eq!(verifier.status(at(NOW)), before);
    }

    /// The texts are signed, but header and payload may have any content. If the signature is valid, the
    /// verifier reads the payload too.
    #[test]
    fn any_signed_text_is_refused_without_a_panic(header in ".{0,60}", payload in ".{0,200}") {
        let mut verifier = ready();
        let good_header = text(&Key::number(1).header());
        let list_header = good_header.replace("at+jwt", "revocation-list+jwt");
        for header in [header.as_str(), &good_header, &list_header] {
            let signed = Key::number(1).sign(header, &payload);
            prop_assert!(verifier.verify(&signed, at(NOW)).is_err());
            prop_assert!(verifier.load(&signed, at(NOW)).is_err());
        }
    }

    #[test]
    fn no_time_causes_a_panic(exp in any::<u64>(), iat in any::<u64>(), nbf in any::<u64>(), wall in any::<u64>(), monotonic in any::<u64>()) {
        let mut options = options();
        options.outage_grace_secs = Some(86_400);
        let mut verifier = ready_with(options);
        let claims = claims_with(json!({ "exp": exp, "iat": iat, "nbf": nbf }));
        let at_any = HostTime {
            wall: doorlist_verifier::UnixSeconds::saturating_new(wall),
            monotonic: Duration::from_secs(monotonic),
        };
        let _ = verifier.verify(&Key::number(1).token(&claims), at_any);
        let mut list = snapshot();
        list.seq = Seq::MAX;
        list.issued_at = doorlist_verifier::UnixSeconds::saturating_new(iat);
        list.cutoff = doorlist_verifier::UnixSeconds::saturating_new(exp);
        let _ = verifier.load(&Key::number(1).list(&list), at_any);
        let _ = verifier.status(at_any);
    }

    #[test]
    fn a_key_set_reads_as_it_was_written(keys in btree_set(0_u8..30, 0..16)) {
        let set = jwks(&keys.into_iter().collect::<Vec<_>>());
        let text = serde_json::to_string(&set).unwrap();
        prop_assert_eq!(Jwks::parse(&text).unwrap(), set);
    }
}

proptest! {
    /// The test contains the rules about `iat`, `exp`, the outage grace and `retain` as formulas.
    #[test]
    fn a_token_is_accepted_as_long_as_the_rules_say(
        exp in NOW - 8000..NOW + 2000,
        lifetime in 1_u64..1000,
        list_age in 0_u64..4000,
        tolerance in proptest::option::of(0_u64..120),
        grace in proptest::option::of(0_u64..6000),
        is_revoked in prop::bool::weighted(0.2),
    ) {
        let mut options = options();
        options.clock_tolerance_secs = tolerance;
        options.outage_grace_secs = grace;
        let mut verifier = verifier_with(options);
        let as_of = NOW - list_age;
        let iat = exp - lifetime;
        let mut list = snapshot();
        list.issued_at = secs(as_of);
        if is_revoked {
            list.revoked = revoking(&[SID]);
        }
        verifier.load(&Key::number(1).list(&list), at(as_of)).unwrap();

        let leeway = tolerance.unwrap_or(60).min(60);
        let early = iat > NOW + leeway.max(1);
        let in_time = NOW < exp + leeway;
        let in_grace = NOW - exp.min(NOW) <= grace.unwrap_or(0) && grace.is_some() && list_age > 30 && as_of < exp;
        let kept = iat + 1020 >= as_of;

        match verify(&mut verifier, &claims_with(json!({ "iat": iat, "exp": exp })), NOW) {
            Ok(verified) => {
                prop_assert!(!early && (in_time || in_grace) && kept && !is_revoked);
                prop_assert_eq!(verified.outage, !in_time);
                prop_assert_eq!(verified.revocation, RevocationStatus::NotRevoked);
                prop_assert_eq!(verified.freshness.age_secs, Some(list_age));
                prop_assert_eq!(verified.freshness.stale, list_age > 30);
            }
            Err(Error::TooEarly { claim: "iat", .. }) => prop_assert!(early),
            Err(Error::Expired { .. }) => prop_assert!(!(in_time || in_grace) || !kept),
            Err(Error::Revoked { .. }) => prop_assert!(is_revoked),
            Err(other) => prop_assert!(false, "{:?}", other),
        }
    }
}
