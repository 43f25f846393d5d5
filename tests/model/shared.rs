//! Parts that many worlds share, because most steps change little.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

/// A value that is cheap to clone and to hash. The hash is computed only when the value changes.
#[derive(Debug, Clone)]
pub struct Shared<T> {
    value: Arc<T>,
    fingerprint: u64,
}

/// The part that distinguishes a value from other values.
pub trait Fingerprint {
    fn fingerprint<H: Hasher>(&self, state: &mut H);
}

impl<T: Fingerprint> Shared<T> {
    pub fn change<R>(&mut self, change: impl FnOnce(&mut T) -> R) -> R
    where
        T: Clone,
    {
        let changed = change(Arc::make_mut(&mut self.value));
        self.fingerprint = fingerprint(&*self.value);
        changed
    }
}

impl<T: Fingerprint> From<T> for Shared<T> {
    fn from(value: T) -> Self {
        Self { fingerprint: fingerprint(&value), value: Arc::new(value) }
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> Hash for Shared<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.fingerprint.hash(state);
    }
}

fn fingerprint(value: &impl Fingerprint) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.fingerprint(&mut hasher);
    hasher.finish()
}
