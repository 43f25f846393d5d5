//! The interface to JavaScript. Only this file uses wasm-bindgen. It calls the other modules and contains no rules.
//!
//! The first result for a token is returned as one JSON text. This is the cheapest way, and a JSON text can safely
//! contain a claim named `__proto__`. The results of later checks of the same token are a few numbers in the module's
//! memory. Options, status and errors are plain objects.

use std::cell::{Cell, RefCell};
use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use crate::answer::{Freshness, Verdict, Verified};
use crate::claims::{MAX_TOKEN_LEN, VettedClaims};
use crate::error::Error;
use crate::policy::Options;
use crate::remembered::{Known, Memory, Terms};
use crate::time::{HostTime, UnixSeconds};
use crate::verify;

/// The verifier that `js/src/wasm.ts` uses. The type does not implement `Debug`, because a verifier holds tokens.
#[wasm_bindgen]
pub struct Verifier {
    inner: verify::Verifier,
    memory: Memory,
    /// The token that was accepted last. `None` if no token was accepted after the last call of [`Verifier::remember`].
    accepted: Option<(String, Terms)>,
}

thread_local! {
    /// The buffer into which JavaScript writes a token for [`Verifier::verify_inbox`]. All verifiers of an instance
    /// share the buffer. This is safe, because each call reads the buffer before the next call writes to it.
    static INBOX: RefCell<[u8; MAX_TOKEN_LEN]> = const { RefCell::new([0; MAX_TOKEN_LEN]) };
    /// The last result of [`Verifier::verify_inbox`] or [`Verifier::check_vetted`]. All verifiers of an instance share
    /// this result.
    static STANDING: Cell<[f64; 4]> = const { Cell::new([0.0; 4]) };
}

/// The address of a buffer of [`MAX_TOKEN_LEN`] bytes for a token.
#[wasm_bindgen]
pub fn inbox() -> *mut u8 {
    INBOX.with(RefCell::as_ptr).cast()
}

/// The address of the four numbers that [`Verifier::verify_inbox`] and [`Verifier::check_vetted`] write. [`numbers`]
/// describes them.
#[wasm_bindgen]
pub fn standing() -> *const f64 {
    STANDING.with(Cell::as_ptr).cast_const().cast()
}

#[wasm_bindgen]
impl Verifier {
    /// # Errors
    /// `ERR_OPTIONS_INVALID`.
    #[wasm_bindgen(constructor)]
    pub fn new(options: JsValue) -> Result<Self, JsValue> {
        let options: Options = serde_wasm_bindgen::from_value(options).map_err(misshapen_options)?;
        let memory = Memory::new(usize::try_from(options.cache_size).unwrap_or_default());
        let inner = verify::Verifier::new(options).map_err(thrown)?;
        Ok(Self { inner, memory, accepted: None })
    }

    /// Adds the keys of a JWK Set to the trusted keys.
    ///
    /// # Errors
    /// The errors of [`verify::Verifier::add_jwks`].
    #[wasm_bindgen(js_name = addJwks)]
    pub fn add_jwks(&mut self, jwks: &str) -> Result<(), JsValue> {
        self.inner.add_jwks(jwks).map(drop).map_err(thrown)
    }

    /// See [`verify::Verifier::trust`].
    pub fn trust(&self) -> String {
        self.inner.trust()
    }

    /// # Errors
    /// The errors of [`verify::Verifier::restore_trust`].
    #[wasm_bindgen(js_name = restoreTrust)]
    pub fn restore_trust(&mut self, saved: &str) -> Result<(), JsValue> {
        self.inner.restore_trust(saved).map_err(thrown)
    }

    /// # Errors
    /// The errors of [`verify::Verifier::load`].
    pub fn load(&mut self, list: &str, wall_seconds: f64, monotonic_ms: f64) -> Result<JsValue, JsValue> {
        self.inner
            .load(list, host_time(wall_seconds, monotonic_ms))
            .map(|loaded| plain(&loaded))
            .map_err(thrown)
    }

    /// Returns the whole result as JSON text.
    ///
    /// # Errors
    /// The errors of [`verify::Verifier::verify`].
    pub fn verify(&mut self, token: String, wall_seconds: f64, monotonic_ms: f64) -> Result<String, JsValue> {
        let verified = self.inner.verify(&token, host_time(wall_seconds, monotonic_ms)).map_err(thrown)?;
        let answer = answer(&verified);
        self.accepted = Some((token, verified.terms));
        Ok(answer)
    }

    /// Remembers the token that [`Self::verify`] accepted last. Returns the token's slot, or `None` if no token was
    /// stored. JavaScript keeps data for each slot. After this call, JavaScript must replace the data of the returned
    /// slot, because this data may belong to an older token.
    pub fn remember(&mut self) -> Option<u32> {
        let (token, terms) = self.accepted.take()?;
        let slot = self.memory.remember(token.into_bytes().into_boxed_slice(), terms)?;
        u32::try_from(slot).ok()
    }

