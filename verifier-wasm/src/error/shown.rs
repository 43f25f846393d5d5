//! Shows values in the messages of errors. `js/src/messages.ts` shows values in the same way.

use std::fmt::{self, Write as _};

use crate::cursor::Cursor;
use crate::time::UnixSeconds;

/// The maximum number of characters shown of one value. An audience may have thousands of characters.
const MOST: usize = 100;

/// Shows a time in the format of RFC 3339.
pub(super) struct Date(pub(super) UnixSeconds);

impl fmt::Display for Date {
    // No operation here overflows for years up to 9999.
    #[allow(clippy::arithmetic_side_effects)]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, second) = (self.0.as_secs() / 86_400, self.0.as_secs() % 86_400);
        // Count days from 0000-03-01. Then each year begins in March, and a leap day is the last day of its year.
        let days = days + 719_468;
        let (era, day) = (days / 146_097, days % 146_097);
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let (year, month) = if month < 10 { (year, month + 3) } else { (year + 1, month - 9) };
        let year = era * 400 + year;
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

/// Shows texts in quotes, separated by commas. Long texts are shortened. Characters that could end the quotes or break
/// a header are replaced.
pub(super) struct Quoted<'a, Texts: ?Sized>(pub(super) &'a Texts);

impl fmt::Display for Quoted<'_, String> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        quote(self.0, f)
    }
}

impl fmt::Display for Quoted<'_, Vec<String>> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MOST_TEXTS: usize = 5;
        for (number, text) in self.0.iter().take(MOST_TEXTS).enumerate() {
            f.write_str(if number == 0 { "" } else { ", " })?;
            quote(text, f)?;
        }
        f.write_str(if self.0.len() > MOST_TEXTS { ", ..." } else { "" })
    }
}

fn quote(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_char('"')?;
    for char in text.chars().take(MOST) {
        let is_plain = matches!(char, ' '..='~') && char != '"' && char != '\\';
        f.write_char(if is_plain { char } else { '?' })?;
    }
    f.write_str(if text.chars().nth(MOST).is_some() { "...\"" } else { "\"" })
}

/// The name of a claim at the end of a message. Empty if the error concerns no claim.
pub(super) struct Named(pub(super) Option<&'static str>);

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |claim| write!(f, " `{claim}`"))
    }
}

/// Describes the position of the list that the verifier holds.
pub(super) struct Held(pub(super) Option<Cursor>);

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(cursor) => write!(f, "the list held ends at {cursor}"),
            None => f.write_str("no list is held"),
        }
    }
}
