//! Any text as a refresh token. Without the master secret, no text may be accepted except those that the issuer made.
//! A text that begins with `!` is not a token but edits of a valid one: triples of a position and a byte.

#![no_main]

use std::sync::LazyLock;

use doorlist::desk::RefreshClaims;
use doorlist::refresh_token::RefreshTokens;
use doorlist::secret::MasterSecrets;
use doorlist_verifier::Handle;
use libfuzzer_sys::fuzz_target;

static TOKENS: LazyLock<RefreshTokens> = LazyLock::new(|| {
    let secrets =
        MasterSecrets::parse("the-new-secret-of-some-length\nan-old-secret-of-some-length").expect("secrets");
    RefreshTokens::new(&secrets, "https://issuer.example")
});

static VALID: LazyLock<String> = LazyLock::new(|| TOKENS.encode(&claims("alice")));

fuzz_target!(|bytes: &[u8]| {
    if let Some(edits) = bytes.strip_prefix(b"!") {
        let mut text = VALID.clone().into_bytes();
        for edit in edits.as_chunks::<3>().0 {
            let at = usize::from(u16::from_be_bytes([edit[0], edit[1]])) % text.len();
            text[at] = edit[2];
        }
        if let Ok(text) = str::from_utf8(&text) {
            assert_eq!(TOKENS.decode(text).is_ok(), text == *VALID, "{text}");
        }
        return;
    }
    let Ok(text) = str::from_utf8(bytes) else { return };
    assert!(TOKENS.decode(text).is_err() || text == *VALID);
    // As a subject: what is written is read.
    if let Ok(sub) = text.try_into() {
        let claims = RefreshClaims { sub, ..claims("alice") };
        assert_eq!(TOKENS.decode(&TOKENS.encode(&claims)), Ok(claims));
    }
});

fn claims(sub: &str) -> RefreshClaims {
    let sub = sub.try_into().expect("a subject");
    RefreshClaims { sid: Handle::new(0x0123_4567_89ab_cdef).expect("a handle"), generation: 7, sub }
}
