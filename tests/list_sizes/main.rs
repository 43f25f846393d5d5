//! Compares the size of a revocation list with the size of a Token Status List (draft-ietf-oauth-status-list) in six
//! cases. The test draws handles in the same way as an issuer, and chooses the revoked handles at random. Every run of
//! the test uses the same handles.

use std::collections::BTreeSet;
use std::io::Read;

use base64ct::{Base64UrlUnpadded, Encoding};
use doorlist_verifier::{Epoch, Handle, HandleSet, Jwks, PublicKey, RevocationList, Seq, UnixSeconds};
use flate2::Compression;
use flate2::read::GzEncoder;
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use serde_json::json;

const NOW: u64 = 1_800_000_000;

#[test]
fn a_list_of_a_million_sessions_is_at_most_15_percent_larger_than_a_status_list() {
    // With few revoked sessions, most of the served list is header, keys and signature. Therefore the served list may
    // be up to 15 % larger than the status list.
    Case { sessions: 1_000_000, revoked: 100, bare: 435, served: 858 }.holds(1.0, 1.15);
    Case { sessions: 1_000_000, revoked: 1_000, bare: 2_211, served: 3_119 }.holds(1.0, 1.15);
}

#[test]
fn a_list_of_a_hundred_million_sessions_is_no_larger_than_a_status_list() {
    Case { sessions: 100_000_000, revoked: 10_000, bare: 39_007, served: 46_655 }.holds(1.0, 1.0);
    Case { sessions: 100_000_000, revoked: 100_000, bare: 217_005, served: 272_282 }.holds(1.0, 1.0);
}

#[test]
fn a_list_is_at_most_half_larger_than_a_status_list_if_one_percent_is_revoked() {
    Case { sessions: 1_000_000, revoked: 10_000, bare: 13_878, served: 17_787 }.holds(1.5, 1.5);
    Case { sessions: 100_000_000, revoked: 1_000_000, bare: 1_380_237, served: 1_731_102 }.holds(1.5, 1.5);
}

/// One case. `bare` and `served` are sizes of the status list in bytes, as measured by `make bench`. `bare` is the size
/// of the bitmap after compression with zlib level 9. Level 9 compresses better than the compressor in this test.
/// `served` is the size of the status list's JWT after compression with gzip.
#[derive(Debug)]
struct Case {
    sessions: u32,
    revoked: usize,
    bare: u32,
    served: u32,
}

impl Case {
    /// Asserts that each size of our list is at most the size of the status list times this factor.
    fn holds(&self, bare: f64, served: f64) {
        let rng = &mut StdRng::seed_from_u64(1);
        let mut revoked = BTreeSet::new();
        while revoked.len() < self.revoked {
            revoked.insert(rng.random_range(..self.sessions));
        }
        let handles = HandleSet::from_handles(self.handles(&revoked, rng));
        assert_eq!(handles.len(), self.revoked);
        self.compare("bare", handles.as_bytes().len(), bare * f64::from(self.bare));
        self.compare("served", gzip(&jwt(&list(handles), rng)), served * f64::from(self.served));
    }

    fn compare(&self, how: &str, bytes: usize, limit: f64) {
        let bytes = u32::try_from(bytes).unwrap();
        assert!(f64::from(bytes) <= limit, "{self:?}, {how}: {bytes} bytes where {limit} are allowed");
    }

    /// Each block of 65,536 sessions has a block number that is drawn at random. The revoked sessions are chosen at
    /// random, so their positions within a block are random too.
    fn handles(&self, revoked: &BTreeSet<u32>, rng: &mut StdRng) -> Vec<Handle> {
        let blocks: Vec<u64> = (0..=self.sessions >> 16).map(|_| rng.next_u64() >> 16).collect();
        let handle = |session: &u32| {
            let block = blocks[usize::try_from(session >> 16).unwrap()];
            Handle::from_parts(block, u16::try_from(session & 0xffff).unwrap()).unwrap()
        };
        revoked.iter().map(handle).collect()
    }
}

fn list(revoked: HandleSet) -> RevocationList {
    // RFC 8037, appendix A.
    let key = Base64UrlUnpadded::decode_vec("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").unwrap();
    let key = PublicKey::from_bytes(key.as_slice().try_into().unwrap()).unwrap();
    RevocationList {
        issuer: "https://issuer.example".into(),
        issued_at: UnixSeconds::saturating_new(NOW),
        ttl_secs: 10,
        retain_secs: 1020,
        leeway_secs: 60,
        epoch: "00000000000000ab".parse::<Epoch>().unwrap(),
        seq: Seq::new(u64::try_from(revoked.len()).unwrap()).unwrap(),
        since: None,
        cutoff: UnixSeconds::saturating_new(0),
        jwks: Some(Jwks { keys: vec![key] }),
        revoked,
    }
}

/// The signature is 64 random bytes. A real signature has the same length and is as hard to compress.
fn jwt(list: &RevocationList, rng: &mut StdRng) -> String {
    let header = json!({
        "alg": "EdDSA",
        "typ": "revocation-list+jwt",
        "kid": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
    });
    let encoded = |bytes: &[u8]| Base64UrlUnpadded::encode_string(bytes);
    let signature: [u8; 64] = rng.random();
    let claims = encoded(&serde_json::to_vec(list).unwrap());
    let header = encoded(header.to_string().as_bytes());
    format!("{header}.{claims}.{}", encoded(&signature))
}

/// Compresses the text at the level that the issuer uses, and returns the size in bytes.
fn gzip(text: &str) -> usize {
    let mut compressed = Vec::new();
    GzEncoder::new(text.as_bytes(), Compression::fast()).read_to_end(&mut compressed).unwrap();
    compressed.len()
}
