//! Summarises durations.

use std::time::Duration;

/// Returns the JSON members `"p50_ms": …, "p99_ms": …, "max_ms": …` for these durations.
pub fn spread(mut durations: Vec<Duration>) -> String {
    durations.sort_unstable();
    let at = |share: f64| {
        let index = (share * durations.len() as f64).ceil() as usize;
        durations.get(index.max(1) - 1).map_or(0.0, |duration| duration.as_secs_f64() * 1e3)
    };
    format!(r#""p50_ms":{:.3},"p99_ms":{:.3},"max_ms":{:.3}"#, at(0.5), at(0.99), at(1.0))
}
