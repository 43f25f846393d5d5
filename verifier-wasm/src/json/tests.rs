//! Tests the scanner, and compares it with `serde_json`. Both must accept the same texts and read the same values from
//! each text.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Map;

use super::*;

mod oracle;

use oracle::oracle;

#[test]
fn a_repeated_name_is_refused_at_any_depth_and_in_any_spelling() {
    for text in [
        r#"{"a":1,"a":1}"#,
        r#"{"a":1,"b":{"c":1,"c":2}}"#,
        r#"{"a":[[{"x":1,"x":1}]]}"#,
        r#"{"a":1,"\u0061":2}"#,
        r#"{"\ud83d\ude00":1,"😀":2}"#,
        r#"{"/":1,"\/":2}"#,
    ] {
        assert_eq!(agreed(text.as_bytes()), Err(JsonFlaw::DuplicateName), "{text}");
    }
    assert!(agreed(br#"{"a":{"a":1},"b":{"a":1}}"#).is_ok());
}

#[test]
fn a_repeated_name_is_found_among_many_names_too() {
    let names = |count: u32| (0..count).map(|number| format!("\"{number}\":0")).collect::<Vec<_>>().join(",");
    for count in [15, 16, 17, 18, 1000] {
        for (last, is_distinct) in [("x", true), ("0", false), ("\\u0030", false), ("14", false)] {
            let text = format!("{{\"a\":{{{},\"{last}\":0}}}}", names(count));
            assert_eq!(agreed(text.as_bytes()).is_ok(), is_distinct, "{last} after {count}");
        }
    }
}

#[test]
fn only_a_text_with_exactly_one_object_is_accepted() {
    for text in ["[]", "1", "null", r#""{}""#, "[{}]"] {
        assert_eq!(agreed(text.as_bytes()), Err(JsonFlaw::NotAnObject), "{text}");
    }
    for text in ["", "{", "{}{}", "{},", "\u{feff}{}", "{\"a\":1e999}", "{\"a\":\"\\ud800\"}", "{'a':1}"] {
        assert_eq!(agreed(text.as_bytes()), Err(JsonFlaw::Syntax), "{text}");
    }
    assert_eq!(agreed(b"{\"a\":\"\xff\"}"), Err(JsonFlaw::Syntax));
}

#[test]
fn nesting_is_bounded() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let nested = |levels: usize| {
            let inside = levels - 2;
            format!("{{\"a\":{}{{}}{}}}", open.repeat(inside), close.repeat(inside))
        };
        assert!(agreed(nested(127).as_bytes()).is_ok());
        for levels in [128, 129, 255, 256, 257, 100_000] {
            assert_eq!(agreed(nested(levels).as_bytes()), Err(JsonFlaw::Syntax), "{levels}");
        }
    }
    assert_eq!(agreed("[".repeat(100_000).as_bytes()), Err(JsonFlaw::Syntax));
}

#[test]
fn a_number_must_fit_into_a_double() {
    let accepted = [
        "0",
        "-0",
        "1E3",
        "1e+3",
        "1e-3",
        "0e999",
        "0.0e999999999999999999999",
        "-1.5",
        "1e308",
        "1e-999",
        "1e-99999999999999999999",
        "1.7976931348623157e308",
        "-17976931348623157e292",
    ];
    for number in accepted {
        assert!(agreed(format!("{{\"a\":{number}}}").as_bytes()).is_ok(), "{number}");
    }
    // `serde_json` rounds intermediate results. So `serde_json` refuses the greatest double if all 309 digits are
    // written.
    let greatest = format!("{:.0}", f64::MAX);
    assert!(parse_object(format!("{{\"a\":{greatest}}}").as_bytes()).is_ok());
    let ten_times = format!("{greatest}0");
    let refused = [
        "",
        "-",
        "+1",
        "01",
        "-01",
        "00",
        ".5",
        "1.",
        "1.e1",
        "1e",
        "1e+",
        "0x1",
        "1_0",
        "NaN",
        "Infinity",
        "1e309",
        "-1e309",
        "1.8e308",
        "0.1e310",
        "1e99999999999999999999",
        "1 2",
        &ten_times,
    ];
    for number in refused {
        assert_eq!(agreed(format!("{{\"a\":{number}}}").as_bytes()), Err(JsonFlaw::Syntax), "{number}");
    }
}

