//! The options of `relay serve` as the server uses them.

use std::time::{Duration, Instant};

use crate::{cli::Serve, lobby::Config};

/// How the relay behaves.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How the lobby behaves.
    pub config: Config,
    /// A message, in bytes.
    pub message_bytes: usize,
    /// A message, in lines.
    pub message_lines: usize,
    /// Messages of one direction of a room that are on their way.
    pub window_messages: usize,
    /// The same in bytes of text.
    pub window_bytes: usize,
    /// From accepting a connection to its `hello`.
    pub handshake: Duration,
    /// How long a connection may leave unsent bytes unread.
    pub write_deadline: Duration,
    /// Unsent bytes to one connection.
    pub outbound_bytes: usize,
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
            waiting_per_topic: options.waiting_per_topic,
            waiting_per_user: share(options.waiting_per_topic),
            topics: options.topics,
            topics_per_user: share(options.topics),
        };
        Self {
            config,
            message_bytes: options.message_bytes,
            message_lines: options.message_lines,
            window_messages: options.window_messages,
            window_bytes: options.window_bytes,
            handshake: options.handshake,
            write_deadline: options.write_deadline,
            outbound_bytes: options.outbound_bytes,
            keep_alive: options.keep_alive,
            idle_exit: options.idle_exit.0,
            max_connections: options.max_connections,
            max_connections_per_user: options.max_connections_per_user,
        }
    }
}
