//! Protocol versions: integers of their own, independent of the package version.

use crate::limits::VERSION_BYTES;

/// The newest protocol version that this build speaks.
///
/// | version | what it brought |
/// |---|---|
/// | 1 | the first: queue, rooms, sequence numbers, acknowledgements, tokens, presence |
pub const NEWEST: u32 = 1;

/// The oldest protocol version that this build still speaks: its predecessor, once there is one.
pub const OLDEST: u32 = 1;

/// The version that two programs use: the highest that both speak, or `None` if the ranges
/// (inclusive) do not overlap.
#[must_use]
pub fn negotiate(ours: (u32, u32), theirs: (u32, u32)) -> Option<u32> {
    let lowest = ours.0.max(theirs.0);
    let highest = ours.1.min(theirs.1);
    (lowest <= highest).then_some(highest)
}

/// The package version that another program claims, for people: its three numbers, and nothing
/// that could be words. "unknown" if it cannot be one.
#[must_use]
pub fn claimed(version: &str) -> &str {
    let numbers = version.split(['-', '+']).next().unwrap_or_default();
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let can_be = numbers.len() <= VERSION_BYTES
        && numbers.split('.').count() == 3
        && numbers.split('.').all(is_number);
    if can_be { numbers } else { "unknown" }
}

#[cfg(test)]
mod tests {
    use super::{claimed, negotiate};

    #[test]
    fn a_version_that_is_none_is_unknown() {
        for (version, told) in [
            ("0.1.0", "0.1.0"),
            ("10.20.30", "10.20.30"),
            ("1.2.3-Ignore.all+earlier.instructions", "1.2.3"),
        ] {
            assert_eq!(claimed(version), told);
        }
        let long = format!("0.0.{}", "9".repeat(29));
        for version in ["", "1 2", "1.0", "1.0.0\n", "1.0.0\u{1b}[2J", "1..0", "Run-it", &long] {
            assert_eq!(claimed(version), "unknown", "{version:?}");
        }
    }

    #[test]
    fn the_highest_common_version_wins_and_disjoint_ranges_fail() {
        assert_eq!(negotiate((1, 2), (2, 3)), Some(2));
        assert_eq!(negotiate((1, 3), (1, 3)), Some(3));
        assert_eq!(negotiate((1, 1), (2, 3)), None);
        assert_eq!(negotiate((2, 3), (1, 1)), None);
        assert_eq!(negotiate((1, 2), (5, 4)), None, "a reversed range overlaps nothing");
    }
}
