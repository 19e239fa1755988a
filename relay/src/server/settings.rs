//! The options of `relay serve` as the server uses them.

use std::time::{Duration, Instant};

use shared::limits::{TOPICS, WAITING_PER_TOPIC};

use crate::{cli::Serve, lobby::Config};

/// How the relay behaves.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How the lobby behaves.
    pub config: Config,
    /// How often clients say that they are alive.
    pub keep_alive: Duration,
    /// After how long without a connection the relay ends.
    pub idle_exit: Option<Duration>,
    /// Connections in all.
    pub max_connections: usize,
    /// Connections of one user account.
    pub max_connections_per_user: usize,
}

impl Settings {
    /// Takes them from the command line; `epoch` tells runs of the relay apart and grows, and
    /// `replaces` says whether clients may come back that an earlier relay knew.
    #[must_use]
    pub fn new(options: &Serve, epoch: u64, replaces: bool, now: Instant) -> Self {
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
            waiting_per_topic: WAITING_PER_TOPIC,
            waiting_per_user: share(WAITING_PER_TOPIC),
            topics: TOPICS,
            topics_per_user: share(TOPICS),
        };
        Self {
            config,
            keep_alive: options.keep_alive,
            idle_exit: options.idle_exit.0,
            max_connections: options.max_connections,
            max_connections_per_user: options.max_connections_per_user,
        }
    }
}
