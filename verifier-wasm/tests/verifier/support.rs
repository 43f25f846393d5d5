// A small issuer for tests. It has fixed keys, and signs any text, even an invalid text.
//
// The examples in the crate's documentation include this file as a module. This text is not a `//!` comment, because
// `include!` refuses such comments.

use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding};
use doorlist_verifier::{
    Epoch, Error, Handle, HandleSet, HostTime, Jwks, Options, PublicKey, RevocationList, Seq, UnixSeconds,
    Verified, Verifier,
};
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Map, Value, json};

pub const ISSUER: &str = "https://issuer.example";
pub const AUDIENCE: &str = "api";
/// 2026-01-01T00:00:00Z.
pub const NOW: u64 = 1_767_225_600;
pub const GID: u64 = 0x0000_0000_00ab_0001;
pub const SID: u64 = 0x0000_0000_00ab_0002;

/// A signing key that is determined by its number.
pub struct Key(SigningKey);

impl Key {
    pub fn number(number: u8) -> Self {
        Self(SigningKey::from_bytes(&[number; 32]))
    }

    pub fn public(&self) -> PublicKey {
        PublicKey::from_bytes(self.0.verifying_key().as_bytes())
            .expect("a key made from a seed is a good one")
    }

    pub fn kid(&self) -> String {
        self.public().kid().to_string()
    }

    /// The header of an access token signed by this key.
    pub fn header(&self) -> Value {
        json!({ "alg": "EdDSA", "kid": self.kid(), "typ": "at+jwt" })
    }

    /// Signs a header and a payload. Both can be any text.
    pub fn sign(&self, header: &str, payload: &str) -> String {
        self.sign_parts(&base64url(header), &base64url(payload))
    }

    /// Signs two encoded parts without changing them. Both can be any text.
    pub fn sign_parts(&self, header: &str, payload: &str) -> String {
        let signed_part = format!("{header}.{payload}");
        let signature = self.0.sign(signed_part.as_bytes());
        format!("{signed_part}.{}", Base64UrlUnpadded::encode_string(&signature.to_bytes()))
    }

    pub fn token(&self, claims: &Value) -> String {
        self.sign(&text(&self.header()), &text(claims))
    }

    pub fn list(&self, list: &RevocationList) -> String {
        self.list_of(&serde_json::to_value(list).expect("a list serialises"))
    }

    pub fn list_of(&self, claims: &Value) -> String {
        let header = json!({ "alg": "EdDSA", "kid": self.kid(), "typ": "revocation-list+jwt" });
        self.sign(&text(&header), &text(claims))
    }
}

pub fn base64url(text: &str) -> String {
    Base64UrlUnpadded::encode_string(text.as_bytes())
}

/// Writes JSON with sorted names, so that the text does not depend on the features of `serde_json`.
pub fn text(value: &Value) -> String {
    sorted(value).to_string()
}

pub fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| name.as_str());
            members
                .into_iter()
                .map(|(name, value)| (name.clone(), sorted(value)))
                .collect::<Map<_, _>>()
                .into()
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

/// Valid claims at [`NOW`]. They were issued one minute earlier, and expire in fourteen minutes.
pub fn claims() -> Value {
    json!({
        "iss": ISSUER,
        "sub": "alice",
        "aud": AUDIENCE,
        "exp": NOW + 840,
        "iat": NOW - 60,
        "jti": "token-1",
        "client_id": "web",
        "gid": handle(GID),
        "sid": handle(SID),
    })
}

/// Valid claims with these changes. The value `null` removes a claim.
pub fn claims_with(changes: Value) -> Value {
    changed(claims(), changes)
}

pub fn changed(mut claims: Value, changes: Value) -> Value {
    let (Value::Object(members), Value::Object(changes)) = (&mut claims, changes) else {
        panic!("claims are objects");
    };
    for (name, value) in changes {
        if value.is_null() {
            members.remove(&name);
        } else {
            members.insert(name, value);
        }
    }
    claims
}

pub fn handle(number: u64) -> Handle {
    Handle::new(number).expect("not zero")
}

pub fn secs(seconds: u64) -> UnixSeconds {
    UnixSeconds::new(seconds).expect("before the year 10000")
}

pub fn seq(number: u64) -> Seq {
    Seq::new(number).expect("below 2^53")
}

/// A snapshot without handles. It has sequence number 100 of epoch 1 and contains key 1. At [`NOW`] it is ten seconds
/// old.
pub fn snapshot() -> RevocationList {
    RevocationList {
        issuer: ISSUER.into(),
        issued_at: secs(NOW - 10),
        ttl_secs: 10,
        retain_secs: 1020,
        leeway_secs: 60,
        epoch: Epoch(1),
        seq: seq(100),
        since: None,
        cutoff: UnixSeconds::ZERO,
        jwks: Some(jwks(&[1])),
        revoked: HandleSet::default(),
    }
}

/// A delta without handles, from `since` to `to`, at [`NOW`].
pub fn delta(since: u64, to: u64) -> RevocationList {
    RevocationList { issued_at: secs(NOW), seq: seq(to), since: Some(seq(since)), jwks: None, ..snapshot() }
}

pub fn revoking(numbers: &[u64]) -> HandleSet {
    HandleSet::from_handles(numbers.iter().map(|number| handle(*number)))
}

pub fn jwks(keys: &[u8]) -> Jwks {
    Jwks { keys: keys.iter().map(|number| Key::number(*number).public()).collect() }
}

pub fn jwks_text(keys: &[u8]) -> String {
    serde_json::to_string(&jwks(keys)).expect("a key set serialises")
}

pub fn options() -> Options {
    Options::new(ISSUER, Some(vec![AUDIENCE.into()]))
}

/// A verifier that trusts key 1 and holds no list.
pub fn verifier() -> Verifier {
    verifier_with(options())
}

pub fn verifier_with(options: Options) -> Verifier {
    let mut verifier = Verifier::new(options).expect("valid options");
    verifier.add_jwks(&jwks_text(&[1])).expect("a valid key set");
    verifier
}

/// A verifier that trusts key 1 and holds [`snapshot`].
pub fn ready() -> Verifier {
    ready_with(options())
}

pub fn ready_with(options: Options) -> Verifier {
    let mut verifier = verifier_with(options);
    verifier.load(&Key::number(1).list(&snapshot()), at(NOW)).expect("a valid list");
    verifier
}

/// The times of a host whose two clocks both show this time.
pub fn at(wall: u64) -> HostTime {
    HostTime { wall: secs(wall), monotonic: Duration::from_secs(wall) }
}

/// Verifies a token with these claims, signed by key 1.
pub fn verify(verifier: &mut Verifier, claims: &Value, wall: u64) -> Result<Verified, Error> {
    verifier.verify(&Key::number(1).token(claims), at(wall))
}
