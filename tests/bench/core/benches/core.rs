//! Benches of the core as native code, with Criterion. `make bench` runs them and writes their medians to RESULTS.md.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use doorlist_core::{Handles, at, handles, list, public_key, signing_key, tokens, verifier};
use doorlist_verifier::signature::{Ed25519, PreparedKey, Signature};
use doorlist_verifier::{HandleSet, Verifier};
use ed25519_dalek::Signer as _;
use jwt_compact::Algorithm as _;

/// After this many good signatures, a verifier has made the tables for a key.
const PAST_EARNING: usize = 100;

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(1000))
        .sample_size(20);
    targets = token, signature, lists, sets
}
criterion_main!(benches);

fn token(criterion: &mut Criterion) {
    let tokens = tokens(1000);
    let fresh = verifier(&list(handles(10_000), 10_000, None));
    let mut next = tokens.iter().cycle();
    let verify = |verifier: &mut Verifier, token: &str| verifier.verify(token, at()).expect("a good token");

    // Each token gets a new verifier. So no verifier makes tables for the key.
    criterion.bench_function("a token, stock", |bencher| {
        bencher.iter_batched_ref(
            || fresh.clone(),
            |verifier| next.next().map(|token| verify(verifier, token)),
            BatchSize::SmallInput,
        );
    });
    let mut used = fresh.clone();
    for token in tokens.iter().take(PAST_EARNING) {
        verify(&mut used, token);
    }
    criterion.bench_function("a token, by tables", |bencher| {
        bencher.iter(|| next.next().map(|token| verify(&mut used, token)));
    });
}

fn signature(criterion: &mut Criterion) {
    let message = [7; 400];
    let (key, signature) = (public_key(), Signature::from(signing_key().sign(&message)));
    criterion.bench_function("a signature, stock", |bencher| {
        bencher.iter(|| assert!(Ed25519::EdDsa.verify_signature(&signature, &key, black_box(&message))));
    });
    let prepared = PreparedKey::new(&key);
    criterion.bench_function("a signature, by tables", |bencher| {
        bencher.iter(|| assert!(prepared.verify(black_box(&message), &signature)));
    });
    criterion.bench_function("the tables of a key", |bencher| bencher.iter(|| PreparedKey::new(&key)));
}

fn lists(criterion: &mut Criterion) {
    let empty = verifier(&list(HandleSet::default(), 1, None));
    for (name, count) in [("load of 10,000 handles", 10_000), ("load of 1,000,000 handles", 1_000_000)] {
        let large = list(handles(count), 2, None);
        criterion.bench_function(name, |bencher| {
            bencher.iter_batched_ref(
                || empty.clone(),
                |verifier| verifier.load(&large, at()).expect("a good list"),
                BatchSize::PerIteration,
            );
        });
    }
    let large = verifier(&list(handles(1_000_000), 2, None));
    for (name, count) in [("delta of 1 onto 1,000,000", 1), ("delta of 100 onto 1,000,000", 100)] {
        let revoked = HandleSet::from_handles(Handles::seeded(2).take(count));
        let delta = list(revoked, 3, Some(2));
        criterion.bench_function(name, |bencher| {
            bencher.iter_batched_ref(
                || large.clone(),
                |verifier| verifier.load(&delta, at()).expect("a good delta"),
                BatchSize::PerIteration,
            );
        });
    }
}

fn sets(criterion: &mut Criterion) {
    let set = handles(1_000_000);
    let mut random = Handles::seeded(2);
    criterion.bench_function("lookup in 1,000,000 handles", |bencher| {
        bencher.iter(|| random.next().map(|handle| set.contains(handle)));
    });
    let unordered: Vec<_> = Handles::seeded(1).take(10_000).collect();
    criterion.bench_function("encoding of 10,000 handles", |bencher| {
        bencher.iter(|| HandleSet::from_handles(unordered.iter().copied()));
    });
    let bytes = set.as_bytes();
    criterion.bench_function("decoding of 1,000,000 handles", |bencher| {
        bencher.iter(|| HandleSet::decode(bytes).expect("a good set"));
    });
}
