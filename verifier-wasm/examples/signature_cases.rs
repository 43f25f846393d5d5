//! Prints tokens. For each token, it also prints whether unmodified ed25519-dalek accepts the token's signature.
//! `tests/js/signatures.test.mjs` checks the same tokens with the built module.
//!
//! `cargo run --package doorlist-verifier --example signature_cases -- 100000` prints the same lines in every run. Each
//! line has two words. The line of a key contains `trusted` or `refused`, and then the key. If the key is trusted, the
//! lines of its tokens follow. The line of a token contains `good` or `bad`, and then the token.
#![allow(clippy::arithmetic_side_effects, clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used)]

use std::io::{self, BufWriter, Write};

use base64ct::{Base64UrlUnpadded, Encoding};
use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use doorlist_verifier::PublicKey;
use ed25519_dalek::{Signature, Verifier as _, VerifyingKey};
use serde_json::json;
use sha2::{Digest, Sha512};

/// The number of keys. Each key gets the same number of cases.
const KEYS: usize = 50;

/// The number of valid tokens that each key signs first. A verifier begins to build a key's tables after 64 of these
/// tokens. The tables are complete after 96 tokens.
const LEADING: usize = 96;

/// 2026-01-01T00:00:00Z.
const NOW: u64 = 1_767_225_600;

/// The group's order, least significant byte first.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

fn main() -> io::Result<()> {
    let cases: usize = std::env::args().nth(1).and_then(|text| text.parse().ok()).expect("how many cases");
    let mut out = BufWriter::new(io::stdout().lock());
    let mut random = Random { counter: 0 };
    let odd = odd_encodings();
    for number in 0..KEYS {
        // Every second key has mixed order.
        let torsion = if number % 2 == 0 { 0 } else { 1 + number / 2 % 7 };
        let mut signer = Signer::new(random.scalar(), torsion, &mut random);
        writeln!(out, "trusted {}", jwk(&signer.public))?;
        for case in 0..cases / KEYS {
            let message = message(&signer.public, &mut random);
            let signature = signer.sign(message.as_bytes());
            let kind = if case < LEADING { Kind::Signed } else { Kind::random(&mut random) };
            let signature = kind.of(signature, &message, &mut signer, &odd, &mut random);
            writeln!(out, "{}", judged(&signer.public, &message, &signature))?;
        }
    }
    // Each encoding in `odd` is used as a public key. The private keys for these public keys are not known. A verifier
    // either refuses such a key, or accepts a signature for the key only by accident.
    for encoding in &odd {
        let Some(public) = trusted(encoding) else {
            writeln!(out, "refused {}", jwk_text(encoding, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"))?;
            continue;
        };
        writeln!(out, "trusted {}", jwk(&public))?;
        for r in &odd {
            let message = message(&public, &mut random);
            let signature = [*r, random.scalar().to_bytes()].concat().try_into().unwrap();
            writeln!(out, "{}", judged(&public, &message, &signature))?;
        }
    }
    out.flush()
}

/// Checks the signature with unmodified dalek. Returns `good` or `bad`, and then the token.
fn judged(public: &VerifyingKey, message: &str, signature: &[u8; 64]) -> String {
    let good = public.verify(message.as_bytes(), &Signature::from_bytes(signature)).is_ok();
    let verdict = if good { "good" } else { "bad" };
    format!("{verdict} {message}.{}", Base64UrlUnpadded::encode_string(signature))
}

/// The change made to a signed token.
#[derive(Clone, Copy)]
enum Kind {
    Signed,
    BitFlipped,
    RandomBytes,
    OddR,
    OddRThatMayFit,
    RandomS,
    SAboveOrder,
    RWithTorsion,
    OtherMessage,
}

impl Kind {
    fn random(random: &mut Random) -> Self {
        const KINDS: [Kind; 10] = [
            Kind::Signed,
            Kind::Signed,
            Kind::BitFlipped,
            Kind::RandomBytes,
            Kind::OddR,
            Kind::OddRThatMayFit,
            Kind::RandomS,
            Kind::SAboveOrder,
            Kind::RWithTorsion,
            Kind::OtherMessage,
        ];
        KINDS[random.below(KINDS.len())]
    }

    fn of(
        self,
        signed: [u8; 64],
        message: &str,
        signer: &mut Signer,
        odd: &[[u8; 32]],
        random: &mut Random,
    ) -> [u8; 64] {
        let mut changed = signed;
        let (r, s) = changed.split_at_mut(32);
        match self {
            Self::Signed => {}
            Self::BitFlipped => changed[random.below(64)] ^= 1 << random.below(8),
            Self::RandomBytes => changed = random.bytes(),
            Self::OddR => r.copy_from_slice(&odd[random.below(odd.len())]),
            Self::OddRThatMayFit => {
                r.copy_from_slice(&odd[random.below(odd.len())]);
                let h = hash(r, &signer.public, message.as_bytes());
                s.copy_from_slice((h * signer.secret).as_bytes());
            }
            Self::RandomS => s.copy_from_slice(random.scalar().as_bytes()),
            Self::SAboveOrder => add_orders(s, 1 + random.below(15)),
            Self::RWithTorsion => {
                let point = CompressedEdwardsY::from_slice(r).unwrap().decompress().unwrap();
                r.copy_from_slice((point + EIGHT_TORSION[random.below(8)]).compress().as_bytes());
            }
            Self::OtherMessage => changed = signer.sign(b"another"),
        }
        changed
    }
}

/// A key that may have a small-order component. The key's signatures satisfy the verification equation in its form
/// without the cofactor.
struct Signer {
    secret: Scalar,
    torsion: usize,
    public: VerifyingKey,
    nonce: Scalar,
    nonce_point: EdwardsPoint,
}

impl Signer {
    fn new(secret: Scalar, torsion: usize, random: &mut Random) -> Self {
        let nonce = random.scalar();
        Self {
            secret,
            torsion,
            public: VerifyingKey::from(EdwardsPoint::mul_base(&secret) + EIGHT_TORSION[torsion]),
            nonce,
            nonce_point: EdwardsPoint::mul_base(&nonce),
        }
    }

    fn sign(&mut self, message: &[u8]) -> [u8; 64] {
        loop {
            // Each new nonce is the last nonce plus one. So the point of the new nonce costs only one addition of
            // points. Such nonces are safe here, because this key protects nothing.
            self.nonce += Scalar::ONE;
            self.nonce_point += ED25519_BASEPOINT_POINT;
            for (number, torsion) in EIGHT_TORSION.iter().enumerate() {
                let r = (self.nonce_point + torsion).compress().to_bytes();
                let h = hash(&r, &self.public, message);
                // `R` must be equal to [s]B − [h]A. The result of this expression is `nonce_point` − [h]T, where T is
                // the small-order component of the key.
                if (number + usize::from(h.as_bytes()[0]) * self.torsion).is_multiple_of(8) {
                    let s = self.nonce + h * self.secret;
                    return [r, s.to_bytes()].concat().try_into().unwrap();
                }
            }
        }
    }
}

fn hash(r: &[u8], public: &VerifyingKey, message: &[u8]) -> Scalar {
    let hash = Sha512::new().chain_update(r).chain_update(public.as_bytes()).chain_update(message);
    Scalar::from_bytes_mod_order_wide(&hash.finalize().into())
}

/// Returns a token without its signature. The length of the `jti` is random, so that tokens have 63 different lengths.
/// For each of these lengths, the padding of SHA-512 has a different length.
fn message(public: &VerifyingKey, random: &mut Random) -> String {
    let kid = PublicKey::from_bytes(public.as_bytes()).unwrap().kid();
    let header = json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": kid });
    let jti = Base64UrlUnpadded::encode_string(&random.bytes::<64>()[..1 + random.below(63)]);
    let claims = json!({
        "iss": "https://issuer.example",
        "sub": "alice",
        "aud": "api",
        "iat": NOW,
        "exp": NOW + 900,
        "jti": jti,
        "client_id": "web",
        "gid": "00000000000a0001",
        "sid": "00000000000a0002",
    });
    let [header, claims] =
        [header, claims].map(|part| Base64UrlUnpadded::encode_string(part.to_string().as_bytes()));
    format!("{header}.{claims}")
}

fn trusted(encoding: &[u8; 32]) -> Option<VerifyingKey> {
    VerifyingKey::from_bytes(encoding).ok().filter(|key| !key.is_weak())
}

fn jwk(public: &VerifyingKey) -> String {
    let key = PublicKey::from_bytes(public.as_bytes()).unwrap();
    jwk_text(public.as_bytes(), &key.kid().to_string())
}

fn jwk_text(encoding: &[u8; 32], kid: &str) -> String {
    let x = Base64UrlUnpadded::encode_string(encoding);
    json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "kid": kid }).to_string()
}

