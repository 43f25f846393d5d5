//! A signed list, ready to be sent in each of its forms.

use std::io::Write;
use std::sync::OnceLock;

use base64ct::{Base64UrlUnpadded, Encoding};
use bytes::Bytes;
use doorlist_verifier::Cursor;
use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};

/// A signed list. All clients get the same bytes.
#[derive(Debug)]
pub struct SignedList {
    /// The cursor of a client that has loaded this list.
    pub cursor: Cursor,
    jwt: Bytes,
    gzip: OnceLock<Bytes>,
    event: OnceLock<Bytes>,
    hash: OnceLock<String>,
}

impl SignedList {
    /// Wraps the signed JWT of a list that ends at `cursor`.
    pub fn new(cursor: Cursor, jwt: String) -> Self {
        Self { cursor, jwt: jwt.into(), gzip: OnceLock::new(), event: OnceLock::new(), hash: OnceLock::new() }
    }

    /// The JWT.
    pub fn jwt(&self) -> Bytes {
        self.jwt.clone()
    }

    /// The JWT, compressed with gzip.
    pub fn gzip(&self) -> Bytes {
        // The fastest level is enough. Most of the JWT is base64 of random-looking bytes, in which no text repeats.
        // Such text is compressible only because base64 uses just 64 characters.
        let compress = || {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(&self.jwt).expect("writing to memory cannot fail");
            encoder.finish().expect("writing to memory cannot fail").into()
        };
        self.gzip.get_or_init(compress).clone()
    }

    /// The JWT as a Server-Sent Event.
    pub fn event(&self) -> Bytes {
        let frame = || {
            let head = format!("id: {}\ndata: ", self.cursor);
            [head.as_bytes(), &self.jwt, b"\n\n"].concat().into()
        };
        self.event.get_or_init(frame).clone()
    }

    /// The SHA-256 of the JWT in base64url. The HTTP entity tags contain this hash.
    pub fn hash(&self) -> &str {
        self.hash.get_or_init(|| Base64UrlUnpadded::encode_string(&Sha256::digest(&self.jwt)))
    }
}
