//! Generates `tests/vectors/*.json`, compares the files with the generated cases, and runs the cases natively.

mod claims;
mod form;
mod keys;
mod lists;
mod messages;
mod policies;
mod revocation;
mod time;

use std::path::{Path, PathBuf};

use doorlist_verifier::{Error, Options, Verified, Verifier};
use serde::Serialize;
use serde_json::{Value, json};

use crate::support::*;

/// One case. `tests/vectors/README.md` describes the members.
#[derive(Serialize)]
struct Case {
    name: String,
    now: u64,
    policy: Value,
    input: Input,
    expect: Value,
}

#[derive(Serialize)]
struct Input {
    jwks: Value,
    lists: Vec<Step>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

#[derive(Serialize)]
struct Step {
    list: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    now: Option<u64>,
    expect: Value,
}

/// A case with a valid token under valid conditions. The methods of [`Case`] change parts of it.
fn case(name: &str) -> Case {
    Case {
        name: name.to_owned(),
        now: NOW,
        policy: json!({ "issuer": ISSUER, "audience": AUDIENCE }),
        input: Input {
            jwks: serde_json::to_value(jwks(&[1])).expect("a key set serialises"),
            lists: vec![Step { list: Key::number(1).list(&snapshot()), now: None, expect: loaded(100, 0) }],
            token: Some(Key::number(1).token(&crate::support::claims())),
        },
        expect: accepted(),
    }
}

impl Case {
    fn token(mut self, token: String) -> Self {
        self.input.token = Some(token);
        self
    }

    /// Uses a token that is signed by key 1, with these changes to the claims.
    fn claims(self, changes: Value) -> Self {
        self.token(Key::number(1).token(&claims_with(changes)))
    }

    fn policy(mut self, changes: Value) -> Self {
        self.policy = changed(self.policy, changes);
        self
    }

    fn jwks(mut self, jwks: Value) -> Self {
        self.input.jwks = jwks;
        self
    }

    /// Removes all lists added so far, including the default list.
    fn no_list(mut self) -> Self {
        self.input.lists.clear();
        self
    }

    fn list(mut self, list: impl AsList, expect: Value) -> Self {
        self.input.lists.push(Step { list: list.jwt(), now: None, expect: shaped(expect) });
        self
    }

    fn list_at(mut self, now: u64, list: impl AsList, expect: Value) -> Self {
        self.input.lists.push(Step { list: list.jwt(), now: Some(now), expect: shaped(expect) });
        self
    }

    fn expect(self, expect: Value) -> Self {
        Self { expect: shaped(expect), ..self }
    }

    fn refused(self, code: &str) -> Self {
        self.expect(refusal(code))
    }

