use super::*;

const A: &str = "an-old-secret-of-some-length";
const B: &str = "the-new-secret-of-some-length";
const C: &str = "a-third-secret-of-some-length";

fn holder(name: &str, scope: Scope) -> Holder {
    Holder { name: name.into(), scope }
}

fn to_send(text: &str) -> String {
    AdminKeys::to_send(text).expect("a key").expose().to_owned()
}

fn fault(text: &str) -> (Option<usize>, KeyFault) {
    let UnfitKeys { line, fault } = AdminKeys::parse(text).expect_err("unfit");
    (line, fault)
}

#[test]
fn b7_each_admin_key_matches_and_no_other_text_does() {
    for text in [format!("{A}\n{B}\n"), format!("\r\n{A}\r\n\r\n{B}\r\n"), format!(" {A} , {B}")] {
        let keys = AdminKeys::parse(&text).expect("two keys");
        assert_eq!(to_send(&text), A);
        let admin = holder("admin", Scope::All);
        assert_eq!((keys.holder(A), keys.holder(B)), (Some(&admin), Some(&admin)));
        for other in ["", &A[1..], &format!("{A}\n{B}"), &format!("{A},{B}"), &format!("{A} ")] {
            assert_eq!(keys.holder(other), None, "{other}");
        }
    }
}

#[test]
fn a_key_has_the_name_and_the_scope_of_its_line() {
    let text = format!("# the kicking back end\nkicker kick {A}\n\n  console  read\t{B}\r\n{C}\n");
    let keys = AdminKeys::parse(&text).expect("three keys");
    assert_eq!(keys.holder(A), Some(&holder("kicker", Scope::Kick)));
    assert_eq!(keys.holder(B), Some(&holder("console", Scope::Read)));
    assert_eq!(keys.holder(C), Some(&holder("admin", Scope::All)));
    assert_eq!(to_send(&text), C, "the commands send a key that opens every route");
    let text = format!("kicker kick {A}, console read {B}");
    let in_a_variable = AdminKeys::parse(&text).expect("two keys");
    assert_eq!(in_a_variable.holder(B), Some(&holder("console", Scope::Read)));
    assert_eq!(to_send(&text), A);
    let replaced = AdminKeys::parse(&format!("kicker kick {A}\nkicker kick {B}")).expect("two keys");
    assert_eq!(replaced.holder(A), replaced.holder(B), "a holder may have two keys during a change");
}

#[test]
fn a_wrong_line_is_named_without_its_content() {
    for (line, expected) in [
        (format!("kicker kick {B} {C}"), KeyFault::Form),
        (format!("kicker {B}"), KeyFault::Form),
        (format!("{B} kick kicker"), KeyFault::Short { len: 6 }),
        (format!("kick-er/1 kick {B}"), KeyFault::Name),
        (format!("kicker kicks {B}"), KeyFault::Scope),
        (format!("kicker KICK {B}"), KeyFault::Scope),
        (format!("kicker kick {}", &B[..MIN_SECRET_LEN - 1]), KeyFault::Short { len: MIN_SECRET_LEN - 1 }),
        (format!("kicker kick {}", "x".repeat(MAX_KEY_LEN + 1)), KeyFault::Long),
        (format!("kicker kick {B}é"), KeyFault::Unsendable),
        (format!("admin read {B}"), KeyFault::Clash),
        (format!("another all {A}"), KeyFault::Clash),
    ] {
        let text = format!("# keys\n{A}\n\n{line}");
        assert_eq!(fault(&text), (Some(4), expected), "{line}");
        let said = AdminKeys::parse(&text).expect_err("unfit").to_string();
        assert!(said.starts_with("line 4 ") && !said.contains(&B[..20]), "{said}");
    }
}

#[test]
fn b7_an_admin_key_that_no_header_can_carry_is_refused() {
    for key in [
        "a-key-with-ümlauts-of-some-length",
        "a-key-with-a\u{7f}-of-some-length",
        "\u{feff}a-key-behind-a-byte-order-mark",
    ] {
        assert_eq!(fault(key), (None, KeyFault::Unsendable), "{key:?}");
        assert_eq!(fault(&format!("{A}\n{key}")), (Some(2), KeyFault::Unsendable));
    }
    for key in [
        "a key with spaces of some length",
        "a-key-with-a\ttab-of-some-length",
        "a-key\rwith-an-old-line-end-of-a-mac",
    ] {
        assert_eq!(fault(key), (None, KeyFault::Form), "{key:?}");
    }
}

#[test]
fn the_number_of_keys_is_limited_and_there_must_be_one() {
    let many = vec![A; MAX_ADMIN_KEYS + 1].join(",");
    assert_eq!(fault(&many).1, KeyFault::Many { count: MAX_ADMIN_KEYS + 1 });
    assert!(AdminKeys::parse(&vec![A; MAX_ADMIN_KEYS].join("\n")).is_ok());
    for empty in ["", "\n\n", "# only a comment"] {
        assert_eq!(fault(empty), (None, KeyFault::Short { len: 0 }));
    }
    assert_eq!(fault("short"), (None, KeyFault::Short { len: 5 }));
}

#[test]
fn a_replacement_names_the_holders_of_new_and_removed_keys() {
    let keys = |text: &str| AdminKeys::parse(text).expect("keys");
    let current = CurrentAdminKeys::new(keys(&format!("{A}\nkicker kick {B}")));
    let changes = current.replace(keys(&format!("kicker kick {C}\n{A}")));
    let kicker = vec![holder("kicker", Scope::Kick)];
    assert_eq!(changes, KeyChanges { added: kicker.clone(), removed: kicker });
    assert_eq!((current.get().holder(B), current.get().holder(A).is_some()), (None, true));
    let same = current.get().as_ref().clone();
    assert_eq!(current.replace(same), KeyChanges::default());
}

#[test]
fn only_the_scope_all_opens_every_route() {
    assert!(Scope::All.is_one_of(&[]) && Scope::All.is_one_of(&[Scope::Read]));
    assert!(Scope::Read.is_one_of(&[Scope::Read]) && !Scope::Read.is_one_of(&[Scope::Kick]));
    assert!(!Scope::Kick.is_one_of(&[]) && !Scope::Read.is_one_of(&[]));
}