#[test]
fn an_integer_has_no_sign_fraction_or_exponent() {
    for number in ["1.0", "1e0", "-1", "-0", "253402300800", "18446744073709551616", "\"1\"", "null", "true"]
    {
        let text = format!("{{\"t\":{number}}}");
        let members = parse_object(text.as_bytes()).unwrap();
        assert_eq!(members.time("t"), Err(BadMember::invalid("t")), "{number}");
    }
    let members = parse_object(b"{\"t\":253402300799}").unwrap();
    assert_eq!(members.time("t"), Ok(UnixSeconds::MAX));
    assert_eq!(members.time("u"), Err(BadMember::missing("u")));
}

/// Parses a text with both parsers and compares the results.
fn agreed(text: &[u8]) -> Result<Map<String, serde_json::Value>, JsonFlaw> {
    let ours = parse_object(text).map(|members| told_members(&members));
    let theirs = oracle(text);
    match (&ours, &theirs) {
        // If a text has two flaws, each parser may report a different flaw.
        (
            Err(JsonFlaw::Syntax | JsonFlaw::DuplicateName),
            Err(JsonFlaw::Syntax | JsonFlaw::DuplicateName),
        ) if serde_json::from_slice::<serde_json::Value>(text).is_err() => {}
        _ => assert_eq!(ours, theirs, "{:?}", String::from_utf8_lossy(text)),
    }
    ours
}

fn told_members(members: &Members<'_>) -> Map<String, serde_json::Value> {
    members.0.iter().map(|member| (member.name.to_string(), told(member.value))).collect()
}

/// Reads every part of a value, with the same methods as the verifier.
fn told(value: Value<'_>) -> serde_json::Value {
    if let Some(text) = value.text() {
        text.into()
    } else if let Some(items) = value.items() {
        items.map(told).collect()
    } else if let Some(members) = value.members() {
        told_members(&members).into()
    } else if let Some(number) = value.integer() {
        number.into()
    } else {
        let other: serde_json::Value = serde_json::from_str(value.0).expect("a number or a word");
        assert_eq!(other.as_u64(), None, "an integer is recognized");
        other
    }
}

/// Parts of JSON, and texts that only look like parts of JSON.
fn fragment() -> impl Strategy<Value = String> {
    const FRAGMENTS: [&str; 64] = [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        " ",
        "\n",
        "\t",
        "\r",
        "{}",
        "[]",
        "\"a\":",
        "\"a\":1",
        "\"b\":2,",
        "\"\\u0061\":",
        "\"\"",
        "\"a\"",
        "true",
        "false",
        "null",
        "tru",
        "nulll",
        "0",
        "-",
        "-0",
        "1",
        "12",
        ".",
        ".5",
        "1.5",
        "e",
        "E",
        "e+",
        "e-3",
        "1e5",
        "1e308",
        "1e309",
        "18446744073709551615",
        "18446744073709551616",
        "-9223372036854775809",
        "\\u",
        "\\ud83d",
        "\\ude00",
        "\\ud83d\\ude00",
        "\\u0000",
        "\\u00",
        "\\n",
        "\\/",
        "\\\"",
        "\\x",
        "00e9",
        "é",
        "😀",
        "\u{0}",
        "\u{1f}",
        "\u{7f}",
        "\u{2028}",
        "\u{feff}",
        "\u{a0}",
        "a",
        "'",
    ];
    prop::sample::select(&FRAGMENTS[..]).prop_map(str::to_owned)
}

