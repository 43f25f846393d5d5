//! Access tokens: the RFC 9068 profile with a group and a session.

use base64ct::{Base64UrlUnpadded, Encoding};
use doorlist_verifier::claims::{ACCESS_TOKEN_TYPE, AccessTokenClaims, Audience};
use serde::Serialize;

use crate::desk::Grant;
use crate::domain::CustomClaims;
use crate::keys::PrivateKey;

/// The signed payload: the claims of the profile, and the custom claims.
#[derive(Serialize)]
struct Payload<'a> {
    #[serde(flatten)]
    claims: AccessTokenClaims,
    #[serde(flatten)]
    custom: &'a CustomClaims,
}

/// The access token for a session, made from its grant.
pub fn sign(grant: &Grant, issuer: &str, audience: &str, key: &PrivateKey) -> String {
    let claims = AccessTokenClaims {
        issuer: issuer.to_owned(),
        subject: grant.sub.to_string(),
        audience: Audience::One(audience.to_owned()),
        expires_at: grant.expires_at,
        issued_at: grant.issued_at,
        not_before: None,
        jwt_id: Base64UrlUnpadded::encode_string(&rand::random::<[u8; 16]>()),
        client_id: grant.client_id.clone(),
        gid: grant.gid,
        sid: grant.sid,
        scope: grant.scope.clone(),
    };
    key.sign(ACCESS_TOKEN_TYPE, Payload { claims, custom: &grant.claims })
}

#[cfg(test)]
mod tests {
    use doorlist_verifier::claims::MAX_TOKEN_LEN;
    use doorlist_verifier::{Handle, UnixSeconds};
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::claims::{MAX_CUSTOM_CLAIMS_LEN, check_custom_claims};

    fn claims(value: serde_json::Value) -> CustomClaims {
        value.as_object().expect("an object").clone()
    }

    fn grant(sub: &str, own: CustomClaims) -> Grant {
        Grant {
            sub: sub.try_into().expect("a subject"),
            gid: Handle::new(0x1000).expect("a handle"),
            sid: Handle::new(0x1001).expect("a handle"),
            generation: 1,
            client_id: "x".repeat(255),
            scope: None,
            claims: own,
            issued_at: UnixSeconds::new(1_800_000_000).expect("a time"),
            expires_at: UnixSeconds::new(1_800_000_900).expect("a time"),
            session_ends_at: UnixSeconds::new(1_807_776_000).expect("a time"),
        }
    }

    #[test]
    fn a_token_contains_the_subject_handles_times_and_claims_of_its_grant() {
        let key = PrivateKey::from_seed(&[7; 32]);
        let token =
            sign(&grant("alice", claims(json!({"role": "editor"}))), "https://i.example", "api", &key);
        let payload =
            Base64UrlUnpadded::decode_vec(token.split('.').nth(1).expect("a payload")).expect("base64url");
        let read = AccessTokenClaims::decode(&payload).expect("our profile");
        assert_eq!((read.subject.as_str(), read.issuer.as_str()), ("alice", "https://i.example"));
        assert_eq!((read.gid.get(), read.sid.get()), (0x1000, 0x1001));
        assert_eq!((read.issued_at.as_secs(), read.expires_at.as_secs()), (1_800_000_000, 1_800_000_900));
        let whole: Value = serde_json::from_slice(&payload).expect("JSON");
        assert_eq!(whole["role"], "editor");
        assert_eq!(read.jwt_id.len(), 22);
    }

    #[test]
    fn the_token_of_the_longest_grant_is_not_too_long_for_verifiers() {
        let key = PrivateKey::from_seed(&[7; 32]);
        let own = claims(json!({ "x": "\u{1}".repeat((MAX_CUSTOM_CLAIMS_LEN - 8) / 6) }));
        check_custom_claims(&own).expect("just fits");
        let token = sign(&grant(&"\u{10ffff}".repeat(63), own), &"i".repeat(255), &"a".repeat(255), &key);
        assert!(token.len() <= MAX_TOKEN_LEN, "{}", token.len());
    }
}
