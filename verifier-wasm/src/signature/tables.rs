//! Decides which keys get tables, and when.

use std::fmt;
use std::sync::Arc;

use jwt_compact::Algorithm as _;

use super::prepared::Preparation;
use super::{Ed25519, PreparedKey, Signature};
use crate::key_id::KeyId;
use crate::keys::PublicKey;

/// The verifier begins to create a table for a key after this many valid signatures. Up to this point, verification has
/// cost about as much as creating the table. So a key that is soon replaced costs at most about twice as much as
/// without a table. A command-line tool that checks one token never creates a table. After this point, each valid
/// signature adds one row, so that no single token waits for the whole table.
const EARNED_AFTER: u32 = 64;

/// The maximum number of keys for which one verifier holds a table at the same time. Together, these tables take 2.5
/// MiB. Signatures of other keys are verified without a table.
const MAX_PREPARED: usize = 4;

/// How much a verifier has used each of its keys.
#[derive(Clone, Default)]
pub(crate) struct Tables(Vec<Usage>);

#[derive(Clone)]
struct Usage {
    kid: KeyId,
    stage: Stage,
}

/// The progress of a key towards a table. Only valid signatures advance it. So only the issuer can make a verifier
/// spend time and memory on tables.
#[derive(Clone)]
enum Stage {
    /// The number of valid signatures seen.
    Counting(u32),
    Preparing(Box<Preparation>),
    Prepared(Arc<PreparedKey>),
}

impl Stage {
    fn next(self, key: &PublicKey, has_room: bool) -> Self {
        match self {
            Self::Counting(good) if good.saturating_add(1) >= EARNED_AFTER && has_room => {
                Self::Preparing(Box::new(Preparation::of(key.verifying_key())))
            }
            Self::Counting(good) => Self::Counting(good.saturating_add(1)),
            Self::Preparing(preparation) => match preparation.advanced() {
                Ok(prepared) => Self::Prepared(Arc::new(prepared)),
                Err(unfinished) => Self::Preparing(unfinished),
            },
            prepared => prepared,
        }
    }
}

impl Tables {
    /// Whether the key made this signature. Uses the key's table if the table is complete.
    pub(crate) fn verify(
        &mut self,
        key: &PublicKey,
        algorithm: Ed25519,
        message: &[u8],
        signature: &Signature,
    ) -> bool {
        if let Some(prepared) = self.prepared(key.kid()) {
            return prepared.verify(message, signature);
        }
        let good = algorithm.verify_signature(signature, key, message);
        if good {
            self.count(key);
        }
        good
    }

    /// Removes all keys that are not in `trusted`.
    pub(crate) fn retain(&mut self, trusted: &[PublicKey]) {
        self.0.retain(|usage| trusted.iter().any(|key| key.kid() == usage.kid));
    }

    fn prepared(&self, kid: KeyId) -> Option<&PreparedKey> {
        match &self.0.iter().find(|usage| usage.kid == kid)?.stage {
            Stage::Prepared(prepared) => Some(prepared),
            _ => None,
        }
    }

    fn count(&mut self, key: &PublicKey) {
        let kid = key.kid();
        let taken = self.0.iter().filter(|usage| !matches!(usage.stage, Stage::Counting(_))).count();
        match self.0.iter_mut().find(|usage| usage.kid == kid) {
            Some(usage) => {
                let stage = std::mem::replace(&mut usage.stage, Stage::Counting(0));
                usage.stage = stage.next(key, taken < MAX_PREPARED);
            }
            None => self.0.push(Usage { kid, stage: Stage::Counting(1) }),
        }
    }
}

impl fmt::Debug for Tables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|usage| usage.kid)).finish()
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer as _, SigningKey};

    use super::*;

    /// The number of rows in a table. After [`EARNED_AFTER`] valid signatures of a key, each further valid signature
    /// adds one row.
    const ROWS: u32 = 32;

    fn signing_key(number: u8) -> SigningKey {
        SigningKey::from_bytes(&[number; 32])
    }

    fn key(number: u8) -> PublicKey {
        PublicKey::from_bytes(signing_key(number).verifying_key().as_bytes()).unwrap()
    }

    fn good_signatures(tables: &mut Tables, number: u8, count: u32) {
        let signature = signing_key(number).sign(b"text").into();
        for _ in 0..count {
            assert!(tables.verify(&key(number), Ed25519::EdDsa, b"text", &signature));
        }
    }

    fn is_prepared(tables: &Tables, number: u8) -> bool {
        tables.prepared(key(number).kid()).is_some()
    }

    #[test]
    fn a_key_gets_its_table_after_enough_good_signatures() {
        let mut tables = Tables::default();
        good_signatures(&mut tables, 1, EARNED_AFTER - 1);
        let bad = signing_key(2).sign(b"text").into();
        for _ in 0..10 {
            assert!(!tables.verify(&key(1), Ed25519::EdDsa, b"text", &bad));
        }
        assert!(!is_prepared(&tables, 1));
        good_signatures(&mut tables, 1, ROWS);
        assert!(!tables.verify(&key(1), Ed25519::EdDsa, b"text", &bad));
        assert!(!is_prepared(&tables, 1), "all but one row");
        good_signatures(&mut tables, 1, 1);
        assert!(is_prepared(&tables, 1));
        good_signatures(&mut tables, 1, 1);
        assert!(!tables.verify(&key(1), Ed25519::EdDsa, b"text", &bad));
    }

    #[test]
    fn the_number_of_tables_is_limited_and_a_table_is_dropped_with_its_key() {
        let mut tables = Tables::default();
        for number in 1..=5 {
            good_signatures(&mut tables, number, EARNED_AFTER + ROWS);
        }
        assert!((1..=4).all(|number| is_prepared(&tables, number)));
        assert!(!is_prepared(&tables, 5), "no room");
        good_signatures(&mut tables, 5, 1);

        tables.retain(&[key(2), key(5)]);
        assert_eq!(tables.0.len(), 2);
        good_signatures(&mut tables, 5, 1 + ROWS);
        assert!(is_prepared(&tables, 5), "there is room again");
        assert!(!is_prepared(&tables, 1));
    }
}
