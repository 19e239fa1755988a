//! The command line and its types.

pub mod environment;
mod values;

use std::{path::PathBuf, sync::LazyLock};

use clap::{Args, Parser, Subcommand, builder::BoolishValueParser};
use shared::{limits, version};

pub use self::values::*;

/// Package and protocol version.
pub static VERSION: LazyLock<String> =
    LazyLock::new(|| format!("{} (protocol {})", env!("CARGO_PKG_VERSION"), version::NEWEST));

/// Chat roulette for MCP clients: the daemon that brings two people together.
#[derive(Debug, Parser)]
#[command(name = "relay", version = VERSION.as_str())]
pub struct Cli {
    /// Where the relay listens [env: MCP_CHAT_SOCKET=] [default: by user id, the same for all
    /// clients of this account]
    #[arg(long, global = true, value_name = "PATH", help_heading = "Where")]
    pub socket: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the relay
    #[command(after_help = "Each option can also be given by the environment: --away-after as \
                      MCP_CHAT_RELAY_AWAY_AFTER.\nA time is written as 10s, 5m or 1h.")]
    Serve(Box<Serve>),
    /// Tell how the running relay is
    Status {
        /// One JSON object instead of text
        #[arg(long)]
        json: bool,
    },
    /// End the running relay; running clients start it again
    Stop,
}

/// The options of `relay serve`.
#[derive(Debug, Clone, Args)]
pub struct Serve {
    /// What one client may send, and how many there may be.
    #[command(flatten)]
    pub limits: Limits,
    /// How long the relay waits for its clients.
    #[command(flatten)]
    pub timing: Timing,
    /// When the relay pairs two clients.
    #[command(flatten)]
    pub matching: Matching,
    /// How the program runs.
    #[command(flatten)]
    pub running: Running,
}

/// What one client may send, and how many there may be.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits")]
pub struct Limits {
    /// Messages of one session: burst/per second, or off
    #[arg(long, value_name = "N/N", default_value_t = Limit(Some(limits::MESSAGE_RATE.into())))]
    pub message_rate: Limit<RatePerSecond>,
    /// Changes of partner of one session: burst/per minute, or off
    #[arg(long, value_name = "N/N", default_value_t = Limit(Some(limits::NEXT_RATE.into())))]
    pub next_rate: Limit<RatePerMinute>,
    /// Searches for a partner of one session: burst/per minute, or off
    #[arg(long, value_name = "N/N", default_value_t = Limit(Some(limits::ENTER_RATE.into())))]
    pub enter_rate: Limit<RatePerMinute>,
    /// The same of all sessions of one client: burst/per minute, or off
    #[arg(long, value_name = "N/N",
          default_value_t = Limit(Some(limits::ENTER_RATE_PER_CLIENT.into())))]
    pub enter_rate_per_client: Limit<RatePerMinute>,
    /// The same of all clients of one account, with --multi-user: burst/per minute, or off
    #[arg(long, value_name = "N/N",
          default_value_t = Limit(Some(limits::ENTER_RATE_PER_USER.into())))]
    pub enter_rate_per_user: Limit<RatePerMinute>,
    /// A message, in bytes of UTF-8 after cleaning
    #[arg(long, value_name = "N", default_value_t = Number(limits::MESSAGE_BYTES))]
    pub message_bytes: Number<1, { limits::MESSAGE_BYTES }>,
    /// A message, in lines
    #[arg(long, value_name = "N", default_value_t = Number(limits::MESSAGE_LINES))]
    pub message_lines: Number<1, { limits::MESSAGE_LINES }>,
    /// Messages to one partner that it has not acknowledged
    #[arg(long, value_name = "N", default_value_t = Number(limits::WINDOW_MESSAGES))]
    pub window_messages: Number<1, { limits::WINDOW_MESSAGES }>,
    /// The same in bytes of text
    #[arg(long, value_name = "N", default_value_t = Number(limits::WINDOW_BYTES))]
    pub window_bytes: Number<{ limits::MESSAGE_BYTES }, { limits::WINDOW_BYTES }>,
    /// How many bytes a client may leave unread; all clients of an account together 32 MiB, or as
    /// much as one alone if that is more
    #[arg(long, value_name = "N", default_value_t = Number(limits::OUTBOUND_BYTES))]
    pub outbound_bytes: Number<{ limits::OUTBOUND_BYTES_LEAST }, { limits::OUTBOUND_BYTES_MOST }>,
    /// Connections in all that carry a session, and sessions in all, including those that may come
    /// back; a few more are for those who only ask
    #[arg(long, value_name = "N", default_value_t = Number(limits::CONNECTIONS))]
    pub max_connections: Number,
    /// The same of one user account
    #[arg(long, value_name = "N", default_value_t = Number(limits::CONNECTIONS_PER_USER))]
    pub max_connections_per_user: Number,
    /// Sessions that wait in one topic
    #[arg(long, value_name = "N", default_value_t = Number(limits::WAITING_PER_TOPIC))]
    pub waiting_per_topic: Number,
    /// Topics with waiting sessions, besides `open`
    #[arg(long, value_name = "N", default_value_t = Number(limits::TOPICS))]
    pub topics: Number,
}

