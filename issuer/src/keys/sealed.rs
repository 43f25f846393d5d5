//! The key ring in the store: sealed under a key derived from the master secret.
//!
//! ```text
//! +---------+-------+----------------------------------+
//! | version | nonce | XChaCha20-Poly1305 of the ring's |
//! | 1       | 24    | JSON, with its tag of 16 bytes   |
//! +---------+-------+----------------------------------+
//! ```

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use super::KeyRing;
use crate::secret::{MasterSecret, MasterSecrets};

const VERSION: u8 = 1;
const NONCE_LEN: usize = 24;

/// The master secret under which the ring was sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SealedUnder {
    /// The current master secret.
    Current,
    /// A previous master secret. The ring must be sealed again under the current master secret before an operator
    /// removes the previous master secret.
    Previous,
}

/// None of the master secrets opens the stored bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "no given master secret opens the stored key ring: add the one that it was encrypted with, for example as a previous one"
)]
pub struct Unreadable;

/// Seals the ring under the current master secret. Returns the bytes to store.
pub fn seal(ring: &KeyRing, secrets: &MasterSecrets) -> Vec<u8> {
    let nonce = rand::random::<[u8; NONCE_LEN]>();
    let json = Zeroizing::new(serde_json::to_vec(ring).expect("a ring is JSON"));
    let payload = Payload { msg: &json, aad: &[VERSION] };
    let sealed = cipher(secrets.current())
        .encrypt(&XNonce::from(nonce), payload)
        .expect("a ring is much shorter than the cipher's limit");
    [&[VERSION], nonce.as_slice(), &sealed].concat()
}

/// Opens the ring in the stored bytes.
///
/// # Errors
///
/// [`Unreadable`] if no master secret opens the bytes.
pub fn unseal(bytes: &[u8], secrets: &MasterSecrets) -> Result<(KeyRing, SealedUnder), Unreadable> {
    let (&version, rest) = bytes.split_first().ok_or(Unreadable)?;
    let (nonce, sealed) = rest.split_first_chunk::<NONCE_LEN>().ok_or(Unreadable)?;
    if version != VERSION {
        return Err(Unreadable);
    }
    let open = |secret: &MasterSecret| {
        let payload = Payload { msg: sealed, aad: &[version] };
        let json = Zeroizing::new(cipher(secret).decrypt(&XNonce::from(*nonce), payload).ok()?);
        serde_json::from_slice(&json).ok()
    };
    let (index, ring) = secrets
        .all()
        .enumerate()
        .find_map(|(index, secret)| Some((index, open(secret)?)))
        .ok_or(Unreadable)?;
    Ok((ring, if index == 0 { SealedUnder::Current } else { SealedUnder::Previous }))
}

fn cipher(secret: &MasterSecret) -> XChaCha20Poly1305 {
    let key = secret.derive::<32>("key ring", &[]);
    XChaCha20Poly1305::new_from_slice(key.as_slice()).expect("32 bytes")
}

#[cfg(test)]
mod tests {
    use doorlist_verifier::UnixSeconds;

    use super::*;
    use crate::keys::PrivateKey;

    const OLD: &str = "an-old-secret-of-some-length";
    const NEW: &str = "the-new-secret-of-some-length";

    fn secrets(text: &str) -> MasterSecrets {
        MasterSecrets::parse(text).expect("secrets")
    }

    fn ring() -> KeyRing {
        KeyRing::first(UnixSeconds::ZERO, PrivateKey::from_seed(&[1; 32]), PrivateKey::from_seed(&[2; 32]))
            .ring
    }

    #[test]
    fn a_ring_opens_with_its_secret_as_the_current_or_a_previous_one() {
        let sealed = seal(&ring(), &secrets(OLD));
        let (read, under) = unseal(&sealed, &secrets(OLD)).expect("ours");
        assert_eq!((read.jwks(), under), (ring().jwks(), SealedUnder::Current));
        let (_, under) = unseal(&sealed, &secrets(&format!("{NEW}\n{OLD}"))).expect("ours");
        assert_eq!(under, SealedUnder::Previous);
        assert_eq!(unseal(&sealed, &secrets(NEW)).unwrap_err(), Unreadable);
    }

    #[test]
    fn sealed_bytes_show_no_key_and_every_change_is_detected() {
        let sealed = seal(&ring(), &secrets(OLD));
        assert!(!sealed.windows(8).any(|window| window == [1; 8]));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(unseal(&changed, &secrets(OLD)).unwrap_err(), Unreadable, "byte {at}");
            assert!(unseal(&sealed[..at], &secrets(OLD)).is_err());
        }
    }
}
