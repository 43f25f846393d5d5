//! JSON with one meaning: a name that occurs twice in an object is refused, at any depth.
//!
//! RFC 8259 §4 leaves the meaning of duplicate names open, and parsers differ (first wins, last wins). Two parties
//! that read one signed text differently are a way in, so there is only one reading here.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::time::UnixSeconds;

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
pub(crate) fn parse_object(text: &[u8]) -> Result<Members, JsonFlaw> {
    let mut json = serde_json::Deserializer::from_slice(text);
    let value = Strict.deserialize(&mut json).map_err(flaw)?;
    json.end().map_err(flaw)?;
    match value {
        Value::Object(members) => Ok(Members(members)),
        _ => Err(JsonFlaw::NotAnObject),
    }
}

fn flaw(error: serde_json::Error) -> JsonFlaw {
    // The only data error that `Strict` makes is that of a duplicate name.
    if error.is_data() { JsonFlaw::DuplicateName } else { JsonFlaw::Syntax }
}

/// A member that is not what it has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MemberFlaw {
    /// There is none of this name.
    Missing,
    /// Its value has the wrong type or is out of range.
    Invalid,
}

/// An object's members, taken out one by one.
#[derive(Debug)]
pub(crate) struct Members(pub(crate) Map<String, Value>);

impl Members {
    /// Takes a member; `null` is a value like any other here, and fits none of the types asked for.
    pub(crate) fn take(&mut self, name: &str) -> Result<Value, MemberFlaw> {
        self.0.remove(name).ok_or(MemberFlaw::Missing)
    }

    /// Takes a string that is not empty.
    pub(crate) fn text(&mut self, name: &str) -> Result<String, MemberFlaw> {
        match self.take(name)? {
            Value::String(text) if !text.is_empty() => Ok(text),
            _ => Err(MemberFlaw::Invalid),
        }
    }

    /// Takes a text in the one spelling of its type.
    pub(crate) fn parsed<T: std::str::FromStr>(&mut self, name: &str) -> Result<T, MemberFlaw> {
        self.text(name)?.parse().map_err(|_| MemberFlaw::Invalid)
    }

    /// Takes an integer without sign, fraction or exponent, of at most `max`.
    pub(crate) fn integer(&mut self, name: &str, max: u64) -> Result<u64, MemberFlaw> {
        let number = self.take(name)?.as_u64().ok_or(MemberFlaw::Invalid)?;
        if number <= max { Ok(number) } else { Err(MemberFlaw::Invalid) }
    }

    /// Takes a NumericDate of this profile: an integer from 0 to the end of the year 9999.
    pub(crate) fn time(&mut self, name: &str) -> Result<UnixSeconds, MemberFlaw> {
        self.integer(name, UnixSeconds::MAX.as_secs()).map(UnixSeconds::saturating_new)
    }
}

/// Makes "missing" an answer instead of a flaw.
pub(crate) fn optional<T>(taken: Result<T, MemberFlaw>) -> Result<Option<T>, MemberFlaw> {
    match taken {
        Ok(value) => Ok(Some(value)),
        Err(MemberFlaw::Missing) => Ok(None),
        Err(MemberFlaw::Invalid) => Err(MemberFlaw::Invalid),
    }
}

/// A [`Value`] as `serde_json` reads it, but for duplicate names.
struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without duplicate names")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(Strict)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if object.contains_key(&name) {
                return Err(A::Error::custom("a name occurs twice"));
            }
            let value = members.next_value_seed(Strict)?;
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_occurs_once_at_any_depth_and_in_any_spelling() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"b":{"c":1,"c":2}}"#,
            r#"{"a":[[{"x":1,"x":1}]]}"#,
            r#"{"a":1,"\u0061":2}"#,
        ] {
            assert_eq!(parse_object(text.as_bytes()).unwrap_err(), JsonFlaw::DuplicateName, "{text}");
        }
        assert!(parse_object(br#"{"a":{"a":1},"b":{"a":1}}"#).is_ok());
    }

    #[test]
    fn only_one_object_is_an_object() {
        for text in ["[]", "1", "null", r#""{}""#] {
            assert_eq!(parse_object(text.as_bytes()).unwrap_err(), JsonFlaw::NotAnObject, "{text}");
        }
        for text in ["", "{", "{}{}", "{},", "\u{feff}{}", "{\"a\":1e999}", "{\"a\":\"\\ud800\"}", "{'a':1}"]
        {
            assert_eq!(parse_object(text.as_bytes()).unwrap_err(), JsonFlaw::Syntax, "{text}");
        }
        assert_eq!(parse_object(b"{\"a\":\"\xff\"}").unwrap_err(), JsonFlaw::Syntax);
        let nested =
            |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels - 1), "]".repeat(levels - 1));
        assert!(parse_object(nested(127).as_bytes()).is_ok());
        assert_eq!(parse_object(nested(128).as_bytes()).unwrap_err(), JsonFlaw::Syntax);
    }

    #[test]
    fn an_integer_has_no_sign_fraction_or_exponent() {
        for number in
            ["1.0", "1e0", "-1", "-0", "253402300800", "18446744073709551616", "\"1\"", "null", "true"]
        {
            let text = format!("{{\"t\":{number}}}");
            assert_eq!(
                parse_object(text.as_bytes()).unwrap().time("t"),
                Err(MemberFlaw::Invalid),
                "{number}"
            );
        }
        let mut members = parse_object(b"{\"t\":253402300799}").unwrap();
        assert_eq!(members.time("t"), Ok(UnixSeconds::MAX));
        assert_eq!(members.time("t"), Err(MemberFlaw::Missing));
    }
}
