//! The compact form (RFC 7515 §7.1) that tokens and lists share, before anything in it is believed.

use base64ct::{Base64UrlUnpadded, Encoding};
use jwt_compact::{AlgorithmSignature, ParseError, UntrustedToken};

use crate::error::{Error, FormFlaw};
use crate::json;
use crate::keys::{KeyId, KeySet};
use crate::signature::{Ed25519, Signature};

/// The members of a header: these and no others, each a string.
const HEADER_MEMBERS: [&str; 3] = ["alg", "typ", "kid"];

/// The longest header, in characters: three short strings fit several times over. Nobody has signed for a header when
/// it is read, and JSON of 32 MiB may take half a gigabyte.
const MAX_HEADER_LEN: usize = 1024;

/// A text of three parts whose header is of this profile. Its payload and signature are unverified.
pub(crate) struct Unverified<'a> {
    /// The header as it stands.
    pub(crate) header_json: String,
    /// The header's `typ`.
    pub(crate) typ: String,
    algorithm: Ed25519,
    kid: KeyId,
    signed_part: &'a str,
    token: UntrustedToken<'a>,
}

impl<'a> Unverified<'a> {
    /// Takes a text apart. `jwt-compact` splits and decodes; what it is lax about is refused here.
    ///
    /// # Errors
    /// [`Error::TooLong`], [`Error::Form`], [`Error::Algorithm`].
    pub(crate) fn parse(text: &'a str, limit: usize) -> Result<Self, Error> {
        if text.len() > limit {
            return Err(Error::TooLong { length: text.len(), limit });
        }
        if text.split('.').next().is_some_and(|header| header.len() > MAX_HEADER_LEN) {
            return Err(form(FormFlaw::Header));
        }
        let token = UntrustedToken::new(text).map_err(|error| match error {
            ParseError::InvalidTokenStructure => form(FormFlaw::Parts),
            ParseError::InvalidBase64Encoding => form(FormFlaw::Encoding),
            _ => form(FormFlaw::Header),
        })?;
        let algorithm = Ed25519::from_name(token.algorithm()).ok_or(Error::Algorithm)?;
        let (signed_part, _) = text.rsplit_once('.').ok_or(form(FormFlaw::Parts))?;
        let header_json = strict_header(signed_part)?;
        let typ = token.header().token_type.clone().ok_or(form(FormFlaw::Header))?;
        let kid = token.header().key_id.as_deref().ok_or(form(FormFlaw::Header))?;
        let kid = kid.parse().map_err(|_| form(FormFlaw::KeyId))?;
        Ok(Self { header_json, typ, algorithm, kid, signed_part, token })
    }

    /// Checks the signature with the trusted key that the header names, and only then reads the payload's bytes.
    ///
    /// # Errors
    /// [`Error::UnknownKey`], [`Error::Signature`].
    pub(crate) fn verify(&self, keys: &mut KeySet) -> Result<Vec<u8>, Error> {
        let mut key = keys.in_use(self.kid).ok_or(Error::UnknownKey { kid: self.kid })?;
        let signature =
            Signature::try_from_slice(self.token.signature_bytes()).map_err(|_| Error::Signature)?;
        if !key.verify(self.algorithm, self.signed_part.as_bytes(), &signature) {
            return Err(Error::Signature);
        }
        let (_, payload) = self.signed_part.split_once('.').ok_or(form(FormFlaw::Parts))?;
        Base64UrlUnpadded::decode_vec(payload).map_err(|_| form(FormFlaw::Encoding))
    }
}

/// The header's text, when it has the three members, each once and a string, and nothing else: no `crit` that
/// would have to be understood, no `jwk`, `jku` or `x5u` that would bring its own key.
fn strict_header(signed_part: &str) -> Result<String, Error> {
    let (header, _) = signed_part.split_once('.').ok_or(form(FormFlaw::Parts))?;
    let header = Base64UrlUnpadded::decode_vec(header).map_err(|_| form(FormFlaw::Encoding))?;
    let mut members = json::parse_object(&header).map_err(|_| form(FormFlaw::Header))?;
    for name in HEADER_MEMBERS {
        members.text(name).map_err(|_| form(FormFlaw::Header))?;
    }
    if !members.0.is_empty() {
        return Err(form(FormFlaw::Header));
    }
    String::from_utf8(header).map_err(|_| form(FormFlaw::Header))
}

const fn form(reason: FormFlaw) -> Error {
    Error::Form { reason }
}
