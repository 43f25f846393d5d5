//! Verifies as many tokens as it is asked to, and does the same work before that whatever it is asked: the difference
//! between two runs is that between two numbers of tokens. `../../instructions.mjs` counts.

use doorlist_core::{at, handles, list, tokens, verifier};

/// A verifier makes tables for a key after 64 good signatures; both sides of that are to be counted.
const TOKENS: u16 = 200;

fn main() {
    let count: usize = std::env::args().nth(1).and_then(|text| text.parse().ok()).expect("how many tokens");
    let tokens = tokens(TOKENS);
    let mut verifier = verifier(&list(handles(10_000), 10_000, None));
    for token in tokens.iter().cycle().take(count) {
        verifier.verify(token, at()).expect("a good token");
    }
}
