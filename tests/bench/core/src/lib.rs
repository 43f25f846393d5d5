//! The inputs of the measurements: tokens and lists that one key signs. They are the same in every run.

use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding};
use doorlist_verifier::{
    Epoch, Handle, HandleSet, HostTime, Jwks, Options, PublicKey, RevocationList, Seq, UnixSeconds, Verifier,
};
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};

mod handles;

pub use handles::Handles;

const ISSUER: &str = "https://issuer.example";
const AUDIENCE: &str = "api";

/// 2026-01-01T00:00:00Z, in seconds since 1970.
const NOW: u64 = 1_767_225_600;

/// The block of the handles in the tokens. No list contains a handle of this block.
const LIVE_BLOCK: u64 = 0x0a11_ce00;

/// The key that signs all tokens and lists.
pub fn signing_key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

/// The public key of [`signing_key`].
pub fn public_key() -> PublicKey {
    PublicKey::from_bytes(signing_key().verifying_key().as_bytes()).expect("made from a seed")
}

/// The current time for the verifier, the same in every measurement.
pub fn at() -> HostTime {
    HostTime { wall: UnixSeconds::saturating_new(NOW), monotonic: Duration::from_secs(1) }
}

/// Returns a verifier that trusts the key and holds this list.
pub fn verifier(list: &str) -> Verifier {
    let options = Options::new(ISSUER, Some(vec![AUDIENCE.into()]));
    let mut verifier = Verifier::new(options).expect("good options");
    let jwks = serde_json::to_string(&jwks()).expect("a key set serialises");
    verifier.add_jwks(&jwks).expect("a good key set");
    verifier.load(list, at()).expect("a good list");
    verifier
}

/// Returns `count` tokens. Each token has its own session.
pub fn tokens(count: u16) -> Vec<String> {
    (0..count).map(token).collect()
}

fn token(number: u16) -> String {
    let handle = |position| Handle::from_parts(LIVE_BLOCK, position).expect("not zero");
    let claims = json!({
        "iss": ISSUER,
        "sub": format!("user-{number}"),
        "aud": AUDIENCE,
        "iat": NOW - 60,
        "exp": NOW + 840,
        "jti": format!("token-{number}"),
        "client_id": "web",
        "gid": handle(2 * number),
        "sid": handle(2 * number + 1),
        "scope": "read write",
    });
    signed("at+jwt", &claims)
}

/// Returns a snapshot of these handles, or a delta if `since` is given.
pub fn list(revoked: HandleSet, seq: u64, since: Option<u64>) -> String {
    let number = |seq| Seq::new(seq).expect("below 2^53");
    let list = RevocationList {
        issuer: ISSUER.into(),
        issued_at: UnixSeconds::saturating_new(NOW),
        ttl_secs: 10,
        retain_secs: 1020,
        leeway_secs: 60,
        epoch: Epoch(1),
        seq: number(seq),
        since: since.map(number),
        cutoff: UnixSeconds::ZERO,
        jwks: since.is_none().then(jwks),
        revoked,
    };
    signed("revocation-list+jwt", &serde_json::to_value(list).expect("a list serialises"))
}

fn jwks() -> Jwks {
    Jwks { keys: vec![public_key()] }
}

fn signed(typ: &str, claims: &Value) -> String {
    let header = json!({ "alg": "EdDSA", "typ": typ, "kid": public_key().kid() });
    let [header, claims] =
        [&header, claims].map(|part| Base64UrlUnpadded::encode_string(part.to_string().as_bytes()));
    let signed_part = format!("{header}.{claims}");
    let signature = signing_key().sign(signed_part.as_bytes());
    format!("{signed_part}.{}", Base64UrlUnpadded::encode_string(&signature.to_bytes()))
}

/// Returns about `count` random handles. A few of the drawn handles are duplicates.
pub fn handles(count: usize) -> HandleSet {
    HandleSet::from_handles(Handles::seeded(1).take(count))
}
