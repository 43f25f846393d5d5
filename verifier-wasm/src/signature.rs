//! Ed25519 (RFC 8032, RFC 8037) as an algorithm of `jwt-compact`, for verification only.

use std::borrow::Cow;
use std::num::NonZeroUsize;

use ed25519_dalek::Verifier as _;
use jwt_compact::{Algorithm, AlgorithmSignature};

use crate::keys::PublicKey;

mod multiples;
mod prepared;
mod tables;

pub use prepared::PreparedKey;
pub(crate) use tables::Tables;

/// The names that a header may use for Ed25519.
///
/// ```
/// use doorlist_verifier::signature::Ed25519;
///
/// assert_eq!(Ed25519::from_name("EdDSA"), Some(Ed25519::EdDsa));
/// assert_eq!(Ed25519::from_name("RS256"), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ed25519 {
    /// `EdDSA` (RFC 8037), which always means Curve25519 here.
    EdDsa,
    /// `Ed25519`, the fully specified name (RFC 9864).
    FullySpecified,
}

impl Ed25519 {
    /// Returns the algorithm with this name, or `None` for any other name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "EdDSA" => Some(Self::EdDsa),
            "Ed25519" => Some(Self::FullySpecified),
            _ => None,
        }
    }
}

/// A type without values, because a verifier has no private key.
///
/// ```
/// use doorlist_verifier::signature::{Ed25519, NoSigningKey};
/// use jwt_compact::Algorithm;
///
/// fn sign<A: Algorithm>(algorithm: &A, key: Option<A::SigningKey>) -> Option<A::Signature> {
///     key.map(|key| algorithm.sign(&key, b"message"))
/// }
///
/// // `None` is the only value of `Option<NoSigningKey>`.
/// let key: Option<NoSigningKey> = None;
/// assert_eq!(sign(&Ed25519::EdDsa, key), None);
/// ```
#[derive(Debug, Clone, Copy)]
pub enum NoSigningKey {}

/// A signature of 64 bytes, `R ‖ s`.
///
/// ```
/// use doorlist_verifier::signature::{Ed25519, Signature};
/// use jwt_compact::Algorithm;
///
/// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verifier/support.rs")); }
/// # use support::*;
/// # use ed25519_dalek::Signer as _;
/// # let signing_key = ed25519_dalek::SigningKey::from_bytes(&[1; 32]);
/// # let (key, bytes) = (Key::number(1).public(), signing_key.sign(b"message").to_bytes());
/// // `bytes` is the signature that the owner of `key` made for the text `message`.
/// let signature = Signature::from_bytes(&bytes);
/// assert!(Ed25519::EdDsa.verify_signature(&signature, &key, b"message"));
/// assert!(!Ed25519::EdDsa.verify_signature(&signature, &key, b"another message"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature(ed25519_dalek::Signature);

impl Signature {
    /// Decodes a signature. Does not check whether any key made it.
    pub fn from_bytes(bytes: &[u8; ed25519_dalek::SIGNATURE_LENGTH]) -> Self {
        Self(ed25519_dalek::Signature::from_bytes(bytes))
    }
}

impl From<ed25519_dalek::Signature> for Signature {
    fn from(signature: ed25519_dalek::Signature) -> Self {
        Self(signature)
    }
}

impl AlgorithmSignature for Signature {
    const LENGTH: Option<NonZeroUsize> = NonZeroUsize::new(ed25519_dalek::SIGNATURE_LENGTH);

    fn try_from_slice(slice: &[u8]) -> anyhow::Result<Self> {
        Ok(Self(ed25519_dalek::Signature::from_slice(slice).map_err(anyhow::Error::msg)?))
    }

    fn as_bytes(&self) -> Cow<'_, [u8]> {
        Cow::Owned(self.0.to_bytes().into())
    }
}

impl Algorithm for Ed25519 {
    type SigningKey = NoSigningKey;
    type VerifyingKey = PublicKey;
    type Signature = Signature;

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::EdDsa => "EdDSA",
            Self::FullySpecified => "Ed25519",
        })
    }

    fn sign(&self, signing_key: &NoSigningKey, _message: &[u8]) -> Signature {
        match *signing_key {}
    }

    /// Accepts exactly the same signatures as `ed25519_dalek::VerifyingKey::verify`. `s` must be below the group's
    /// order. `R` is compared by its bytes, without the cofactor.
    fn verify_signature(&self, signature: &Signature, key: &PublicKey, message: &[u8]) -> bool {
        key.verifying_key().verify(message, &signature.0).is_ok()
    }
}
