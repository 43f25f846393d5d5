//! Draws handles in the same way as an issuer does. All Rust programs of the measurements use this module.

use doorlist_verifier::Handle;

/// The number of blocks that an issuer of 100,000,000 sessions has drawn. A block has 65,536 handles. The numbers of
/// two neighbouring blocks differ by [`DISTANCE`].
const BLOCKS: u64 = 1526;
const FIRST_BLOCK: u64 = 0x00d0_0000_0000;
const DISTANCE: u64 = 7919;

/// Random handles from the blocks of an issuer. The generator is xorshift64.
#[derive(Debug)]
pub struct Handles(u64);

impl Handles {
    /// The same seed gives the same handles. The seed must not be zero.
    pub const fn seeded(seed: u64) -> Self {
        Self(seed)
    }
}

impl Iterator for Handles {
    type Item = Handle;

    fn next(&mut self) -> Option<Handle> {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let position = u16::try_from(self.0 >> 48).ok()?;
        Handle::from_parts(FIRST_BLOCK + DISTANCE * (self.0 % BLOCKS), position)
    }
}
