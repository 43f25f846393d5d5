//! A position in the revocation log: the epoch, and the sequence number of the last entry included.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::handle::parse_hex16;

/// The identifier of a revocation log. It is written as 16 lower-case hex digits. Sequence numbers of two epochs cannot
/// be compared.
///
/// ```
/// use doorlist_verifier::Epoch;
/// use doorlist_verifier::cursor::MalformedCursor;
///
/// let epoch: Epoch = "00000000000000ab".parse()?;
/// assert_eq!((epoch, epoch.to_string().as_str()), (Epoch(0xab), "00000000000000ab"));
/// # Ok::<(), MalformedCursor>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Epoch(pub u64);

/// The sequence number of an entry in its revocation log. Sequence numbers grow, possibly with gaps. The maximum is
/// 2^53 − 1, because JavaScript cannot represent all greater integers exactly.
///
/// ```
/// use doorlist_verifier::Seq;
///
/// assert_eq!(Seq::new(100).map(Seq::get), Some(100));
/// assert_eq!(Seq::new(1 << 53), None);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Seq(u64);

impl Seq {
    /// The position before the first entry.
    pub const ZERO: Self = Self(0);
    /// The largest integer that JavaScript represents exactly.
    pub const MAX: Self = Self((1 << 53) - 1);

    /// Converts a number. Returns `None` for a number above [`Self::MAX`].
    pub const fn new(number: u64) -> Option<Self> {
        if number <= Self::MAX.0 { Some(Self(number)) } else { None }
    }

    /// The sequence number as an integer.
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// A position in a revocation log. Its text is `<epoch>:<seq>`, as in `?since=` and `Last-Event-ID`.
///
/// ```
/// use doorlist_verifier::cursor::MalformedCursor;
/// use doorlist_verifier::{Cursor, Epoch};
///
/// let cursor: Cursor = "00000000000000ab:100".parse()?;
/// assert_eq!((cursor.epoch, cursor.seq.get()), (Epoch(0xab), 100));
/// assert_eq!(cursor.to_string(), "00000000000000ab:100");
/// # Ok::<(), MalformedCursor>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The identifier of the revocation log.
    pub epoch: Epoch,
    /// The sequence number of the last entry included.
    pub seq: Seq,
}

/// The text is not a valid epoch or cursor. Each epoch and each cursor has exactly one valid spelling.
///
/// ```
/// use doorlist_verifier::Cursor;
/// use doorlist_verifier::cursor::MalformedCursor;
///
/// assert_eq!("ab:100".parse::<Cursor>(), Err(MalformedCursor), "an epoch has 16 digits");
/// assert_eq!("00000000000000ab:0100".parse::<Cursor>(), Err(MalformedCursor), "a leading zero");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor of the form <16 hex digits>:<number>")]
pub struct MalformedCursor;

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Shows the epoch in hex, as in all other places.
impl fmt::Debug for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Epoch({self})")
    }
}

impl FromStr for Epoch {
    type Err = MalformedCursor;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse_hex16(text).map(Self).ok_or(MalformedCursor)
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.epoch, self.seq)
    }
}

impl FromStr for Cursor {
    type Err = MalformedCursor;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (epoch, seq) = text.split_once(':').ok_or(MalformedCursor)?;
        let number = seq.parse().ok().and_then(Seq::new).ok_or(MalformedCursor)?;
        if number.to_string() != seq {
            return Err(MalformedCursor);
        }
        Ok(Self { epoch: epoch.parse()?, seq: number })
    }
}

impl Serialize for Cursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for Epoch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Epoch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Seq {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u64::deserialize(deserializer)?;
        Self::new(number).ok_or_else(|| D::Error::custom("a sequence past 2^53 - 1"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_spelling_of_a_cursor_is_accepted() {
        let cursor: Cursor = "00000000000000ab:1700000000000000".parse().expect("a cursor");
        assert_eq!(cursor.to_string(), "00000000000000ab:1700000000000000");
        for text in [
            "",
            ":",
            "ab:1",
            "00000000000000ab:+1",
            "00000000000000ab:01",
            "00000000000000ab:9007199254740992",
        ] {
            assert_eq!(text.parse::<Cursor>(), Err(MalformedCursor), "{text}");
        }
    }
}
