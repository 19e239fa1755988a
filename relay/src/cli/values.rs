//! How the values of options are written, and which of them a relay can keep and a client go by.

use std::{fmt, ops::RangeInclusive, str::FromStr, time::Duration};

use shared::limits::{GRACE_LONGEST, KEEP_ALIVE_LONGEST, KEEP_ALIVE_SHORTEST, RATE_BURST, Rate};
use thiserror::Error;

/// No rate allows more in a second or a minute.
const RATE_PER_PERIOD: u64 = 100_000;

/// Why a value is refused.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum ValueError {
    /// It is no length of time.
    #[error("{0}; write it as 10s or 5m")]
    NoTime(#[from] humantime::DurationError),
    /// It is told to clients, in milliseconds.
    #[error("must be a whole number of milliseconds")]
    PartOfMillisecond,
    /// It is not in this range, which is told in words.
    #[error("must be {0}")]
    Outside(String),
    /// It is no rate over this period.
    #[error("write it as burst/per {0}, as in 5/2")]
    NoRate(&'static str),
    /// No client keeps a larger burst.
    #[error("at most {RATE_BURST} at once")]
    BurstTooLarge,
    /// Nothing faster could be kept exactly.
    #[error("at most {RATE_PER_PERIOD} per {0}")]
    TooFast(&'static str),
    /// The same for a value that can also be `off`.
    #[error("{0}, or off")]
    NorOff(Box<Self>),
}

/// A limit that can be `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit<T>(pub Option<T>);

impl<T: FromStr<Err = ValueError>> FromStr for Limit<T> {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        if text == "off" {
            return Ok(Self(None));
        }
        let value = text.parse().map_err(|error| ValueError::NorOff(Box::new(error)))?;
        Ok(Self(Some(value)))
    }
}

impl<T: fmt::Display> fmt::Display for Limit<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(value) => value.fmt(f),
            None => f.write_str("off"),
        }
    }
}

/// A length of time, written as `10s` or `5m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time(pub Duration);

impl FromStr for Time {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        Ok(Self(humantime::parse_duration(text)?))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_duration(self.0).fmt(f)
    }
}

/// A rate, written as its burst and how many follow in each period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RatePer<const PERIOD_MS: u64>(pub Rate);

/// A rate by the second.
pub type RatePerSecond = RatePer<1_000>;
/// A rate by the minute.
pub type RatePerMinute = RatePer<60_000>;

impl<const PERIOD_MS: u64> RatePer<PERIOD_MS> {
    const PERIOD: Duration = Duration::from_millis(PERIOD_MS);
    const PERIOD_NAME: &str = if PERIOD_MS == 1_000 { "second" } else { "minute" };
}

impl<const PERIOD_MS: u64> FromStr for RatePer<PERIOD_MS> {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let no_rate = || ValueError::NoRate(Self::PERIOD_NAME);
        let (burst, per_period) = text.split_once('/').ok_or_else(no_rate)?;
        let positive = |text: &str| text.parse::<u64>().ok().filter(|number| *number > 0);
        let burst = positive(burst).ok_or_else(no_rate)?;
        let per_period = positive(per_period).ok_or_else(no_rate)?;
        let burst = u32::try_from(burst).ok().filter(|burst| *burst <= RATE_BURST);
        let burst = burst.ok_or(ValueError::BurstTooLarge)?;
        if per_period > RATE_PER_PERIOD {
            return Err(ValueError::TooFast(Self::PERIOD_NAME));
        }
        // Rounded up: never more than is written.
        let interval = Duration::from_nanos(
            u64::try_from(Self::PERIOD.as_nanos()).unwrap_or(u64::MAX).div_ceil(per_period),
        );
        Ok(Self(Rate::new(burst, interval)))
    }
}

impl<const PERIOD_MS: u64> fmt::Display for RatePer<PERIOD_MS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let per_period = Self::PERIOD.as_secs_f64() / self.0.interval().as_secs_f64();
        write!(f, "{}/{per_period:.0}", self.0.burst)
    }
}

/// Longer would let the dead live on; no client goes by a longer keep-alive.
pub(super) fn short_time(text: &str) -> Result<Time, ValueError> {
    told(text, KEEP_ALIVE_SHORTEST..=KEEP_ALIVE_LONGEST)
}

/// No client waits longer for its partner to come back.
pub(super) fn grace(text: &str) -> Result<Time, ValueError> {
    told(text, Duration::ZERO..=GRACE_LONGEST)
}

/// A length of time that is told to clients, in milliseconds, and that they go by in this range.
fn told(text: &str, allowed: RangeInclusive<Duration>) -> Result<Time, ValueError> {
    let time: Time = text.parse()?;
    if !allowed.contains(&time.0) {
        let [shortest, longest] = [allowed.start(), allowed.end()].map(|time| Time(*time));
        Err(ValueError::Outside(if shortest.0.is_zero() {
            format!("at most {longest}")
        } else {
            format!("from {shortest} to {longest}")
        }))
    } else if !time.0.subsec_nanos().is_multiple_of(1_000_000) {
        Err(ValueError::PartOfMillisecond)
    } else {
        Ok(time)
    }
}

pub(super) fn within<const LEAST: usize, const MOST: usize>(
    text: &str,
) -> Result<usize, ValueError> {
    let number = text.parse().ok().filter(|number| (LEAST..=MOST).contains(number));
    number.ok_or_else(|| ValueError::Outside(format!("a number from {LEAST} to {MOST}")))
}

pub(super) fn positive(text: &str) -> Result<usize, ValueError> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| ValueError::Outside("a number, at least 1".to_owned()))
}
