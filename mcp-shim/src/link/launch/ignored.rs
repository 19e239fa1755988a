//! The signals that this process ignores because its starter did.

use std::fs;

use rustix::process::Signal;
use tokio::signal::unix::{SignalKind, signal};

/// The library sees to the first in every program that it starts. A relay, which has no terminal, is
/// sent none of the others; this process may need them ignored to write to one.
const LEFT: [Signal; 4] = [Signal::PIPE, Signal::TSTP, Signal::TTIN, Signal::TTOU];

/// Has them caught instead, which is as good as ignored here. But where a program is started, what
/// is caught is as if nothing had been said of it, and what is ignored stays so.
///
/// Only Linux says which they are.
pub(super) fn catch() {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    for number in ignored(&status).filter(|number| !LEFT.map(Signal::as_raw).contains(number)) {
        // What is caught once stays caught, and some cannot be.
        let _caught = signal(SignalKind::from_raw(number));
    }
}

fn ignored(status: &str) -> impl Iterator<Item = i32> {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    (1..=64).filter(move |number| mask & 1 << (number - 1) != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mask_is_read() {
        let status = "Name:\tmcp-shim\nSigBlk:\t0000000000000002\nSigIgn:\t8000000000001001\n";
        assert_eq!(ignored(status).collect::<Vec<_>>(), [1, 13, 64]);
        assert_eq!(ignored("Name:\tmcp-shim\n").count(), 0);
    }
}
