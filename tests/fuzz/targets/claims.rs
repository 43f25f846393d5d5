//! Any bytes as the payload of an access token, without a signature. `serde_json` must read the same claims.

#![no_main]

use doorlist_verifier::{AccessTokenClaims, VettedClaims};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    let vetted = VettedClaims::decode(bytes);
    let Ok(claims) = AccessTokenClaims::decode(bytes) else { return };
    let read: Value = serde_json::from_slice(bytes).expect("accepted, so it is JSON");
    assert_eq!(read["iss"], claims.issuer);
    assert_eq!(read["sub"], claims.subject);
    assert_eq!(read["jti"], claims.jwt_id);
    assert_eq!(read["client_id"], claims.client_id);
    assert_eq!(read["exp"].as_u64(), Some(claims.expires_at.as_secs()));
    assert_eq!(read["iat"].as_u64(), Some(claims.issued_at.as_secs()));
    assert_eq!(
        read.get("nbf").map(|time| time.as_u64().expect("a time")),
        claims.not_before.map(|time| time.as_secs())
    );
    assert_eq!(read.get("scope").map(|scope| scope.as_str().expect("a text")), claims.scope.as_deref());
    assert_eq!(read["gid"], claims.gid.to_string());
    assert_eq!(read["sid"], claims.sid.to_string());
    match &read["aud"] {
        Value::String(name) => assert_eq!(claims.audience.names(), std::slice::from_ref(name)),
        Value::Array(names) => {
            let read: Vec<_> = names.iter().map(|name| name.as_str().expect("a name")).collect();
            assert_eq!(claims.audience.names(), read);
        }
        other => panic!("an audience {other}"),
    }
    // The claims that both types have must agree. `kid` is a member of the vetted claims alone.
    match vetted {
        Ok(vetted) => {
            assert_eq!((&vetted.issuer, vetted.issued_at), (&claims.issuer, claims.issued_at));
            assert_eq!((vetted.gid, vetted.sid), (claims.gid, claims.sid));
        }
        Err(error) => assert!(read.get("kid").is_some(), "{error}"),
    }
});
