//! Parses JSON (RFC 8259) byte by byte.

use std::borrow::Cow;

use super::number::is_in_range;
use super::{JsonFlaw, Member, Members, Value, are_distinct};

/// The maximum nesting depth of arrays and objects.
const MAX_LEVELS: u8 = 127;

/// Parses one text. The text before `at` has been read. The recursion is at most [`MAX_LEVELS`] deep.
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    /// The members of all open objects, as far as they have been read. The outermost object comes first.
    members: Vec<Member<'a>>,
}

impl<'a> Scanner<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text, at: 0, members: Vec::new() }
    }

    /// Reads one value. Only white space is allowed before and after the value. If the value is an object, its members
    /// are kept.
    pub(super) fn document(&mut self) -> Result<&'a str, JsonFlaw> {
        self.space();
        let begin = self.at;
        if self.peek() == Some(b'{') {
            self.object(MAX_LEVELS)?;
        } else {
            self.value(MAX_LEVELS)?;
        }
        let value = self.since(begin);
        self.space();
        if self.at == self.text.len() { value } else { Err(JsonFlaw::Syntax) }
    }

    /// The members of the object that [`Self::document`] read.
    pub(super) fn into_members(self) -> Members<'a> {
        Members(self.members)
    }

    /// Reads the next item of an array. The array was parsed before, and its opening bracket has been read.
    pub(super) fn next_item(&mut self) -> Option<&'a str> {
        self.space();
        self.eat(b',');
        // After the last item there is no value, so the result is `None`.
        self.value(MAX_LEVELS).ok()
    }

    /// Reads a value and returns its text.
    fn value(&mut self, levels: u8) -> Result<&'a str, JsonFlaw> {
        self.space();
        let begin = self.at;
        match self.peek() {
            Some(b'{') => {
                let outer = self.members.len();
                self.object(levels)?;
                self.members.truncate(outer);
            }
            Some(b'[') => self.array(levels)?,
            Some(b'"') => self.string().map(drop)?,
            Some(b't') => self.word("true")?,
            Some(b'f') => self.word("false")?,
            Some(b'n') => self.word("null")?,
            _ => self.number()?,
        }
        self.since(begin)
    }

    /// Reads an object and appends its members to `members`.
    fn object(&mut self, levels: u8) -> Result<(), JsonFlaw> {
        let levels = levels.checked_sub(1).ok_or(JsonFlaw::Syntax)?;
        let outer = self.members.len();
        self.expect(b'{')?;
        self.space();
        if !self.eat(b'}') {
            loop {
                self.space();
                let name = resolved(self.string()?);
                self.space();
                self.expect(b':')?;
                let value = Value(self.value(levels)?);
                self.members.push(Member { name, value });
                self.space();
                if !self.eat(b',') {
                    break self.expect(b'}')?;
                }
            }
        }
        let members = self.members.get(outer..).unwrap_or_default();
        if are_distinct(members) { Ok(()) } else { Err(JsonFlaw::DuplicateName) }
    }

    fn array(&mut self, levels: u8) -> Result<(), JsonFlaw> {
        let levels = levels.checked_sub(1).ok_or(JsonFlaw::Syntax)?;
        self.expect(b'[')?;
        self.space();
        if self.eat(b']') {
            return Ok(());
        }
        loop {
            self.value(levels)?;
            self.space();
            if !self.eat(b',') {
                return self.expect(b']');
            }
        }
    }

    /// Reads a string and returns the text between its quotes.
    fn string(&mut self) -> Result<&'a str, JsonFlaw> {
        self.expect(b'"')?;
        let begin = self.at;
        loop {
            self.plain();
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.escape().map(drop)?,
                _ => return Err(JsonFlaw::Syntax),
            }
        }
        let written = self.since(begin)?;
        self.expect(b'"')?;
        Ok(written)
    }

    /// Reads characters that are not escaped.
    fn plain(&mut self) -> &'a str {
        self.run(|byte| byte >= b' ' && byte != b'"' && byte != b'\\')
    }

    /// Reads an escape and returns its character. Half a surrogate pair is an error.
    fn escape(&mut self) -> Result<char, JsonFlaw> {
        self.expect(b'\\')?;
        let letter = self.peek().ok_or(JsonFlaw::Syntax)?;
        self.expect(letter)?;
        Ok(match letter {
            b'"' | b'\\' | b'/' => char::from(letter),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.code_unit()?;
                if !matches!(first, 0xd800..0xdc00) {
                    return char::from_u32(first.into()).ok_or(JsonFlaw::Syntax);
                }
                self.expect(b'\\')?;
                self.expect(b'u')?;
                let pair = [first, self.code_unit()?];
                match char::decode_utf16(pair).next() {
                    Some(Ok(character)) => character,
                    _ => return Err(JsonFlaw::Syntax),
                }
            }
            _ => return Err(JsonFlaw::Syntax),
        })
    }

    /// Reads the four hex digits after `\u`.
    fn code_unit(&mut self) -> Result<u16, JsonFlaw> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16)).ok_or(JsonFlaw::Syntax)?;
            unit = unit << 4 | digit;
            self.at = self.at.saturating_add(1);
        }
        u16::try_from(unit).map_err(|_| JsonFlaw::Syntax)
    }

    /// Reads a number (RFC 8259 §6) that must be in the range of a double.
    fn number(&mut self) -> Result<(), JsonFlaw> {
        self.eat(b'-');
        let whole = self.digits()?;
        if whole.len() > 1 && whole.starts_with('0') {
            return Err(JsonFlaw::Syntax);
        }
        let fraction = if self.eat(b'.') { self.digits()? } else { "" };
        let exponent = if self.eat(b'e') || self.eat(b'E') { self.exponent()? } else { 0 };
        if is_in_range(whole, fraction, exponent) { Ok(()) } else { Err(JsonFlaw::Syntax) }
    }

    fn exponent(&mut self) -> Result<i64, JsonFlaw> {
        let is_negative = self.eat(b'-');
        if !is_negative {
            self.eat(b'+');
        }
        // An exponent with too many digits counts as the largest exponent.
        let exponent = self.digits()?.parse().unwrap_or(i64::MAX);
        Ok(if is_negative { exponent.saturating_neg() } else { exponent })
    }

    /// Reads at least one digit.
    fn digits(&mut self) -> Result<&'a str, JsonFlaw> {
        let digits = self.run(|byte| byte.is_ascii_digit());
        if digits.is_empty() { Err(JsonFlaw::Syntax) } else { Ok(digits) }
    }

    fn word(&mut self, word: &str) -> Result<(), JsonFlaw> {
        word.bytes().try_for_each(|byte| self.expect(byte))
    }

    fn space(&mut self) {
        self.run(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t'));
    }

    /// Reads bytes up to the first byte that is not of the kind. For the kinds used here, that byte always begins a
    /// character.
    #[inline]
    fn run(&mut self, is_of_kind: impl Fn(u8) -> bool) -> &'a str {
        let begin = self.at;
        while self.peek().is_some_and(&is_of_kind) {
            self.at = self.at.saturating_add(1);
        }
        self.since(begin).unwrap_or_default()
    }

    fn expect(&mut self, byte: u8) -> Result<(), JsonFlaw> {
        if self.eat(byte) { Ok(()) } else { Err(JsonFlaw::Syntax) }
    }

    #[inline]
    fn eat(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at = self.at.saturating_add(usize::from(is_next));
        is_next
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn since(&self, begin: usize) -> Result<&'a str, JsonFlaw> {
        self.text.get(begin..self.at).ok_or(JsonFlaw::Syntax)
    }
}

/// Returns the content of a string. `written` is the text between the string's quotes, and was parsed before. If
/// `written` contains no escape, the content is `written` itself.
pub(super) fn resolved(written: &str) -> Cow<'_, str> {
    if !written.as_bytes().contains(&b'\\') {
        return Cow::Borrowed(written);
    }
    let mut scanner = Scanner::new(written);
    let mut text = String::with_capacity(written.len());
    text.push_str(scanner.plain());
    while let Ok(character) = scanner.escape() {
        text.push(character);
        text.push_str(scanner.plain());
    }
    Cow::Owned(text)
}
