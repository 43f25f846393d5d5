//! The subject that a record belongs to.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A user: an opaque string of 1 to 255 bytes (the `sub` claim). The owner of the accounts chooses this string.
///
/// `.` and `..` are not allowed. URL parsers remove these segments from a path, even if the dots are escaped (WHATWG
/// URL §4.4). `/admin/subjects/../revoke` would address another resource, so such a user could not be kicked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Subject(Box<str>);

/// The error for a subject that is empty, is longer than 255 bytes, contains a control character, or cannot be part of
/// a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a subject is 1 to 255 bytes without control characters, and neither `.` nor `..`")]
pub struct MalformedSubject;

impl Subject {
    /// The longest subject, in bytes.
    pub const MAX_LEN: usize = 255;

    /// The subject as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Subject {
    type Error = MalformedSubject;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.is_empty()
            || text.len() > Self::MAX_LEN
            || text.chars().any(char::is_control)
            || matches!(&*text, "." | "..")
        {
            return Err(MalformedSubject);
        }
        Ok(Self(text.into_boxed_str()))
    }
}

impl TryFrom<&str> for Subject {
    type Error = MalformedSubject;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        text.to_owned().try_into()
    }
}

impl From<Subject> for String {
    fn from(subject: Subject) -> Self {
        subject.0.into()
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_can_be_named_in_a_path() {
        let longest = "x".repeat(255);
        for fit in ["alice", "...", "a/b", "%2e%2e", "№ 1?", &longest] {
            assert!(Subject::try_from(fit).is_ok(), "{fit}");
        }
        let long = "x".repeat(256);
        for unfit in ["", ".", "..", "a\nb", "\u{7f}", &long] {
            assert_eq!(Subject::try_from(unfit), Err(MalformedSubject), "{unfit}");
        }
    }

    #[test]
    fn a_subject_is_written_as_its_text() {
        let alice = Subject::try_from("alice").expect("a subject");
        assert_eq!((alice.as_str(), alice.to_string().as_str()), ("alice", "alice"));
        assert_eq!(String::from(alice), "alice");
    }
}
