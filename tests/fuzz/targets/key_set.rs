//! Any text as a JWK Set.

#![no_main]

use base64ct::{Base64UrlUnpadded, Encoding};
use doorlist_verifier::Jwks;
use doorlist_verifier::keys::{MAX_JWKS_LEN, MAX_KEYS};
use libfuzzer_sys::fuzz_target;
use sha2::{Digest, Sha256};

fuzz_target!(|text: &str| {
    let Ok(jwks) = Jwks::parse(text) else { return };
    assert!(text.len() <= MAX_JWKS_LEN && jwks.keys.len() <= MAX_KEYS);
    for key in &jwks.keys {
        // The key id is the thumbprint of RFC 7638.
        let x = Base64UrlUnpadded::encode_string(key.as_bytes());
        let thumbprint = Sha256::digest(format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#));
        assert_eq!(key.kid().to_string(), Base64UrlUnpadded::encode_string(&thumbprint));
    }
    let written = serde_json::to_string(&jwks).expect("a key set serialises");
    assert_eq!(Jwks::parse(&written).expect("our own"), jwks);
});
