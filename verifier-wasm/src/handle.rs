//! Handles: the 64-bit numbers of groups and sessions. The claims `gid` and `sid` contain handles, and so do revocation
//! lists.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// The number of a group or a session. It is never 0. It is written as 16 lower-case hex digits.
///
/// ```text
///  63                              16 15            0
/// +----------------------------------+---------------+
/// |              block               |   position    |
/// +----------------------------------+---------------+
/// ```
///
/// ```
/// use doorlist_verifier::Handle;
/// use doorlist_verifier::handle::MalformedHandle;
///
/// let handle: Handle = "0000000000ab0002".parse()?;
/// assert_eq!((handle.get(), handle.block(), handle.position()), (0xab_0002, 0xab, 2));
/// assert_eq!(Some(handle), Handle::from_parts(0xab, 2));
/// assert_eq!(Some(handle), Handle::new(0xab_0002));
/// assert_eq!(handle.to_string(), "0000000000ab0002");
/// # Ok::<(), MalformedHandle>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle(NonZeroU64);

impl Handle {
    /// Converts a number to a handle, or returns `None` for 0.
    pub const fn new(number: u64) -> Option<Self> {
        match NonZeroU64::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// The handle at `position` in the 48-bit `block`. Returns `None` if the block has more than 48 bits, or if the
    /// result is 0.
    pub const fn from_parts(block: u64, position: u16) -> Option<Self> {
        if block >> 48 != 0 {
            return None;
        }
        // Use `as`, because `From` is not const. A u16 always fits.
        #[allow(clippy::as_conversions)]
        Self::new(block << 16 | position as u64)
    }

    /// The handle as an integer.
    pub const fn get(self) -> u64 {
        self.0.get()
    }

    /// The high 48 bits. A node of the issuer draws a block at random, and uses the block for many handles.
    pub const fn block(self) -> u64 {
        self.0.get() >> 16
    }

    /// The low 16 bits: the position of the handle within its block.
    pub const fn position(self) -> u16 {
        // Use `as`, because the mask leaves only 16 bits. They always fit.
        #[allow(clippy::as_conversions)]
        {
            (self.0.get() & 0xffff) as u16
        }
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The text is not 16 lower-case hex digits, or all 16 digits are 0.
///
/// ```
/// use doorlist_verifier::Handle;
/// use doorlist_verifier::handle::MalformedHandle;
///
/// assert_eq!("AB0002".parse::<Handle>(), Err(MalformedHandle));
/// assert_eq!("0000000000000000".parse::<Handle>(), Err(MalformedHandle));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not 16 lower-case hex digits of a number above 0")]
pub struct MalformedHandle;

impl FromStr for Handle {
    type Err = MalformedHandle;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse_hex16(text).and_then(Self::new).ok_or(MalformedHandle)
    }
}

/// Parses exactly 16 lower-case hex digits, so that each number has one spelling.
pub(crate) fn parse_hex16(text: &str) -> Option<u64> {
    let digits = text.as_bytes();
    if digits.len() != 16 || !digits.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    u64::from_str_radix(text, 16).ok()
}

impl Serialize for Handle {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Handle {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_spelling_of_a_handle_is_accepted() {
        let handle: Handle = "00000000000000ff".parse().expect("a handle");
        assert_eq!((handle.get(), handle.block(), handle.position()), (255, 0, 255));
        assert_eq!(handle.to_string(), "00000000000000ff");
        for text in
            ["", "ff", "00000000000000FF", "0000000000000000", "+0000000000000ff", "00000000000000ff0"]
        {
            assert_eq!(text.parse::<Handle>(), Err(MalformedHandle), "{text}");
        }
    }

    #[test]
    fn a_handle_consists_of_its_block_and_its_position() {
        let handle = Handle::from_parts(0xffff_ffff_ffff, 7).expect("a handle");
        assert_eq!((handle.block(), handle.position()), (0xffff_ffff_ffff, 7));
        assert_eq!(Handle::from_parts(1 << 48, 7), None);
        assert_eq!(Handle::from_parts(0, 0), None);
    }
}
