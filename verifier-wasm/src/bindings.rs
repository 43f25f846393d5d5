//! The boundary to JavaScript, and the only file that knows wasm-bindgen. It hands on; every rule lives elsewhere.
//!
//! An answer about a token crosses as one JSON text, which is the cheapest and keeps a claim `__proto__` harmless;
//! options, status and errors cross as plain objects.

use std::time::Duration;

use serde::Serialize;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use crate::error::Error;
use crate::policy::Options;
use crate::time::{HostTime, UnixSeconds};
use crate::verify::{self, Freshness, RevocationStatus};

/// The verifier, as `js/src/wasm.ts` sees it.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Verifier(verify::Verifier);

#[wasm_bindgen]
impl Verifier {
    /// # Errors
    /// `ERR_OPTIONS_INVALID`.
    #[wasm_bindgen(constructor)]
    pub fn new(options: JsValue) -> Result<Self, JsValue> {
        let options: Options = serde_wasm_bindgen::from_value(options).map_err(misshapen_options)?;
        verify::Verifier::new(options).map(Self).map_err(thrown)
    }

    /// Trusts the keys of a JWK Set too.
    ///
    /// # Errors
    /// As [`verify::Verifier::add_jwks`].
    #[wasm_bindgen(js_name = addJwks)]
    pub fn add_jwks(&mut self, jwks: &str) -> Result<(), JsValue> {
        self.0.add_jwks(jwks).map(drop).map_err(thrown)
    }

    /// # Errors
    /// As [`verify::Verifier::load`].
    pub fn load(&mut self, list: &str, wall_seconds: f64, monotonic_ms: f64) -> Result<JsValue, JsValue> {
        self.0.load(list, host_time(wall_seconds, monotonic_ms)).map(|loaded| plain(&loaded)).map_err(thrown)
    }

    /// Answers with the JSON text of the whole answer.
    ///
    /// # Errors
    /// As [`verify::Verifier::verify`].
    pub fn verify(&mut self, token: &str, wall_seconds: f64, monotonic_ms: f64) -> Result<String, JsValue> {
        let verified = self.0.verify(token, host_time(wall_seconds, monotonic_ms)).map_err(thrown)?;
        answer(&verified).map_err(|_| thrown(Error::Payload))
    }

    /// What is held.
    pub fn status(&self, wall_seconds: f64, monotonic_ms: f64) -> JsValue {
        plain(&self.0.status(host_time(wall_seconds, monotonic_ms)))
    }
}

/// `Verified` of `js/types/index.d.ts` as JSON. Header and payload are the token's own text, each read strictly as one
/// JSON object before, so they are put in as they are.
fn answer(verified: &verify::Verified) -> serde_json::Result<String> {
    let rest = serde_json::to_string(&Rest {
        revocation: verified.revocation,
        freshness: verified.freshness,
        outage: verified.outage,
    })?;
    let members = rest.strip_prefix('{').unwrap_or_default();
    let (payload, header) = (&verified.payload_json, &verified.header_json);
    Ok(format!(r#"{{"payload":{payload},"protectedHeader":{header},{members}"#))
}

/// What an answer says besides the token's own words.
#[derive(Serialize)]
struct Rest {
    revocation: RevocationStatus,
    freshness: Freshness,
    outage: bool,
}

/// JavaScript's clocks; what is no number or below zero counts as zero.
fn host_time(wall_seconds: f64, monotonic_ms: f64) -> HostTime {
    // `as`: from a float it saturates, and makes zero of NaN.
    #[allow(clippy::as_conversions)]
    let wall = UnixSeconds::saturating_new(wall_seconds as u64);
    let monotonic = Duration::try_from_secs_f64(monotonic_ms / 1000.0).unwrap_or_default();
    HostTime { wall, monotonic }
}

/// An error as the plain object `{ code, message, …evidence }`.
fn thrown(error: Error) -> JsValue {
    plain(&error.report())
}

fn misshapen_options(error: serde_wasm_bindgen::Error) -> JsValue {
    #[derive(Serialize)]
    struct Report {
        code: &'static str,
        message: String,
    }
    plain(&Report { code: "ERR_OPTIONS_INVALID", message: error.to_string() })
}

fn plain(value: &impl Serialize) -> JsValue {
    // Objects, not Maps. All that is handed over has string keys and numbers below 2^53, so it cannot fail.
    value.serialize(&serde_wasm_bindgen::Serializer::json_compatible()).unwrap_or(JsValue::UNDEFINED)
}