/// All encodings in which `y` is not reduced, and the encodings of the points of small order.
fn odd_encodings() -> Vec<[u8; 32]> {
    let mut encodings: Vec<[u8; 32]> = EIGHT_TORSION.iter().map(|point| point.compress().0).collect();
    for above in 0..19 {
        // p = 2^255 − 19.
        let mut y = [0xff; 32];
        (y[0], y[31]) = (0xed + above, 0x7f);
        encodings.push(y);
    }
    for at in 0..encodings.len() {
        let mut other_sign = encodings[at];
        other_sign[31] ^= 0x80;
        encodings.push(other_sign);
    }
    encodings
}

/// Adds the group's order `n` times. If the result needs more than 256 bits, the greatest 256-bit number is used
/// instead.
fn add_orders(number: &mut [u8], n: usize) {
    let mut carry = 0;
    for (byte, order) in number.iter_mut().zip(ORDER) {
        carry += usize::from(*byte) + usize::from(order) * n;
        *byte = carry.to_le_bytes()[0];
        carry >>= 8;
    }
    if carry != 0 {
        number.fill(0xff);
    }
}

/// A random number generator that hashes a counter with SHA-512.
struct Random {
    counter: u64,
}

impl Random {
    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        self.counter += 1;
        Sha512::digest(self.counter.to_le_bytes())[..N].try_into().unwrap()
    }

    fn scalar(&mut self) -> Scalar {
        Scalar::from_bytes_mod_order_wide(&self.bytes())
    }

    fn below(&mut self, end: usize) -> usize {
        usize::from(u16::from_le_bytes(self.bytes())) % end
    }
}
