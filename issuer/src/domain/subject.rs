//! Who a record belongs to.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A user: an opaque string of 1 to 255 bytes chosen by whoever owns the accounts (the `sub` claim).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Subject(Box<str>);

/// A subject is empty, longer than 255 bytes, or holds a control character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a subject is 1 to 255 bytes without control characters")]
pub struct MalformedSubject;

impl Subject {
    /// The subject as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Subject {
    type Error = MalformedSubject;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.is_empty() || text.len() > 255 || text.chars().any(char::is_control) {
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
