//! Lookups in a set of handles, as many as JavaScript asks for in one call. Only numbers cross, so no glue is needed.

use doorlist_verifier::{Handle, HandleSet};
use wasm_bindgen::prelude::wasm_bindgen;

/// What an issuer of 100,000,000 sessions has drawn: blocks of 65,536, numbered at a distance.
const BLOCKS: u64 = 1526;
const FIRST_BLOCK: u64 = 0x00d0_0000_0000;
const DISTANCE: u64 = 7919;

/// A set of handles.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Lookups {
    set: HandleSet,
    random: Random,
}

#[wasm_bindgen]
impl Lookups {
    /// A set of about `revoked` handles at random.
    #[wasm_bindgen(constructor)]
    pub fn new(revoked: u32) -> Self {
        let mut random = Random(1);
        let handles: Vec<Handle> = (0..revoked).filter_map(|_| random.handle()).collect();
        Self { set: HandleSet::from_handles(handles), random }
    }

    /// Looks up `count` handles of the same blocks at random; answers how many were there.
    pub fn run(&mut self, count: u32) -> u32 {
        let mut found = 0;
        for _ in 0..count {
            let handle = self.random.handle();
            found += u32::from(handle.is_some_and(|handle| self.set.contains(handle)));
        }
        found
    }
}

/// xorshift64
#[derive(Debug)]
struct Random(u64);

impl Random {
    fn handle(&mut self) -> Option<Handle> {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let position = u16::try_from(self.0 >> 48).ok()?;
        Handle::from_parts(FIRST_BLOCK + DISTANCE * (self.0 % BLOCKS), position)
    }
}