/// Valid JSON in every spelling, sometimes with duplicate names.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|word| word.to_string()),
        any::<u64>().prop_map(|number| number.to_string()),
        any::<i64>().prop_map(|number| number.to_string()),
        "-?(0|[1-9][0-9]{0,24})(\\.[0-9]{1,24})?([eE][+-]?[0-9]{1,3})?",
        string(),
    ];
    leaf.prop_recursive(6, 60, 20, |inner| {
        prop_oneof![
            vec((space(), inner.clone(), space()), 0..6).prop_map(|items| {
                let items: Vec<_> = items.into_iter().map(|(a, item, b)| a + &item + &b).collect();
                format!("[{}]", items.join(","))
            }),
            object(inner),
        ]
    })
}

fn object(value: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    vec((space(), string(), space(), space(), value, space()), 0..20).prop_map(|members| {
        let member = |(a, name, b, c, value, d)| format!("{a}{name}{b}:{c}{value}{d}");
        let members: Vec<_> = members.into_iter().map(member).collect();
        format!("{{{}}}", members.join(","))
    })
}

fn space() -> impl Strategy<Value = String> {
    prop_oneof![8 => Just(String::new()), 1 => "[ \n\r\t]{1,3}"]
}

fn string() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        "[a-c]",
        any::<char>().prop_map(|character| match character {
            '"' | '\\' | '\0'..=' ' => format!("\\u{:04x}", u32::from(character)),
            other => other.to_string(),
        }),
        any::<char>().prop_map(|character| {
            let units = character.encode_utf16(&mut [0; 2]).to_vec();
            units.into_iter().map(|unit| format!("\\u{unit:04X}")).collect()
        }),
        prop::sample::select(vec!["\\n", "\\t", "\\\"", "\\\\", "\\/", "\\b", "\\f", "\\r"])
            .prop_map(str::to_owned),
    ];
    vec(character, 0..8).prop_map(|characters| format!("\"{}\"", characters.concat()))
}

proptest! {
    #[test]
    fn both_parsers_agree_on_any_json(text in object(json())) {
        let _ = agreed(text.as_bytes());
    }

    #[test]
    fn both_parsers_agree_on_any_value(text in json()) {
        let _ = agreed(text.as_bytes());
    }

    #[test]
    fn both_parsers_agree_on_damaged_json(
        text in object(json()),
        damage in vec((any::<prop::sample::Index>(), 0_usize..3, fragment()), 1..4),
    ) {
        let mut bytes = text.into_bytes();
        for (at, removed, inserted) in damage {
            let at = at.index(bytes.len() + 1);
            let end = (at + removed).min(bytes.len());
            bytes.splice(at..end, inserted.into_bytes());
        }
        let _ = agreed(&bytes);
    }

    #[test]
    fn both_parsers_agree_on_fragments(fragments in vec(fragment(), 0..12)) {
        let text = fragments.concat();
        let _ = agreed(text.as_bytes());
        let _ = agreed(format!("{{\"a\":{text}}}").as_bytes());
        let _ = agreed(format!("{{\"a\":\"{text}\"}}").as_bytes());
    }

    #[test]
    fn both_parsers_agree_on_any_bytes(bytes in vec(any::<u8>(), 0..40)) {
        let _ = agreed(&bytes);
        let _ = agreed(&[b"{\"", bytes.as_slice(), b"\":1}"].concat());
    }

    /// Numbers near the greatest double. `serde_json` does not compute the last digit of such numbers exactly.
    #[test]
    fn both_parsers_agree_on_great_numbers(
        digits in "[1-9][0-9]{0,30}",
        point in 0_usize..30,
        exponent in 270_i32..320,
    ) {
        let (whole, fraction) = digits.split_at(point.clamp(1, digits.len()));
        let fraction = if fraction.is_empty() { String::new() } else { format!(".{fraction}") };
        prop_assume!(!digits.starts_with("179769313486231"));
        let _ = agreed(format!("{{\"a\":{whole}{fraction}e{exponent}}}").as_bytes());
    }
}
