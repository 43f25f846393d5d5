//! Lookups in a set of handles; JavaScript chooses how many run in one call. Only numbers cross the boundary,
//! so no glue is needed.

use doorlist_verifier::HandleSet;
use wasm_bindgen::prelude::wasm_bindgen;

#[path = "../../core/src/handles.rs"]
mod handles;

use handles::Handles;

/// A set of handles.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Lookups {
    set: HandleSet,
    handles: Handles,
}

#[wasm_bindgen]
impl Lookups {
    /// A set of about `revoked` random handles.
    #[wasm_bindgen(constructor)]
    pub fn new(revoked: u32) -> Self {
        let mut handles = Handles::seeded(1);
        let set = HandleSet::from_handles((0..revoked).filter_map(|_| handles.next()));
        Self { set, handles }
    }

    /// Looks up `count` random handles from the same blocks, and returns how many were found.
    pub fn run(&mut self, count: u32) -> u32 {
        let mut found = 0;
        for _ in 0..count {
            let handle = self.handles.next();
            found += u32::from(handle.is_some_and(|handle| self.set.contains(handle)));
        }
        found
    }
}
