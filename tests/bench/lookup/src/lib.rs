//! Looks up handles in a set. JavaScript chooses the number of lookups in one call. Only numbers are passed between
//! JavaScript and this module, so it needs no glue code.

use doorlist_verifier::HandleSet;
use wasm_bindgen::prelude::wasm_bindgen;

#[path = "../../core/src/handles.rs"]
mod handles;

use handles::Handles;

/// A set of handles, and a generator of the handles to look up.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Lookups {
    set: HandleSet,
    handles: Handles,
}

#[wasm_bindgen]
impl Lookups {
    /// Creates a set of about `revoked` random handles.
    #[wasm_bindgen(constructor)]
    pub fn new(revoked: u32) -> Self {
        let mut handles = Handles::seeded(1);
        let set = HandleSet::from_handles((0..revoked).filter_map(|_| handles.next()));
        Self { set, handles }
    }

    /// Looks up `count` random handles from the same blocks. Returns how many of them are in the set.
    pub fn run(&mut self, count: u32) -> u32 {
        let mut found = 0;
        for _ in 0..count {
            let handle = self.handles.next();
            found += u32::from(handle.is_some_and(|handle| self.set.contains(handle)));
        }
        found
    }
}
