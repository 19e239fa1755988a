//! How the values of options are written, and which of them a relay can keep and a client go by.

use std::{fmt, str::FromStr, time::Duration};

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

/// A length of time, written as `10s` or `5m`. One with a longest is told to clients, in
/// milliseconds, and they go by it in this range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time<const SHORTEST_MS: u64 = 0, const LONGEST_MS: u64 = { u64::MAX }>(pub Duration);

/// Longer would let the dead live on; no client goes by a longer keep-alive.
pub type ShortTime =
    Time<{ KEEP_ALIVE_SHORTEST.as_millis() as u64 }, { KEEP_ALIVE_LONGEST.as_millis() as u64 }>;
/// No client waits longer for its partner to come back.
pub type GraceTime = Time<0, { GRACE_LONGEST.as_millis() as u64 }>;

impl<const SHORTEST_MS: u64, const LONGEST_MS: u64> FromStr for Time<SHORTEST_MS, LONGEST_MS> {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let time = Self(humantime::parse_duration(text)?);
        let [shortest, longest] = [SHORTEST_MS, LONGEST_MS].map(Duration::from_millis);
        if LONGEST_MS == u64::MAX {
            Ok(time)
        } else if !(shortest..=longest).contains(&time.0) {
            let [shortest, longest] = [shortest, longest].map(humantime::format_duration);
            Err(ValueError::Outside(match SHORTEST_MS {
                0 => format!("at most {longest}"),
                _ => format!("from {shortest} to {longest}"),
            }))
        } else if !time.0.subsec_nanos().is_multiple_of(1_000_000) {
            Err(ValueError::PartOfMillisecond)
        } else {
            Ok(time)
        }
    }
}

impl<const SHORTEST_MS: u64, const LONGEST_MS: u64> fmt::Display for Time<SHORTEST_MS, LONGEST_MS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_duration(self.0).fmt(f)
    }
}

/// A number in this range; at least 1, unless told otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number<const LEAST: usize = 1, const MOST: usize = { usize::MAX }>(pub usize);

impl<const LEAST: usize, const MOST: usize> FromStr for Number<LEAST, MOST> {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let number = text.parse().ok().filter(|number| (LEAST..=MOST).contains(number));
        number.map(Self).ok_or_else(|| {
            ValueError::Outside(match MOST {
                usize::MAX => format!("a number, at least {LEAST}"),
                _ => format!("a number from {LEAST} to {MOST}"),
            })
        })
    }
}

impl<const LEAST: usize, const MOST: usize> fmt::Display for Number<LEAST, MOST> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A rate, written as its burst and how many follow in each period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RatePer<const PERIOD_MS: u64>(pub Rate, u64);

/// A rate by the second.
pub type RatePerSecond = RatePer<1_000>;
/// A rate by the minute.
pub type RatePerMinute = RatePer<60_000>;

impl<const PERIOD_MS: u64> From<Rate> for RatePer<PERIOD_MS> {
    fn from(rate: Rate) -> Self {
        Self(rate, 1_000_000 * PERIOD_MS / rate.interval().as_nanos() as u64)
    }
}

impl<const PERIOD_MS: u64> FromStr for RatePer<PERIOD_MS> {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let period = if PERIOD_MS == 1_000 { "second" } else { "minute" };
        let no_rate = || ValueError::NoRate(period);
        let (burst, per_period) = text.split_once('/').ok_or_else(no_rate)?;
        let positive = |text: &str| text.parse::<u64>().ok().filter(|number| *number > 0);
        let burst = positive(burst).ok_or_else(no_rate)?;
        let per_period = positive(per_period).ok_or_else(no_rate)?;
        let burst = u32::try_from(burst).ok().filter(|burst| *burst <= RATE_BURST);
        let burst = burst.ok_or(ValueError::BurstTooLarge)?;
        if per_period > RATE_PER_PERIOD {
            return Err(ValueError::TooFast(period));
        }
        // Rounded up: never more than is written.
        let interval = Duration::from_nanos((1_000_000 * PERIOD_MS).div_ceil(per_period));
        Ok(Self(Rate::new(burst, interval), per_period))
    }
}

impl<const PERIOD_MS: u64> fmt::Display for RatePer<PERIOD_MS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.0.burst, self.1)
    }
}
