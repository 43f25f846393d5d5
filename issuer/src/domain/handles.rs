//! Draws new handles.

use std::fmt;

use doorlist_verifier::Handle;
use rand::{Rng, RngExt};

/// A block of 65,536 handles that share their high 48 bits. The handles are given out in random order.
///
/// Each node draws a block at random and gives out handles from this block only. The node draws another block after a
/// restart, and when the block is used up. This has four effects:
///
/// - Nodes need no coordination.
/// - A failover loses nothing, because the store does not keep the blocks.
/// - A handle reveals neither the order nor the number of handles.
/// - Handles of the same block share a prefix, so the revocation list stays small.
///
/// `rng` must not be predictable.
pub struct HandleBlock {
    block: u64,
    left: Vec<u16>,
}

impl HandleBlock {
    /// Draws a block at random.
    pub fn draw(rng: &mut impl Rng) -> Self {
        Self { block: rng.next_u64() >> 16, left: (0..=u16::MAX).collect() }
    }

    /// Takes one of the remaining handles; `None` if the block is used up.
    pub fn take(&mut self, rng: &mut impl Rng) -> Option<Handle> {
        while !self.left.is_empty() {
            let position = self.left.swap_remove(rng.random_range(..self.left.len()));
            // Every number except 0 is a handle.
            if let Some(handle) = Handle::from_parts(self.block, position) {
                return Some(handle);
            }
        }
        None
    }
}

impl fmt::Debug for HandleBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HandleBlock({} left)", self.left.len())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn a_block_gives_each_handle_once_in_random_order() {
        let rng = &mut StdRng::seed_from_u64(1);
        let mut block = HandleBlock::draw(rng);
        let handles: Vec<_> = std::iter::from_fn(|| block.take(rng)).collect();
        assert_eq!(handles.len(), 65_536);
        assert_eq!(handles.iter().map(|handle| handle.block()).collect::<HashSet<_>>().len(), 1);
        assert_eq!(handles.iter().collect::<HashSet<_>>().len(), 65_536);
        assert!(!handles.is_sorted());
    }

    #[test]
    fn zero_is_never_given_as_a_handle() {
        let rng = &mut StdRng::seed_from_u64(1);
        let mut zero = HandleBlock { block: 0, left: vec![1, 0] };
        assert_eq!((zero.take(rng), zero.take(rng)), (Handle::new(1), None));
    }
}
