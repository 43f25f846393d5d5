//! JSON with one meaning: a name that occurs twice in an object is refused, at any depth.
//!
//! RFC 8259 §4 leaves the meaning of duplicate names open, and parsers differ (first wins, last wins). Two parties
//! that read one signed text differently are a way in, so there is only one reading here.
//!
//! A text is read once, front to back, and nothing of it is copied: a value stays the piece of text that it is until it
//! is asked for. That is most of the WebAssembly module's size saved, and some of a token's time. What is accepted and
//! what it says is `serde_json`'s judgement too: the tests ask it about every text.

use std::borrow::Cow;
use std::collections::BinaryHeap;
use std::str::FromStr;

use crate::time::UnixSeconds;

mod number;
mod scanner;

use scanner::Scanner;

/// Why a text is not one JSON object with one meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JsonFlaw {
    /// Not JSON, not UTF-8, nested deeper than 127 levels, or followed by something.
    Syntax,
    /// A name occurs twice in one object.
    DuplicateName,
    /// JSON, but not an object.
    NotAnObject,
}

/// Reads `text` as one object.
pub(crate) fn parse_object(text: &[u8]) -> Result<Members<'_>, JsonFlaw> {
    let text = std::str::from_utf8(text).map_err(|_| JsonFlaw::Syntax)?;
    let mut scanner = Scanner::new(text);
    let value = Value(scanner.document()?);
    value.is_object().then(|| scanner.into_members()).ok_or(JsonFlaw::NotAnObject)
}

/// A member that is not what it has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadMember {
    /// Its name.
    pub(crate) name: &'static str,
    /// What is wrong with it.
    pub(crate) flaw: MemberFlaw,
}

/// What is wrong with a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MemberFlaw {
    /// There is none of this name.
    Missing,
    /// Its value has the wrong type or is out of range.
    Invalid,
}

impl BadMember {
    pub(crate) const fn missing(name: &'static str) -> Self {
        Self { name, flaw: MemberFlaw::Missing }
    }

    pub(crate) const fn invalid(name: &'static str) -> Self {
        Self { name, flaw: MemberFlaw::Invalid }
    }
}

/// An object's members, by distinct names.
#[derive(Debug)]
pub(crate) struct Members<'a>(Vec<Member<'a>>);

#[derive(Debug)]
struct Member<'a> {
    name: Cow<'a, str>,
    value: Value<'a>,
}

impl<'a> Members<'a> {
    pub(crate) const fn len(&self) -> usize {
        self.0.len()
    }

    /// A member's value; `null` is a value like any other here, and fits none of the types asked for.
    pub(crate) fn find(&self, name: &str) -> Option<Value<'a>> {
        self.0.iter().find(|member| member.name == name).map(|member| member.value)
    }

    pub(crate) fn value(&self, name: &'static str) -> Result<Value<'a>, BadMember> {
        self.find(name).ok_or(BadMember::missing(name))
    }

    /// A string that is not empty.
    pub(crate) fn text(&self, name: &'static str) -> Result<Cow<'a, str>, BadMember> {
        self.value(name)?.text().filter(|text| !text.is_empty()).ok_or(BadMember::invalid(name))
    }

    /// A text in the one spelling of its type.
    pub(crate) fn parsed<T: FromStr>(&self, name: &'static str) -> Result<T, BadMember> {
        self.text(name)?.parse().map_err(|_| BadMember::invalid(name))
    }

    /// An integer without sign, fraction or exponent, of at most `max`.
    pub(crate) fn integer(&self, name: &'static str, max: u64) -> Result<u64, BadMember> {
        self.value(name)?.integer().filter(|number| *number <= max).ok_or(BadMember::invalid(name))
    }

    /// A NumericDate of this profile: an integer from 0 to the end of the year 9999.
    pub(crate) fn time(&self, name: &'static str) -> Result<UnixSeconds, BadMember> {
        self.integer(name, UnixSeconds::MAX.as_secs()).map(UnixSeconds::saturating_new)
    }
}

/// Up to this many names are compared each with each.
const FEW: usize = 16;

/// Names too many to compare each with each leave a heap in order: no list of them takes more than `n log n`.
fn are_distinct(members: &[Member<'_>]) -> bool {
    if members.len() > FEW {
        let mut names: BinaryHeap<&str> = members.iter().map(|member| &*member.name).collect();
        let mut last = None;
        return std::iter::from_fn(|| names.pop()).all(|name| last.replace(name) != Some(name));
    }
    let mut rest = members;
    while let [member, others @ ..] = rest {
        if others.iter().any(|other| other.name == member.name) {
            return false;
        }
        rest = others;
    }
    true
}

/// Makes "missing" an answer instead of a flaw.
pub(crate) fn optional<T>(taken: Result<T, BadMember>) -> Result<Option<T>, BadMember> {
    match taken {
        Ok(value) => Ok(Some(value)),
        Err(BadMember { flaw: MemberFlaw::Missing, .. }) => Ok(None),
        Err(bad) => Err(bad),
    }
}

/// The text of one value, from its first character to its last, which was read before: it is valid, and of one meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Value<'a>(&'a str);

impl<'a> Value<'a> {
    fn is_object(self) -> bool {
        self.0.starts_with('{')
    }

    /// What a string says.
    pub(crate) fn text(self) -> Option<Cow<'a, str>> {
        let written = self.0.strip_prefix('"')?.strip_suffix('"')?;
        Some(scanner::resolved(written))
    }

    /// An integer written in digits alone; JSON has no leading zeros.
    fn integer(self) -> Option<u64> {
        // `from_str` takes a plus sign, and JSON has none.
        self.0.parse().ok()
    }

    /// The items of an array, one after the other.
    pub(crate) fn items(self) -> Option<impl Iterator<Item = Value<'a>>> {
        let mut items = Scanner::new(self.0.strip_prefix('[')?);
        Some(std::iter::from_fn(move || items.next_item().map(Value)))
    }

    /// The members of an object.
    pub(crate) fn members(self) -> Option<Members<'a>> {
        parse_object(self.0.as_bytes()).ok()
    }
}

#[cfg(test)]
mod tests;