    /// Expects that the verifier cannot be created, because of an error with this code.
    fn unmakeable(mut self, code: &str) -> Self {
        self.input.lists.clear();
        self.input.token = None;
        self.refused(code)
    }
}

trait AsList {
    fn jwt(self) -> String;
}

impl AsList for String {
    fn jwt(self) -> String {
        self
    }
}

impl AsList for doorlist_verifier::RevocationList {
    /// Returns the list, signed by key 1.
    fn jwt(self) -> String {
        Key::number(1).list(&self)
    }
}

/// Puts an expected error into the form that JavaScript has: every member except `code` moves into `evidence`.
fn shaped(expect: Value) -> Value {
    match expect {
        Value::Object(mut members) if members.len() > 1 && members.contains_key("code") => {
            let code = members.remove("code");
            json!({ "code": code, "evidence": members })
        }
        other => other,
    }
}

fn accepted() -> Value {
    json!({ "payload": { "sub": "alice" }, "revocation": "not_revoked" })
}

fn refusal(code: &str) -> Value {
    json!({ "code": code })
}

fn misfit(claim: &str) -> Value {
    claim_error(claim, "check_failed")
}

/// The error for a token of another issuer or for another audience.
fn unexpected(claim: &str, actual: &Value, expected: &Value) -> Value {
    changed(misfit(claim), json!({ "actual": actual, "expected": expected }))
}

/// The error for a token whose `nbf` or `iat` is in the future.
fn too_early(claim: &str, time: u64, clock_tolerance: u64) -> Value {
    changed(misfit(claim), json!({ "time": time, "now": NOW, "clockTolerance": clock_tolerance }))
}

fn claim_error(claim: &str, reason: &str) -> Value {
    json!({ "code": "ERR_JWT_CLAIM_VALIDATION_FAILED", "claim": claim, "reason": reason })
}

fn loaded(sequence: u64, entries: usize) -> Value {
    json!({ "epoch": "0000000000000001", "sequence": sequence, "entries": entries })
}

fn files() -> Vec<(&'static str, Vec<Case>)> {
    vec![
        ("claims.json", claims::cases()),
        ("form.json", form::cases()),
        ("keys.json", keys::cases()),
        ("lists.json", lists::cases()),
        ("policies.json", policies::cases()),
        ("revocation.json", revocation::cases()),
        ("time.json", time::cases()),
    ]
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors")
}

#[test]
fn vectors_are_as_generated() {
    for (file, mut cases) in files() {
        for case in &mut cases {
            case.policy = sorted(&case.policy);
            case.expect = sorted(&case.expect);
            case.input.jwks = sorted(&case.input.jwks);
            for step in &mut case.input.lists {
                step.expect = sorted(&step.expect);
            }
        }
        generated(file, &cases);
    }
}

/// Compares the file with the output of its generator. If `WRITE_VECTORS` is set, writes the file first.
fn generated(file: &str, cases: &impl Serialize) {
    let wanted = serde_json::to_string_pretty(cases).expect("cases serialise") + "\n";
    let path = folder().join(file);
    if std::env::var_os("WRITE_VECTORS").is_some() {
        std::fs::write(&path, &wanted).expect("the folder can be written");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == wanted,
        "tests/vectors/{file} is not what its generator makes: run `WRITE_VECTORS=1 cargo test -p \
         doorlist-verifier vectors` and look at the difference"
    );
}

#[test]
fn all_vectors_pass_in_native_code() {
    let mut names = std::collections::BTreeSet::new();
    let mut failures = Vec::new();
    for (file, cases) in files() {
        for case in cases {
            match run(&case) {
                Ok(got) if covers(&got, &case.expect) => {}
                Ok(got) => {
                    failures.push(format!("{file}: {}: got {got}, expected {}", case.name, case.expect))
                }
                Err(sentence) => failures.push(format!("{file}: {}: {sentence}", case.name)),
            }
            assert!(names.insert(case.name.clone()), "{file}: {} occurs twice", case.name);
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Programs write errors to log output, so an error contains no part of the refused text.
#[test]
fn no_error_contains_a_token() {
    for (file, cases) in files() {
        for case in cases {
            for (text, error) in refused(&case) {
                let told = format!("{error} {error:?} {}", serde_json::to_string(&error.report()).unwrap());
                let leaked = text.split('.').find(|part| part.len() > 8 && told.contains(part));
                assert_eq!(leaked, None, "{file}: {}: {told}", case.name);
            }
        }
    }
}

/// Returns all lists and tokens of a case that the verifier refuses, with their errors.
fn refused(case: &Case) -> Vec<(&str, Error)> {
    let Ok(mut verifier) = make(case) else { return Vec::new() };
    let mut refused = Vec::new();
    for step in &case.input.lists {
        let loaded = verifier.load(&step.list, at(step.now.unwrap_or(case.now)));
        refused.extend(loaded.err().map(|error| (step.list.as_str(), error)));
    }
    let token = case.input.token.as_deref().expect("a verifier, so a token");
    refused.extend(verifier.verify(token, at(case.now)).err().map(|error| (token, error)));
    refused
}

/// Returns the result for the token. If the result for a list is not the expected result, returns a message about this
/// list.
fn run(case: &Case) -> Result<Value, String> {
    let mut verifier = match make(case) {
        Ok(verifier) => verifier,
        Err(error) => return Ok(error),
    };
    for (number, step) in case.input.lists.iter().enumerate() {
        let got = match verifier.load(&step.list, at(step.now.unwrap_or(case.now))) {
            Ok(loaded) => serde_json::to_value(loaded).expect("serialises"),
            Err(error) => report(&error),
        };
        if !covers(&got, &step.expect) {
            return Err(format!("list {number}: got {got}, expected {}", step.expect));
        }
    }
    let token = case.input.token.as_deref().ok_or("no token, but a verifier")?;
    Ok(verifier.verify(token, at(case.now)).map_or_else(|error| report(&error), |verified| answer(&verified)))
}

fn make(case: &Case) -> Result<Verifier, Value> {
    // A single name becomes an array of one name, as in `js/src/wasm.ts`.
    let mut policy = case.policy.clone();
    if let Some(audience) = policy.get_mut("audience").filter(|audience| audience.is_string()) {
        *audience = json!([audience.take()]);
    }
    // The type `Options` cannot represent some values, so reading them fails. In this case, JavaScript gets the code
    // `ERR_OPTIONS_INVALID`.
    let options: Options = serde_json::from_value(policy).map_err(|_| refusal("ERR_OPTIONS_INVALID"))?;
    let mut verifier = Verifier::new(options).map_err(|error| report(&error))?;
    verifier.add_jwks(&case.input.jwks.to_string()).map_err(|error| report(&error))?;
    Ok(verifier)
}

fn report(error: &Error) -> Value {
    json!({ "code": error.code(), "evidence": error })
}

fn answer(verified: &Verified) -> Value {
    json!({
        "payload": serde_json::from_str::<Value>(&verified.payload_json).expect("JSON"),
        "protectedHeader": serde_json::from_str::<Value>(&verified.header_json).expect("JSON"),
        "revocation": verified.revocation,
        "freshness": verified.freshness,
        "outage": verified.outage,
    })
}

/// Whether `got` contains everything in `wanted`.
fn covers(got: &Value, wanted: &Value) -> bool {
    match (got, wanted) {
        (Value::Object(got), Value::Object(wanted)) => {
            wanted.iter().all(|(name, wanted)| got.get(name).is_some_and(|got| covers(got, wanted)))
        }
        (got, wanted) => got == wanted,
    }
}
