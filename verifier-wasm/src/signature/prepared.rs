//! A key with its multiples, and verification by them.

use std::fmt;
use std::sync::OnceLock;

use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::Identity;
use ed25519_dalek::VerifyingKey;
use sha2::{Digest, Sha512};

use super::Signature;
use super::multiples::Multiples;
use crate::keys::PublicKey;

/// A public key that verifies about twice as fast, for 370 KiB of memory and, in WebAssembly, about 5 ms to make it. The
/// first of a process costs as much again, for the base point, which all share.
pub struct PreparedKey {
    /// As they are hashed: the bytes that the key came in.
    key: [u8; 32],
    /// Of the key's negative: the equation is `R = [s]B − [h]A`.
    multiples: Multiples,
}

impl PreparedKey {
    /// Makes the tables.
    pub fn new(key: &PublicKey) -> Self {
        Self::of(key.verifying_key())
    }

    // A point cannot overflow.
    #[allow(clippy::arithmetic_side_effects)]
    fn of(key: &VerifyingKey) -> Self {
        base_point();
        Self { key: key.to_bytes(), multiples: Multiples::of(-key.to_edwards()) }
    }

    /// Whether the key made this signature: what `ed25519_dalek::VerifyingKey::verify` says, always.
    ///
    /// That is RFC 8032 §5.1.7 without the cofactor, `s` below the group's order, `R` compared by its bytes.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> bool {
        let (r, s) = (signature.0.r_bytes(), signature.0.s_bytes());
        let Some(s) = Scalar::from_canonical_bytes(*s).into_option() else {
            return false;
        };
        let hash = Sha512::new().chain_update(r).chain_update(self.key).chain_update(message).finalize();
        let h = Scalar::from_bytes_mod_order_wide(&hash.into());
        let sum = base_point().add_multiple(EdwardsPoint::identity(), &s);
        self.multiples.add_multiple(sum, &h).compress().as_bytes() == r
    }
}

impl fmt::Debug for PreparedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreparedKey").finish_non_exhaustive()
    }
}

fn base_point() -> &'static Multiples {
    static BASE_POINT: OnceLock<Multiples> = OnceLock::new();
    BASE_POINT.get_or_init(|| Multiples::of(ED25519_BASEPOINT_POINT))
}

#[cfg(test)]
mod tests;