    /// Repeats the check of the token that is in the inbox. `length` is the token's length in bytes. Returns the
    /// token's slot if the token is remembered and still valid.
    #[wasm_bindgen(js_name = verifyInbox)]
    pub fn verify_inbox(&mut self, length: usize, wall_seconds: f64, monotonic_ms: f64) -> Option<u32> {
        let at = host_time(wall_seconds, monotonic_ms);
        let Known { slot, standing } =
            INBOX.with_borrow(|inbox| self.memory.verify_again(inbox.get(..length)?, &self.inner, at))?;
        STANDING.set(numbers(standing));
        u32::try_from(slot).ok()
    }

    /// Checks whether a token is revoked, after another library has verified the token. `claims` are the token's
    /// [`VettedClaims`] as JSON.
    ///
    /// # Errors
    /// The errors of [`VettedClaims::decode`] and [`verify::Verifier::check_vetted`].
    #[wasm_bindgen(js_name = checkVetted)]
    pub fn check_vetted(
        &mut self,
        claims: &str,
        wall_seconds: f64,
        monotonic_ms: f64,
    ) -> Result<(), JsValue> {
        let at = host_time(wall_seconds, monotonic_ms);
        let claims = VettedClaims::decode(claims.as_bytes()).map_err(thrown)?;
        STANDING.set(numbers(self.inner.check_vetted(&claims, at).map_err(thrown)?));
        Ok(())
    }

    /// See [`verify::Verifier::status`].
    pub fn status(&self, wall_seconds: f64, monotonic_ms: f64) -> JsValue {
        plain(&self.inner.status(host_time(wall_seconds, monotonic_ms)))
    }
}

/// Writes the type `Verified` of `js/types/index.d.ts` as JSON. The token's header and payload are inserted unchanged,
/// because each of them was already parsed strictly as one JSON object. The other values are numbers and fixed names,
/// so nothing needs escaping.
fn answer(verified: &Verified) -> String {
    /// The number of bytes reserved for the text around payload and header. The text always has fewer bytes.
    const REST_LEN: usize = 192;
    let (payload, header) = (&verified.payload_json, &verified.header_json);
    let Freshness { as_of, age_secs, stale } = verified.freshness;
    let mut text = String::with_capacity(payload.len().saturating_add(header.len()).saturating_add(REST_LEN));
    for piece in [
        r#"{"payload":"#,
        payload,
        r#","protectedHeader":"#,
        header,
        r#","revocation":""#,
        verified.revocation.name(),
        r#"","freshness":{"asOf":"#,
    ] {
        text.push_str(piece);
    }
    push_number(&mut text, as_of.map(UnixSeconds::as_secs));
    text.push_str(r#","age":"#);
    push_number(&mut text, age_secs);
    for (name, is_so) in [(r#","stale":"#, stale), (r#"},"outage":"#, verified.outage)] {
        text.push_str(name);
        text.push_str(if is_so { "true" } else { "false" });
    }
    text.push('}');
    text
}

fn push_number(text: &mut String, number: Option<u64>) {
    match number {
        // Writing to a string cannot fail.
        Some(number) => drop(write!(text, "{number}")),
        None => text.push_str("null"),
    }
}

/// Returns four numbers. The first two are the list's as-of time and the list's age, in seconds. If no list is held,
/// both are `NaN`, and the revocation status is unknown. The third number is 1 if the list is stale, and 0 otherwise.
/// The fourth number is 1 if the token was accepted only because of an outage, and 0 otherwise.
fn numbers(Verdict { freshness, outage, .. }: Verdict) -> [f64; 4] {
    let Freshness { as_of, age_secs, stale } = freshness;
    let seconds = |seconds: Option<u64>| seconds.map_or(f64::NAN, number);
    [seconds(as_of.map(UnixSeconds::as_secs)), seconds(age_secs), f64::from(stale), f64::from(outage)]
}

/// Converts a number of seconds to a number of JavaScript. All numbers of seconds here are below 2^53, so the result is
/// exact.
#[allow(clippy::as_conversions)]
const fn number(seconds: u64) -> f64 {
    seconds as f64
}

/// Converts the times of JavaScript's clocks. A value that is negative or not a number counts as zero.
fn host_time(wall_seconds: f64, monotonic_ms: f64) -> HostTime {
    // For a float, `as` saturates, and turns NaN into zero.
    #[allow(clippy::as_conversions)]
    let (seconds, ms) = (wall_seconds as u64, monotonic_ms as u64);
    HostTime { wall: UnixSeconds::saturating_new(seconds), monotonic: Duration::from_millis(ms) }
}

/// Returns an error as the plain object `{ code, evidence }`. JavaScript writes the message, because the texts take
/// less space in JavaScript than in WebAssembly.
fn thrown(error: Error) -> JsValue {
    #[derive(Serialize)]
    struct Report {
        code: &'static str,
        evidence: Error,
    }
    plain(&Report { code: error.code(), evidence: error })
}

fn misshapen_options(_: serde_wasm_bindgen::Error) -> JsValue {
    thrown(Error::Options {
        option: "options",
        reason: "has an unknown or missing member, or one of a wrong type",
    })
}

fn plain(value: &impl Serialize) -> JsValue {
    // The result contains plain objects instead of Maps. The conversion cannot fail, because all values here have
    // string keys and numbers below 2^53.
    value.serialize(&serde_wasm_bindgen::Serializer::json_compatible()).unwrap_or(JsValue::UNDEFINED)
}
