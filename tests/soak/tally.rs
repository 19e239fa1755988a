//! Lengths of time, and what is said of many of them.

use std::time::Duration;

/// The half, the 99th of a hundred, and the longest.
pub(crate) fn describe(mut times: Vec<Duration>) -> String {
    if times.is_empty() {
        return "none".to_owned();
    }
    times.sort_unstable();
    let (p50, p99) = (percentile(&times, 50), percentile(&times, 99));
    let longest = times[times.len() - 1];
    let count = times.len();
    format!("p50 {p50:.1?}, p99 {p99:.1?}, max {longest:.1?} of {count}")
}

/// Of sorted times.
pub(crate) fn percentile(times: &[Duration], percent: usize) -> Duration {
    times[(times.len() * percent / 100).min(times.len() - 1)]
}
