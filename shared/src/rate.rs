//! A token bucket, as pure arithmetic on a time that is given.

use std::time::{Duration, Instant};

use crate::limits::Rate;

/// A token bucket ([`Rate`]): full at first, refilled one token each interval.
///
/// Kept as the moment at which it will be full again (the generic cell rate algorithm of
/// ITU-T I.371), so that it needs no refilling.
#[derive(Debug, Clone, Copy)]
pub struct Bucket {
    rate: Option<Rate>,
    full_at: Option<Instant>,
}

impl Bucket {
    /// A full bucket; one without a rate always has a token.
    #[must_use]
    pub fn new(rate: Option<Rate>) -> Self {
        Self { rate, full_at: None }
    }

    /// Changes the rate and keeps what has been charged, as far as it empties the bucket: what
    /// another rate has made of it is not waited for.
    pub fn set_rate(&mut self, rate: Option<Rate>, now: Instant) {
        self.rate = rate;
        if let Some(rate) = rate {
            self.full_at = self.full_at.map(|at| at.min(now + capacity(rate)));
        }
    }

    /// When it will be full, if it ever was not.
    #[must_use]
    pub fn full_at(&self) -> Option<Instant> {
        self.full_at
    }

    /// How long until there is a token, if there is none.
    #[must_use]
    pub fn wait(&self, now: Instant) -> Option<Duration> {
        let mut trial = *self;
        trial.charge(now).err()
    }

    /// Takes one token.
    ///
    /// # Errors
    ///
    /// There is none; nothing is charged, and the error is the time until there is one.
    pub fn charge(&mut self, now: Instant) -> Result<(), Duration> {
        let Some(rate) = self.rate else { return Ok(()) };
        let interval = rate.interval();
        let full_at = self.full_at.map_or(now, |at| at.max(now));
        let missing = (full_at - now) + interval;
        let capacity = capacity(rate);
        if missing > capacity {
            return Err(missing - capacity);
        }
        self.full_at = Some(full_at + interval);
        Ok(())
    }
}

/// What an empty bucket takes to be full again.
fn capacity(rate: Rate) -> Duration {
    rate.interval() * rate.burst
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate::new(3, Duration::from_millis(500));

    #[test]
    fn a_burst_passes_then_one_each_interval() {
        let start = Instant::now();
        let mut bucket = Bucket::new(Some(RATE));
        for _ in 0..3 {
            assert_eq!(bucket.charge(start), Ok(()));
        }
        assert_eq!(bucket.charge(start), Err(Duration::from_millis(500)));
        let later = start + Duration::from_millis(499);
        assert_eq!(bucket.charge(later), Err(Duration::from_millis(1)));
        assert_eq!(bucket.charge(start + Duration::from_millis(500)), Ok(()));
        assert!(bucket.charge(start + Duration::from_millis(500)).is_err());
    }

    #[test]
    fn it_never_holds_more_than_the_burst() {
        let start = Instant::now();
        let mut bucket = Bucket::new(Some(RATE));
        bucket.charge(start).unwrap();
        let much_later = start + Duration::from_secs(3_600);
        for _ in 0..3 {
            assert_eq!(bucket.charge(much_later), Ok(()));
        }
        assert!(bucket.charge(much_later).is_err());
    }

    #[test]
    fn another_rate_leaves_it_empty_at_worst() {
        let start = Instant::now();
        let mut bucket = Bucket::new(Some(Rate::new(100, Duration::from_secs(60))));
        for _ in 0..100 {
            bucket.charge(start).unwrap();
        }
        bucket.set_rate(Some(RATE), start);
        assert_eq!(bucket.charge(start), Err(Duration::from_millis(500)));
        // What was charged is not forgotten either, also while nothing is charged.
        bucket.set_rate(None, start);
        bucket.set_rate(Some(RATE), start);
        assert_eq!(bucket.charge(start), Err(Duration::from_millis(500)));
    }

    #[test]
    fn without_a_rate_it_is_never_empty() {
        let start = Instant::now();
        let mut bucket = Bucket::new(None);
        assert!((0..10_000).all(|_| bucket.charge(start).is_ok()));
    }
}
