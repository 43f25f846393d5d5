//! A key with its table of multiples, and the verification with this table.

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

/// A public key with tables. With tables, a key verifies signatures about three times as fast as without tables. The
/// table of one key takes 640 KiB of memory. In WebAssembly, it takes a few milliseconds to create this table. The
/// first prepared key of a process costs twice as much as later keys, because the process also needs a table of the
/// base point. All keys share the table of the base point.
///
/// ```
/// use doorlist_verifier::signature::{PreparedKey, Signature};
///
/// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verifier/support.rs")); }
/// # use support::*;
/// # use ed25519_dalek::Signer as _;
/// # let signing_key = ed25519_dalek::SigningKey::from_bytes(&[1; 32]);
/// # let (key, bytes) = (Key::number(1).public(), signing_key.sign(b"message").to_bytes());
/// // `bytes` is the signature that the owner of `key` made for the text `message`.
/// let prepared = PreparedKey::new(&key);
/// let signature = Signature::from_bytes(&bytes);
/// assert!(prepared.verify(b"message", &signature));
/// assert!(!prepared.verify(b"another message", &signature));
/// ```
pub struct PreparedKey {
    /// The original bytes of the key, which are part of the hash.
    key: [u8; 32],
    /// The multiples of the negated key. The key is negated, because the equation is `R = [s]B − [h]A`.
    multiples: Multiples,
}

impl PreparedKey {
    /// Creates the tables.
    pub fn new(key: &PublicKey) -> Self {
        Self::of(key.verifying_key())
    }

    fn of(key: &VerifyingKey) -> Self {
        let mut preparation = Box::new(Preparation::of(key));
        loop {
            match preparation.advanced() {
                Ok(prepared) => return prepared,
                Err(unfinished) => preparation = unfinished,
            }
        }
    }

    /// Whether the key made this signature. The result always equals the result of
    /// `ed25519_dalek::VerifyingKey::verify`.
    ///
    /// The check follows RFC 8032 §5.1.7 without the cofactor. `s` must be below the group's order, and `R` is compared
    /// by its bytes.
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

/// A prepared key under construction. It is built row by row, so that no call has to wait for the whole table.
#[derive(Clone)]
pub(super) struct Preparation {
    key: [u8; 32],
    multiples: Multiples,
    /// The multiples of the base point, if the process has no such table yet.
    base_point: Option<Multiples>,
}

impl Preparation {
    // Operations on points cannot overflow.
    #[allow(clippy::arithmetic_side_effects)]
    pub(super) fn of(key: &VerifyingKey) -> Self {
        Self {
            key: key.to_bytes(),
            multiples: Multiples::begun(-key.to_edwards()),
            base_point: BASE_POINT.get().is_none().then(|| Multiples::begun(ED25519_BASEPOINT_POINT)),
        }
    }

    /// Adds one row to each table. Returns the prepared key when the tables are complete.
    pub(super) fn advanced(mut self: Box<Self>) -> Result<PreparedKey, Box<Self>> {
        self.multiples.add_row();
        if let Some(multiples) = &mut self.base_point {
            multiples.add_row();
        }
        if !self.multiples.are_complete() {
            return Err(self);
        }
        if let Some(multiples) = self.base_point {
            BASE_POINT.get_or_init(|| multiples);
        }
        Ok(PreparedKey { key: self.key, multiples: self.multiples })
    }
}

impl fmt::Debug for PreparedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreparedKey").finish_non_exhaustive()
    }
}

static BASE_POINT: OnceLock<Multiples> = OnceLock::new();

fn base_point() -> &'static Multiples {
    BASE_POINT.get_or_init(|| Multiples::of(ED25519_BASEPOINT_POINT))
}

#[cfg(test)]
mod tests;
