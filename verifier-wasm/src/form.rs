//! The compact form (RFC 7515 §7.1) of tokens and lists. The parser runs before the signature is checked, so it trusts
//! no part of the text.
//!
//! The parser of `jwt-compact` is not used, because it accepts texts that this profile forbids. With that parser, a
//! second, strict pass would be necessary. The parser in this file decodes each part only once. Every text that
//! this parser accepts is also accepted by `jwt-compact`, with the same result. The tests check this.

use base64ct::{Base64UrlUnpadded, Encoding};

use crate::claims::{ACCESS_TOKEN_MEDIA_TYPE, ACCESS_TOKEN_TYPE};
use crate::error::{Error, FormFlaw};
use crate::json::{self, BadMember, Value};
use crate::key_id::KeyId;
use crate::keys::KeySet;
use crate::list::LIST_TYPE;
use crate::signature::{Ed25519, Signature};

/// The greatest length of a header, in characters. The three short strings of a header need much less. The limit is
/// small, because a header is read before any signature is checked.
const MAX_HEADER_LEN: usize = 1024;

/// The number of members in a header: the strings `alg`, `typ` and `kid`. Other members are refused. For example,
/// `crit` names extensions that every verifier has to understand. With `jwk`, `jku` or `x5u`, a token could bring its
/// own key.
const HEADER_MEMBERS: usize = 3;

/// A text of three parts with a header of this profile. The payload and the signature are not verified yet.
pub(crate) struct Unverified<'a> {
    /// The kind of text, according to the header.
    pub(crate) kind: Kind,
    /// The key that the header names.
    pub(crate) kid: KeyId,
    algorithm: Ed25519,
    header_json: String,
    payload: Vec<u8>,
    signed_part: &'a str,
    /// `None` if the bytes do not have the length of a signature.
    signature: Option<Signature>,
}

/// The kind of a text, according to the header's `typ`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    AccessToken,
    RevocationList,
    Other,
}

/// A text whose signature was verified.
pub(crate) struct Signed {
    /// The text of the header, unchanged.
    pub(crate) header_json: String,
    pub(crate) payload: Vec<u8>,
}

impl<'a> Unverified<'a> {
    /// Splits and decodes a text.
    ///
    /// # Errors
    /// [`Error::TooLong`], [`Error::Form`], [`Error::Algorithm`].
    pub(crate) fn parse(text: &'a str, limit: usize) -> Result<Self, Error> {
        if text.len() > limit {
            return Err(Error::TooLong { length: text.len(), limit });
        }
        Self::parts(text).map_err(|error| match (error, usual_mistake(text)) {
            (Error::Form { .. }, Some(mistake)) => form(mistake),
            (error, _) => error,
        })
    }

    fn parts(text: &'a str) -> Result<Self, Error> {
        let (header, rest) = text.split_once('.').ok_or(form(FormFlaw::Parts))?;
        if header.len() > MAX_HEADER_LEN {
            return Err(form(FormFlaw::Header));
        }
        let (payload, signature) = rest.split_once('.').ok_or(form(FormFlaw::Parts))?;
        if signature.contains('.') {
            return Err(form(FormFlaw::Parts));
        }
        let (signed_part, _) = text.rsplit_once('.').ok_or(form(FormFlaw::Parts))?;
        let header = decoded(header)?;
        let payload = decoded(payload)?;
        let signature = decoded(signature)?.as_slice().try_into().ok().map(Signature::from_bytes);
        let (algorithm, kind, kid) = read_header(&header)?;
        let header_json = String::from_utf8(header).map_err(|_| form(FormFlaw::Header))?;
        Ok(Self { kind, kid, algorithm, header_json, payload, signed_part, signature })
    }

    /// Checks the signature with the trusted key that the header names. Returns the payload only if the signature
    /// matches.
    ///
    /// # Errors
    /// [`Error::UnknownKey`], [`Error::Signature`].
    pub(crate) fn verify(self, keys: &mut KeySet) -> Result<Signed, Error> {
        let unknown = keys.unknown(self.kid);
        let mut key = keys.in_use(self.kid).ok_or(unknown)?;
        let signature = self.signature.ok_or(Error::Signature)?;
        if !key.verify(self.algorithm, self.signed_part.as_bytes(), &signature) {
            return Err(Error::Signature);
        }
        Ok(Signed { header_json: self.header_json, payload: self.payload })
    }
}

fn read_header(json: &[u8]) -> Result<(Ed25519, Kind, KeyId), Error> {
    let flaw = |_: BadMember| form(FormFlaw::Header);
    let header = json::parse_object(json).map_err(|_| form(FormFlaw::Header))?;
    // An empty `alg` is also a string. The next statement refuses an empty `alg` as an unknown algorithm.
    let algorithm = header.find("alg").and_then(Value::text).ok_or(form(FormFlaw::Header))?;
    let algorithm = Ed25519::from_name(&algorithm).ok_or(Error::Algorithm)?;
    let kind = match &*header.text("typ").map_err(flaw)? {
        ACCESS_TOKEN_TYPE | ACCESS_TOKEN_MEDIA_TYPE => Kind::AccessToken,
        LIST_TYPE => Kind::RevocationList,
        _ => Kind::Other,
    };
    let kid = header.text("kid").map_err(flaw)?;
    if header.len() != HEADER_MEMBERS {
        return Err(form(FormFlaw::Header));
    }
    let kid = kid.parse().map_err(|_| form(FormFlaw::KeyId))?;
    Ok((algorithm, kind, kid))
}

/// Detects text that callers often leave around a token by mistake. The verifier refuses such text instead of removing
/// it, because a token has only one spelling.
fn usual_mistake(text: &str) -> Option<FormFlaw> {
    if text.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer ")) {
        return Some(FormFlaw::Scheme);
    }
    if text.trim_ascii().len() != text.len() {
        return Some(FormFlaw::WhiteSpace);
    }
    text.starts_with(['"', '\'']).then_some(FormFlaw::Quotes)
}

/// Decodes one part. `base64ct` accepts only canonical base64url: no padding, no spare bits set, no character outside
/// the alphabet.
fn decoded(part: &str) -> Result<Vec<u8>, Error> {
    Base64UrlUnpadded::decode_vec(part).map_err(|_| form(FormFlaw::Encoding))
}

const fn form(reason: FormFlaw) -> Error {
    Error::Form { reason }
}

#[cfg(test)]
mod tests;
