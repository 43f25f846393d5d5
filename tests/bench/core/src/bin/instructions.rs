//! Verifies the given number of tokens. The work before the verification is the same for every number of tokens. So the
//! difference between two runs is the cost of the additional tokens. `../../instructions.mjs` counts the instructions.

use doorlist_core::{at, handles, list, tokens, verifier};

/// The number of different tokens. A verifier makes tables for a key after 64 good signatures, so this number is enough
/// to count verifications with and without tables.
const TOKENS: u16 = 200;

fn main() {
    let count: usize = std::env::args().nth(1).and_then(|text| text.parse().ok()).expect("how many tokens");
    let tokens = tokens(TOKENS);
    let mut verifier = verifier(&list(handles(10_000), 10_000, None));
    for token in tokens.iter().cycle().take(count) {
        verifier.verify(token, at()).expect("a good token");
    }
}
