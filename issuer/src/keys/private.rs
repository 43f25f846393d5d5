//! A private key. It does only one thing: it signs JWTs.

use std::borrow::Cow;
use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
use doorlist_verifier::signature::{Ed25519, Signature};
use doorlist_verifier::{KeyId, PublicKey};
use ed25519_dalek::{Signer, SigningKey};
use jwt_compact::{Algorithm, AlgorithmExt, Claims, Header};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use zeroize::Zeroizing;

/// An Ed25519 private key with its public half. The private half is wiped from memory when this value is dropped.
/// `Debug` shows only the `kid`.
#[derive(Clone)]
pub struct PrivateKey {
    signing: SigningKey,
    public: PublicKey,
}

impl PrivateKey {
    /// A new key from the operating system's random numbers.
    pub fn random() -> Self {
        let seed = Zeroizing::new(rand::random::<[u8; 32]>());
        Self::from_seed(&seed)
    }

    /// The key for this seed (RFC 8032 §5.1.5).
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let signing = SigningKey::from_bytes(seed);
        let public = PublicKey::from_bytes(signing.verifying_key().as_bytes())
            .expect("RFC 8032 clamps the scalar, so the public key is of full order");
        Self { signing, public }
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        self.public
    }

    /// The id of the key.
    pub fn kid(&self) -> KeyId {
        self.public.kid()
    }

    /// Signs these claims. Returns a compact JWS with the header `{"alg":"EdDSA","typ":…,"kid":…}`.
    pub fn sign(&self, typ: &str, claims: impl Serialize) -> String {
        let header = Header::empty().with_key_id(self.kid().to_string()).with_token_type(typ);
        EdDsa
            .token(&header, &Claims::new(claims), &self.signing)
            .expect("claims are structs and maps with text for keys")
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PrivateKey").field(&self.kid()).finish()
    }
}

/// Writes the seed in base64url. This text must be sealed before it is stored.
impl Serialize for PrivateKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let seed = Zeroizing::new(Base64UrlUnpadded::encode_string(self.signing.as_bytes()));
        serializer.serialize_str(&seed)
    }
}

impl<'de> Deserialize<'de> for PrivateKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        let mut seed = Zeroizing::new([0; 32]);
        match Base64UrlUnpadded::decode(text.as_str(), seed.as_mut_slice()) {
            Ok(decoded) if decoded.len() == 32 => Ok(Self::from_seed(&seed)),
            _ => Err(D::Error::custom("a seed is 32 bytes in base64url")),
        }
    }
}

/// Ed25519 with a private key. The verifier's [`Ed25519`] works only with public keys.
struct EdDsa;

impl Algorithm for EdDsa {
    type SigningKey = SigningKey;
    type VerifyingKey = PublicKey;
    type Signature = Signature;

    fn name(&self) -> Cow<'static, str> {
        Ed25519::EdDsa.name()
    }

    fn sign(&self, key: &SigningKey, message: &[u8]) -> Signature {
        key.sign(message).into()
    }

    fn verify_signature(&self, signature: &Signature, key: &PublicKey, message: &[u8]) -> bool {
        Ed25519::EdDsa.verify_signature(signature, key, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_rfc_8037_has_the_kid_of_the_rfc() {
        // RFC 8037 appendix A.1 and A.3.
        let seed =
            Base64UrlUnpadded::decode_vec("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").expect("base64url");
        let key = PrivateKey::from_seed(seed.as_slice().try_into().expect("32 bytes"));
        assert_eq!(key.kid().to_string(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        assert_eq!(format!("{key:?}"), "PrivateKey(kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k)");
    }

    #[test]
    fn a_header_has_three_members() {
        let key = PrivateKey::from_seed(&[7; 32]);
        let jwt = key.sign("at+jwt", serde_json::json!({"sub": "alice"}));
        let header =
            Base64UrlUnpadded::decode_vec(jwt.split('.').next().expect("a header")).expect("base64url");
        let header: serde_json::Value = serde_json::from_slice(&header).expect("JSON");
        assert_eq!(header, serde_json::json!({"alg": "EdDSA", "typ": "at+jwt", "kid": key.kid()}));
    }

    #[test]
    fn a_key_survives_writing_and_reading() {
        let key = PrivateKey::random();
        let text = serde_json::to_string(&key).expect("JSON");
        let read: PrivateKey = serde_json::from_str(&text).expect("a key");
        assert_eq!(read.kid(), key.kid());
        for text in [r#""""#, r#""AAAA""#, r#""!""#] {
            assert!(serde_json::from_str::<PrivateKey>(text).is_err(), "{text}");
        }
    }
}
