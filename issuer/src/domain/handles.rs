//! Where handles come from.

use std::fmt;

use doorlist_verifier::Handle;
use rand::Rng;
use rand::seq::SliceRandom;

/// The 65,536 handles that share their high 48 bits, in random order.
///
/// A node draws a block, hands out its handles, and draws another when they are used up or the node restarts: no
/// two nodes need to agree, nothing is lost in a failover, order and volume stay hidden, and handles that were
/// drawn together share a prefix, which keeps the revocation list small.
pub struct HandleBlock {
    block: u64,
    positions: Vec<u16>,
}

impl HandleBlock {
    /// A block drawn and shuffled with `rng`, which must not be predictable.
    pub fn draw(rng: &mut impl Rng) -> Self {
        let block = rng.next_u64() >> 16;
        let mut positions: Vec<u16> = (0..=u16::MAX).collect();
        positions.shuffle(rng);
        Self { block, positions }
    }
}

impl Iterator for HandleBlock {
    type Item = Handle;

    fn next(&mut self) -> Option<Handle> {
        let position = self.positions.pop()?;
        // The one number that is no handle is 0.
        Handle::from_parts(self.block, position).or_else(|| self.next())
    }
}

impl fmt::Debug for HandleBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HandleBlock({} left)", self.positions.len())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn a_block_hands_out_each_handle_once_and_in_no_order() {
        let handles: Vec<_> = HandleBlock::draw(&mut StdRng::seed_from_u64(1)).collect();
        assert_eq!(handles.len(), 65_536);
        assert_eq!(handles.iter().map(|handle| handle.block()).collect::<HashSet<_>>().len(), 1);
        assert_eq!(handles.iter().collect::<HashSet<_>>().len(), 65_536);
        assert!(!handles.is_sorted());
    }

    #[test]
    fn zero_is_never_handed_out() {
        let zero = HandleBlock { block: 0, positions: vec![1, 0] };
        assert_eq!(zero.map(Handle::get).collect::<Vec<_>>(), [1]);
    }
}
