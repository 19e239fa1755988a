//! The options of `relay serve` as the server uses them.

use std::time::{Duration, Instant};

use shared::limits::Limits;

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
        // Where there are several accounts, none can have everything.
        let share = |all: usize| if options.multi_user { all.div_ceil(2) } else { all };
        let config = Config {
            epoch,
            message_rate: options.message_rate.0,
            next_rate: options.next_rate.0,
            away_after: options.away_after,
            grace: options.grace,
            room_idle: options.room_idle.0,
            queue_idle: options.queue_idle.0,
            listening_for: options.listening_for,
            match_wait: options.match_wait,
            pairing_from: replaces.then(|| now + options.pairing_delay),
            sessions: options.max_connections,
            sessions_per_user: options.max_connections_per_user,
            waiting_per_topic: options.waiting_per_topic,
            waiting_per_user: share(options.waiting_per_topic),
            topics: options.topics,
            topics_per_user: share(options.topics),
        };
        Self { config, options }
    }

    /// What `welcome` says of the limits.
    #[must_use]
    pub fn limits(&self) -> Limits {
        let milliseconds =
            |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Limits {
            message_rate: self.config.message_rate,
            next_rate: self.config.next_rate,
            window_messages: self.options.window_messages,
            window_bytes: self.options.window_bytes,
            message_bytes: self.options.message_bytes,
            message_lines: self.options.message_lines,
            keep_alive_ms: milliseconds(self.options.keep_alive),
            grace_ms: milliseconds(self.config.grace),
        }
    }
}
