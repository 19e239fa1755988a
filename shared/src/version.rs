//! Protocol versions: integers of their own, independent of the package version.

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

#[cfg(test)]
mod tests {
    use super::negotiate;

    #[test]
    fn the_highest_common_version_wins_and_disjoint_ranges_fail() {
        assert_eq!(negotiate((1, 2), (2, 3)), Some(2));
        assert_eq!(negotiate((1, 3), (1, 3)), Some(3));
        assert_eq!(negotiate((1, 1), (2, 3)), None);
        assert_eq!(negotiate((2, 3), (1, 1)), None);
        assert_eq!(negotiate((1, 2), (5, 4)), None, "a reversed range overlaps nothing");
    }
}
