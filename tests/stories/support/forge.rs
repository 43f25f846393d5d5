//! An attacker with their own key, who can sign any content.

use base64ct::{Base64UrlUnpadded, Encoding};
use doorlist_verifier::PublicKey;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};

/// An attacker who signs with their own key.
pub struct Forger(SigningKey);

impl Forger {
    /// A forger whose key consists of this byte, repeated.
    pub fn number(number: u8) -> Self {
        Self(SigningKey::from_bytes(&[number; 32]))
    }

    /// The thumbprint of the forger's own key.
    pub fn kid(&self) -> String {
        PublicKey::from_bytes(self.0.verifying_key().as_bytes()).expect("a valid key").kid().to_string()
    }

    /// Takes a genuine token or list, changes its claims, and signs it under this `kid`.
    pub fn resign(&self, genuine: &str, kid: &str, change: impl FnOnce(&mut Value)) -> String {
        let mut parts =
            genuine.split('.').map(|part| Base64UrlUnpadded::decode_vec(part).expect("base64url"));
        let mut part =
            || -> Value { serde_json::from_slice(&parts.next().expect("three parts")).expect("JSON") };
        let (mut header, mut claims) = (part(), part());
        header["kid"] = json!(kid);
        change(&mut claims);
        let encode = |value: &Value| Base64UrlUnpadded::encode_string(value.to_string().as_bytes());
        let signed = format!("{}.{}", encode(&header), encode(&claims));
        let signature = self.0.sign(signed.as_bytes()).to_bytes();
        format!("{signed}.{}", Base64UrlUnpadded::encode_string(&signature))
    }
}

/// The `kid` in the header of a token or list.
pub fn kid(token: &str) -> String {
    let header = token.split('.').next().and_then(|part| Base64UrlUnpadded::decode_vec(part).ok());
    let header: Value = serde_json::from_slice(&header.expect("a header")).expect("JSON");
    header["kid"].as_str().expect("a kid").to_owned()
}
