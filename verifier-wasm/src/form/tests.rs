//! Compares the parser of this crate with the parser of `jwt-compact`. If this crate accepts a text, `jwt-compact` must
//! accept the text too, with the same result.

use ed25519_dalek::{Signer as _, SigningKey};
use jwt_compact::{AlgorithmSignature, UntrustedToken};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::keys::{Jwks, PublicKey};

const LIMIT: usize = 8192;

fn signing_key() -> SigningKey {
    SigningKey::from_bytes(&[1; 32])
}

fn public_key() -> PublicKey {
    PublicKey::from_bytes(signing_key().verifying_key().as_bytes()).unwrap()
}

fn header() -> serde_json::Value {
    json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": public_key().kid() })
}

fn signed(header: &[u8], payload: &[u8]) -> String {
    let [header, payload] = [header, payload].map(Base64UrlUnpadded::encode_string);
    let signed_part = format!("{header}.{payload}");
    let signature = signing_key().sign(signed_part.as_bytes()).to_bytes();
    format!("{signed_part}.{}", Base64UrlUnpadded::encode_string(&signature))
}

/// Parses a text with both parsers. Returns whether this crate accepts the text. Panics if the parsers disagree.
fn agreed(text: &str) -> bool {
    let theirs = UntrustedToken::new(text);
    let Ok(ours) = Unverified::parse(text, LIMIT) else {
        return false;
    };
    let theirs = theirs.expect("laxer than we are");
    let header = theirs.header();
    assert_eq!(Ed25519::from_name(theirs.algorithm()), Some(ours.algorithm));
    assert_eq!(header.key_id, Some(ours.kid.to_string()));
    let kind = match header.token_type.as_deref() {
        Some(ACCESS_TOKEN_TYPE | ACCESS_TOKEN_MEDIA_TYPE) => Kind::AccessToken,
        Some(LIST_TYPE) => Kind::RevocationList,
        _ => Kind::Other,
    };
    assert_eq!(kind, ours.kind);
    let parts: Vec<Vec<u8>> =
        text.split('.').map(|part| Base64UrlUnpadded::decode_vec(part).unwrap()).collect();
    assert_eq!(parts, [ours.header_json.as_bytes(), &ours.payload, theirs.signature_bytes()]);
    let signature = ours.signature.as_ref().map(AlgorithmSignature::as_bytes);
    assert_eq!(signature.as_deref(), Some(theirs.signature_bytes()).filter(|bytes| bytes.len() == 64));

    let mut keys = KeySet::default();
    keys.add(&Jwks { keys: vec![public_key()] }).unwrap();
    let claims = theirs.deserialize_claims_unchecked::<serde_json::Value>();
    match Unverified::parse(text, LIMIT).unwrap().verify(&mut keys) {
        Ok(Signed { header_json, payload }) => {
            assert_eq!([header_json.as_bytes(), &payload], [&*parts[0], &*parts[1]]);
            if let Ok(claims) = claims {
                let read = serde_json::to_value(claims).unwrap();
                assert_eq!(read, serde_json::from_slice::<serde_json::Value>(&payload).unwrap());
            }
            true
        }
        Err(Error::UnknownKey { kid, .. }) => ours.kid == kid,
        Err(error) => error == Error::Signature,
    }
}

#[test]
fn both_parsers_agree_on_a_signed_text() {
    let payload = br#"{"iss":"https://issuer.example","own":[1,{"a":null}]}"#;
    assert!(agreed(&signed(header().to_string().as_bytes(), payload)));
    for typ in ["at+jwt", "application/at+jwt", "revocation-list+jwt", "JWT"] {
        let mut header = header();
        header["typ"] = typ.into();
        header["alg"] = "Ed25519".into();
        assert!(agreed(&signed(header.to_string().as_bytes(), b"{}")));
    }
}

#[test]
fn headers_that_only_the_other_parser_accepts_are_refused() {
    for (name, value) in [("crit", json!([])), ("jwk", json!({})), ("jku", json!("u")), ("own", json!(1))] {
        let mut header = header();
        header[name] = value;
        let text = signed(header.to_string().as_bytes(), b"{}");
        assert!(UntrustedToken::new(&text).is_ok(), "{name}");
        assert!(!agreed(&text), "{name}");
    }
}

proptest! {
    #[test]
    fn both_parsers_agree_on_a_damaged_text(
        payload in vec(any::<u8>(), 0..20),
        damage in vec((any::<prop::sample::Index>(), 0_usize..2, "[-_A-Za-z0-9.=+/ ]{0,2}"), 1..4),
    ) {
        let mut text = signed(header().to_string().as_bytes(), &payload);
        for (at, removed, inserted) in damage {
            let at = at.index(text.len() + 1);
            text.replace_range(at..(at + removed).min(text.len()), &inserted);
        }
        agreed(&text);
    }

    #[test]
    fn both_parsers_agree_on_any_header(
        alg in prop::sample::select(vec!["\"EdDSA\"", "\"Ed25519\"", "\"\\u0045dDSA\"", "\"none\"", "1", "null"]),
        typ in prop::sample::select(vec!["\"at+jwt\"", "\"\"", "\"at\\u002bjwt\"", "null", "[]"]),
        kid in prop::sample::select(vec!["KID", "\"x\"", "null"]),
        more in prop::sample::select(vec!["", ",\"cty\":\"JWT\"", ",\"cty\":null", ",\"x5t\":null", ",\"kid\":\"\""]),
    ) {
        let kid = kid.replace("KID", &json!(public_key().kid()).to_string());
        agreed(&signed(format!(r#"{{"alg":{alg},"typ":{typ},"kid":{kid}{more}}}"#).as_bytes(), b"{}"));
    }

    #[test]
    fn both_parsers_agree_on_any_parts(text in "([-_A-Za-z0-9=]{0,9}[.]){0,4}[-_A-Za-z0-9]{0,90}") {
        agreed(&text);
    }
}
