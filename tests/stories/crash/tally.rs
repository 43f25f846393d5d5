//! The duration of the stories under load, and their results. `make chaos` sets the duration, adds up the results of
//! all stories and prints a table.

use std::fs::OpenOptions;
use std::io::Write;
use std::time::{Duration, Instant};

use serde_json::json;

use super::history::{Checked, Tally};

/// The environment variable with the minimum duration of each story, in seconds.
const SECS: &str = "CHAOS_SECS";
/// The environment variable with the file to which each story appends a line of JSON.
const FILE: &str = "CHAOS_TALLY";

/// The rounds of one story, numbered from 0.
pub struct Rounds {
    least: usize,
    until: Option<Instant>,
    count: usize,
}

impl Rounds {
    /// Runs at least this many rounds. If a duration is set, further rounds follow until the duration has passed.
    pub fn at_least(least: usize) -> Self {
        let secs = std::env::var(SECS).ok().map(|secs| secs.parse().expect("seconds"));
        Self { least, until: secs.map(|secs| Instant::now() + Duration::from_secs(secs)), count: 0 }
    }

    /// Whether the story runs longer than in `make test`.
    pub fn are_long(&self) -> bool {
        self.until.is_some()
    }

    /// The rounds so far.
    pub fn so_far(&self) -> usize {
        self.count
    }
}

impl Iterator for Rounds {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let go_on = self.count < self.least || self.until.is_some_and(|end| Instant::now() < end);
        go_on.then(|| {
            self.count += 1;
            self.count - 1
        })
    }
}

/// Appends the results to the file of `make chaos`. Does nothing if no file is set. `checked` is `None` if there was a
/// violation.
pub fn write(story: &str, tally: &Tally, checked: Option<&Checked>) {
    let Ok(file) = std::env::var(FILE) else { return };
    let line = json!({
        "story": story,
        "acknowledged": tally.acknowledged,
        "faults": tally.faults,
        "checked": checked.map(Checked::rows).unwrap_or_default(),
        "violations": usize::from(checked.is_none()),
    });
    let mut file = OpenOptions::new().append(true).create(true).open(file).expect("a file for the tally");
    writeln!(file, "{line}").expect("the tally is written");
}
