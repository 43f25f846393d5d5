//! A JSON body must be one object in which no name repeats. Then all parsers read the same values from the body.
//!
//! Without this check, serde would accept an array in place of a struct, and assign the array's items to the fields by
//! position. In a map, serde would keep only the last of two members with the same name. A proxy that inspects bodies
//! could then see other values than the handler.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeOwned, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::error::Category;

/// Parses a body.
///
/// # Errors
///
/// A sentence that describes the first flaw. The sentence contains no value from the body.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice::<Object>(body).map_err(|error| flaw_of_object(&error))?;
    serde_json::from_slice(body).map_err(|error| flaw(&error))
}

const REPEATED: &str = "a member is repeated";

/// An object in which no name repeats, at any depth.
struct Object;

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Object, A::Error> {
                unrepeated(members).map(|()| Object)
            }
        }
        deserializer.deserialize_any(Members)
    }
}

/// Any value in which no name repeats within one object.
struct Unrepeated;

impl<'de> Deserialize<'de> for Unrepeated {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Values;
        impl<'de> Visitor<'de> for Values {
            type Value = Unrepeated;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value")
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Unrepeated, A::Error> {
                unrepeated(members).map(|()| Unrepeated)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Unrepeated, A::Error> {
                while values.next_element::<Unrepeated>()?.is_some() {}
                Ok(Unrepeated)
            }

            fn visit_bool<E>(self, _: bool) -> Result<Unrepeated, E> {
                Ok(Unrepeated)
            }

            fn visit_i64<E>(self, _: i64) -> Result<Unrepeated, E> {
                Ok(Unrepeated)
            }

            fn visit_u64<E>(self, _: u64) -> Result<Unrepeated, E> {
                Ok(Unrepeated)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Unrepeated, E> {
                Ok(Unrepeated)
            }

            fn visit_str<E>(self, _: &str) -> Result<Unrepeated, E> {
                Ok(Unrepeated)
            }

            fn visit_unit<E>(self) -> Result<Unrepeated, E> {
                Ok(Unrepeated)
            }
        }
        deserializer.deserialize_any(Values)
    }
}

fn unrepeated<'de, A: MapAccess<'de>>(mut members: A) -> Result<(), A::Error> {
    let mut names = HashSet::new();
    while let Some(name) = members.next_key::<String>()? {
        if !names.insert(name) {
            return Err(A::Error::custom(REPEATED));
        }
        members.next_value::<Unrepeated>()?;
    }
    Ok(())
}

fn flaw_of_object(error: &serde_json::Error) -> String {
    match error.classify() {
        Category::Data if error.to_string().starts_with(REPEATED) => {
            format!("{REPEATED}, at {}", place(error))
        }
        Category::Data => "the body is not a JSON object".to_owned(),
        _ => format!("the body is not JSON at {}", place(error)),
    }
}

fn flaw(error: &serde_json::Error) -> String {
    let said = error.to_string();
    // Do not show the name of an unknown member. The caller chose this name, and it could be a password in the wrong
    // place.
    if said.starts_with("unknown field") {
        let expected = said.split_once("`, ").map_or("", |(_, expected)| expected);
        return format!("an unknown member, {expected}");
    }
    if said.starts_with("missing field") && said.len() < 250 {
        return said;
    }
    format!("a member has the wrong form at {}", place(error))
}

fn place(error: &serde_json::Error) -> String {
    format!("line {} column {}", error.line(), error.column())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Login {
        #[serde(rename = "username")]
        _username: String,
        #[serde(default, rename = "claims")]
        _claims: serde_json::Map<String, serde_json::Value>,
    }

    fn refused(body: &str) -> String {
        parse::<Login>(body.as_bytes()).expect_err(body)
    }

    #[test]
    fn a_json_object_is_read() {
        for body in [
            r#"{"username":"a"}"#,
            " {\n\"username\" : \"a\", \"claims\":{\"a\":[1,-1,1.5,null,true,{\"a\":1},{\"a\":2}]}} ",
        ] {
            parse::<Login>(body.as_bytes()).expect(body);
        }
    }

    #[test]
    fn b17_only_an_object_is_accepted() {
        for body in [r#"["swordfish"]"#, "[]", r#"["swordfish",{}]"#, "null", "1", "true", r#""swordfish""#] {
            assert_eq!(refused(body), "the body is not a JSON object", "{body}");
        }
    }

    #[test]
    fn b17_a_repeated_name_at_any_depth_is_refused() {
        for body in [
            r#"{"username":"a","username":"b"}"#,
            r#"{"username":"a","user\u006eame":"b"}"#,
            r#"{"username":"a","claims":{"admin":false,"admin":true}}"#,
            r#"{"username":"a","claims":{"b":[{"c":1,"c":2}]}}"#,
        ] {
            assert!(refused(body).starts_with("a member is repeated, at line 1 column "), "{body}");
        }
    }

    #[test]
    fn errors_show_no_value() {
        for body in
            [r#"{"username":["swordfish"]}"#, r#"{"swordfish":1}"#, r#"{"username":"swordfish""#, "swordfish"]
        {
            assert!(!refused(body).contains("swordfish"), "{}", refused(body));
        }
        assert!(refused("{}").starts_with("missing field `username`"));
    }
}
