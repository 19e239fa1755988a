//! The number of a relay's run. Tickets and rooms of all runs under one key are ordered by it, so
//! it must grow although the clock can be set back in between.

use std::time::{SystemTime, UNIX_EPOCH};

/// No clock is that far, in milliseconds since 1970: it is the year 144,683.
const CLOCK_END: u64 = 1 << 52;
/// Nobody restarts a relay so often that the epochs of one key come here, even from there.
const END: u64 = 1 << 53;

/// Whether an earlier relay can have had this epoch.
#[must_use]
pub fn is_possible(kept: u64) -> bool {
    kept < END
}

/// The epoch of a relay that begins now, where `kept` is the highest before: milliseconds since
/// 1970, unless that would be no more than before. One that no relay can have had counts as none.
#[must_use]
pub fn next(kept: Option<u64>, now: SystemTime) -> u64 {
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = u64::try_from(since.as_millis()).unwrap_or(u64::MAX).min(CLOCK_END);
    kept.filter(|kept| is_possible(*kept)).map_or(now, |kept| now.max(kept + 1))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(milliseconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(milliseconds)
    }

    #[test]
    fn it_is_the_time_and_never_less_than_before() {
        assert_eq!(next(None, at(1_000)), 1_000);
        assert_eq!(next(Some(900), at(1_000)), 1_000);
        assert_eq!(next(Some(1_000), at(1_000)), 1_001, "twice within a millisecond");
        assert_eq!(next(Some(5_000), at(1_000)), 5_001, "the clock was set back");
        assert_eq!(next(Some(5_001), at(5_001)), 5_002);
    }

    #[test]
    fn it_grows_whatever_the_clock_is_set_to() {
        let before_1970 = UNIX_EPOCH - Duration::from_secs(1);
        let far = UNIX_EPOCH + Duration::from_secs(1 << 60);
        let mut kept = None;
        for now in [at(7), before_1970, far, before_1970, far, at(7), far] {
            let epoch = next(kept, now);
            assert!(kept.is_none_or(|kept| kept < epoch) && is_possible(epoch), "{kept:?} {epoch}");
            kept = Some(epoch);
        }
    }

    #[test]
    fn one_that_no_relay_can_have_had_counts_as_none() {
        for kept in [u64::MAX, u64::MAX - 1, END] {
            assert!(!is_possible(kept));
            assert_eq!(next(Some(kept), at(1_000)), 1_000);
        }
        assert_eq!(next(Some(END - 1), at(1_000)), END);
    }
}
