//! How long the faults go on, and what they came to. `make chaos` says how long, adds everything up and prints a table.

use std::fs::OpenOptions;
use std::io::Write;
use std::time::{Duration, Instant};

use serde_json::json;

use super::history::{Checked, Tally};

/// For so many seconds every story goes on, if it is longer than it otherwise would.
const SECS: &str = "CHAOS_SECS";
/// A line of JSON of every story is added to this file.
const FILE: &str = "CHAOS_TALLY";

/// The rounds of one story, numbered from 0.
pub struct Rounds {
    least: usize,
    until: Option<Instant>,
    count: usize,
}

impl Rounds {
    /// So many, and more while there is time.
    pub fn at_least(least: usize) -> Self {
        let secs = std::env::var(SECS).ok().map(|secs| secs.parse().expect("seconds"));
        Self { least, until: secs.map(|secs| Instant::now() + Duration::from_secs(secs)), count: 0 }
    }

    /// Whether there is time for more than `make test` has.
    pub fn are_long(&self) -> bool {
        self.until.is_some()
    }

    /// How many there were.
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

/// Tells `make chaos`, where it asks; what was checked, or `None` when there was a violation.
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
