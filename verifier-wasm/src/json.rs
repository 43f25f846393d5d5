//! JSON with one meaning: the parser refuses a name that occurs twice in one object, at any depth.
//!
//! RFC 8259 §4 does not define the meaning of duplicate names. Some parsers use the first value, others the last. If
//! two programs read different values from one signed text, an attacker can use the difference. So this parser refuses
//! every text that could be read in two ways.
//!
//! The parser reads a text once, from front to back, and copies nothing. A value stays a slice of the text until a
//! caller reads the value. Of all changes that make the WebAssembly module smaller, this design saves the most code. It
//! also saves some time per token. `serde_json` accepts the same texts with the same meaning. The tests parse the same
//! texts with both parsers and compare the results.

use std::borrow::Cow;
use std::collections::BinaryHeap;
use std::str::FromStr;

use crate::time::UnixSeconds;

mod number;
mod scanner;

use scanner::Scanner;

/// The reason why a text is not one JSON object with one meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JsonFlaw {
    /// The text is not JSON or not UTF-8, is nested deeper than 127 levels, or continues after the value.
    Syntax,
    /// A name occurs twice in one object.
    DuplicateName,
    /// The text is JSON, but not an object.
    NotAnObject,
}

/// Parses `text` as one object.
pub(crate) fn parse_object(text: &[u8]) -> Result<Members<'_>, JsonFlaw> {
    let text = std::str::from_utf8(text).map_err(|_| JsonFlaw::Syntax)?;
    let mut scanner = Scanner::new(text);
    let value = Value(scanner.document()?);
    value.is_object().then(|| scanner.into_members()).ok_or(JsonFlaw::NotAnObject)
}

/// The error for a member that is missing or invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadMember {
    /// The name of the member.
    pub(crate) name: &'static str,
    /// The reason why the member is refused.
    pub(crate) flaw: MemberFlaw,
}

/// The reason why a member is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MemberFlaw {
    /// The object has no member with this name.
    Missing,
    /// The value has the wrong type or is out of range.
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

/// The members of an object. Their names are distinct.
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

    /// Returns the value of a member, even if the value is `null`. The methods below accept no `null`.
    pub(crate) fn find(&self, name: &str) -> Option<Value<'a>> {
        self.0.iter().find(|member| member.name == name).map(|member| member.value)
    }

    pub(crate) fn value(&self, name: &'static str) -> Result<Value<'a>, BadMember> {
        self.find(name).ok_or(BadMember::missing(name))
    }

    /// Returns a member that must be a string and not empty.
    pub(crate) fn text(&self, name: &'static str) -> Result<Cow<'a, str>, BadMember> {
        self.value(name)?.text().filter(|text| !text.is_empty()).ok_or(BadMember::invalid(name))
    }

    /// Parses a string member. `T` must be a type whose parser accepts only one spelling of each value.
    pub(crate) fn parsed<T: FromStr>(&self, name: &'static str) -> Result<T, BadMember> {
        self.text(name)?.parse().map_err(|_| BadMember::invalid(name))
    }

    /// Returns a member that must be an integer of at most `max`, without sign, fraction or exponent.
    pub(crate) fn integer(&self, name: &'static str, max: u64) -> Result<u64, BadMember> {
        self.value(name)?.integer().filter(|number| *number <= max).ok_or(BadMember::invalid(name))
    }

    /// Returns a member that must be a NumericDate of this profile: an integer from 0 to the end of the year 9999.
    pub(crate) fn time(&self, name: &'static str) -> Result<UnixSeconds, BadMember> {
        self.integer(name, UnixSeconds::MAX.as_secs()).map(UnixSeconds::saturating_new)
    }
}

/// Up to this number of names, each name is compared with every other name.
const FEW: usize = 16;

/// Whether all names differ. More than [`FEW`] names are sorted with a heap, so that no input needs more than `n log n`
/// steps.
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

/// Turns a missing member into `None` instead of an error.
pub(crate) fn optional<T>(taken: Result<T, BadMember>) -> Result<Option<T>, BadMember> {
    match taken {
        Ok(value) => Ok(Some(value)),
        Err(BadMember { flaw: MemberFlaw::Missing, .. }) => Ok(None),
        Err(bad) => Err(bad),
    }
}

/// The text of one value, from its first to its last character. The text was parsed before, so it is valid and has one
/// meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Value<'a>(&'a str);

impl<'a> Value<'a> {
    fn is_object(self) -> bool {
        self.0.starts_with('{')
    }

    /// The content of a string.
    pub(crate) fn text(self) -> Option<Cow<'a, str>> {
        let written = self.0.strip_prefix('"')?.strip_suffix('"')?;
        Some(scanner::resolved(written))
    }

    /// Returns an integer that is written in digits only. JSON allows no leading zeros.
    fn integer(self) -> Option<u64> {
        // `parse` would also accept a plus sign. But JSON allows no plus sign before a number, so the text cannot begin
        // with a plus sign.
        self.0.parse().ok()
    }

    /// The items of an array, in order.
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