/// How long the relay waits for its clients.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Timing")]
pub struct Timing {
    /// How often a client says that it is alive; after two misses its connection is down
    #[arg(long, value_name = "TIME", default_value_t = Time(limits::KEEP_ALIVE))]
    pub keep_alive: ShortTime,
    /// From connecting to `hello`
    #[arg(long, value_name = "TIME", default_value_t = Time(limits::HANDSHAKE))]
    pub handshake: ShortTime,
    /// How long a client may leave anything unread
    #[arg(long, value_name = "TIME", default_value_t = Time(limits::WRITE_DEADLINE))]
    pub write_deadline: ShortTime,
    /// How long a member of a room may be gone before its partner is told
    #[arg(long, value_name = "TIME", default_value_t = Time(limits::AWAY_AFTER))]
    pub away_after: Time,
    /// How long a member of a room may be gone before the room closes
    #[arg(long, value_name = "TIME", default_value_t = Time(limits::GRACE))]
    pub grace: GraceTime,
    /// After how long without a message a room closes, or off
    #[arg(long, value_name = "TIME", default_value_t = Limit(Some(Time(limits::ROOM_IDLE))))]
    pub room_idle: Limit<Time>,
    /// After how long a waiting session that does not listen loses its place, or off
    #[arg(long, value_name = "TIME", default_value_t = Limit(Some(Time(limits::QUEUE_IDLE))))]
    pub queue_idle: Limit<Time>,
    /// How long after its last activity a client counts as listening
    #[arg(long, value_name = "TIME", default_value_t = Time(limits::LISTENING_FOR))]
    pub listening_for: Time,
}

/// When the relay pairs two clients.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Matching")]
pub struct Matching {
    /// How long two sessions wait before they are paired although one does not listen or they
    /// met lately
    #[arg(long, value_name = "TIME", default_value_t = Time(limits::MATCH_WAIT))]
    pub match_wait: Time,
    /// How long who was left at once and without a word can enter again with the old place, or off
    #[arg(long, value_name = "TIME", default_value_t = Limit(Some(Time(limits::PLACE_KEPT))))]
    pub place_kept: Limit<Time>,
    /// How long a relay that replaces another pairs nobody, so that rooms come back first
    #[arg(long, value_name = "TIME", default_value_t = Time(limits::PAIRING_DELAY))]
    pub pairing_delay: GraceTime,
}

/// How the program runs.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Running")]
pub struct Running {
    /// Exit after so long without a connection, or off
    #[arg(long, value_name = "TIME", default_value_t = Limit(None))]
    pub idle_exit: Limit<Time>,
    /// Let all accounts of this computer connect; needs --socket
    ///
    /// The directory of that socket must belong to the account that runs the relay. Others must be
    /// able to enter it but not to write to it (mode 0711 or 0755); a missing one is made. No client
    /// starts such a relay: it runs until it is stopped.
    #[arg(long, value_parser = BoolishValueParser::new())]
    pub multi_user: bool,
    /// Leave the terminal: its own session, no input or output, log in a file
    ///
    /// The process itself detaches; it starts no other. A program that starts the relay in the
    /// background spawns `relay serve --detach` and does not wait for it; in a shell, add `&`.
    /// The log is `mcp-chat/relay.log` in `$XDG_STATE_HOME` or `~/.local/state`, or else beside
    /// the socket.
    #[arg(long, value_parser = BoolishValueParser::new())]
    pub detach: bool,
}

#[cfg(test)]
mod tests;
