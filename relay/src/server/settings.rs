//! The options of `relay serve` as the server uses them.

use std::time::{Duration, Instant};

use shared::{
    connection::BESIDES_OUTBOUND_BYTES,
    limits::{EnterRates, Limits, OUTBOUND_BYTES_PER_USER},
};

use crate::{cli::Serve, lobby::Config};

/// How the relay behaves.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How the lobby behaves.
    pub config: Config,
    /// The options that do not concern the lobby.
    pub options: Serve,
}

impl Settings {
    /// Takes them from the command line; `epoch` tells runs of the relay apart and grows, and
    /// `replaces` says whether clients may come back that an earlier relay knew.
    #[must_use]
    pub fn new(options: Serve, epoch: u64, replaces: bool, now: Instant) -> Self {
        let Serve { limits, timing, matching, running } = &options;
        // Where there are several accounts, none can have everything.
        let share = |all: usize| if running.multi_user { all.div_ceil(2) } else { all };
        let enter_rate_per_user = limits.enter_rate_per_user.0.filter(|_| running.multi_user);
        let config = Config {
            epoch,
            message_rate: limits.message_rate.0.map(|rate| rate.0),
            next_rate: limits.next_rate.0.map(|rate| rate.0),
            enter_rates: EnterRates {
                session: limits.enter_rate.0.map(|rate| rate.0),
                client: limits.enter_rate_per_client.0.map(|rate| rate.0),
                user: enter_rate_per_user.map(|rate| rate.0),
            },
            accounts_meet: running.multi_user,
            place_kept: matching.place_kept.0.map(|time| time.0),
            away_after: timing.away_after.0,
            grace: timing.grace.0,
            room_idle: timing.room_idle.0.map(|time| time.0),
            queue_idle: timing.queue_idle.0.map(|time| time.0),
            listening_for: timing.listening_for.0,
            match_wait: matching.match_wait.0,
            pairing_from: replaces.then(|| now + matching.pairing_delay.0),
            sessions: limits.max_connections.0,
            sessions_per_user: limits.max_connections_per_user.0,
            waiting_per_topic: limits.waiting_per_topic.0,
            waiting_per_user: share(limits.waiting_per_topic.0),
            topics: limits.topics.0,
            topics_per_user: share(limits.topics.0),
        };
        Self { config, options }
    }

    /// After how long without a connection the relay ends.
    #[must_use]
    pub fn idle_exit(&self) -> Option<Duration> {
        self.options.running.idle_exit.0.map(|time| time.0)
    }

    /// What the outboxes of one account can take together: at least as much as one can alone.
    #[must_use]
    pub fn outbound_bytes_of_user(&self) -> usize {
        let of_one = self.options.limits.outbound_bytes.0 + BESIDES_OUTBOUND_BYTES;
        OUTBOUND_BYTES_PER_USER.max(of_one)
    }

    /// What `welcome` says of the limits.
    #[must_use]
    pub fn limits(&self) -> Limits {
        let milliseconds =
            |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Limits {
            message_rate: self.config.message_rate,
            next_rate: self.config.next_rate,
            enter_rates: self.config.enter_rates,
            window_messages: self.options.limits.window_messages.0,
            window_bytes: self.options.limits.window_bytes.0,
            message_bytes: self.options.limits.message_bytes.0,
            message_lines: self.options.limits.message_lines.0,
            keep_alive_ms: milliseconds(self.options.timing.keep_alive.0),
            grace_ms: milliseconds(self.config.grace),
        }
    }
}
