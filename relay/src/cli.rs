//! The command line: types and how their values are written, nothing else.

use std::{path::PathBuf, sync::LazyLock, time::Duration};

use clap::{Args, Parser, Subcommand, builder::BoolishValueParser};
use shared::{
    limits::{self, GRACE_LONGEST, KEEP_ALIVE_LONGEST, KEEP_ALIVE_SHORTEST, Rate},
    version,
};

/// Package and protocol version.
pub static VERSION: LazyLock<String> =
    LazyLock::new(|| format!("{} (protocol {})", env!("CARGO_PKG_VERSION"), version::NEWEST));

/// Chat roulette for MCP clients: the daemon that brings two people together.
#[derive(Debug, Parser)]
#[command(name = "relay", version = VERSION.as_str())]
pub struct Cli {
    /// Where the relay listens. Default: a place that depends on the user alone
    /// (or $MCP_CHAT_SOCKET)
    #[arg(long, global = true, value_name = "PATH")]
    pub socket: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the relay
    Serve(Box<Serve>),
    /// Tell how the running relay is
    Status {
        /// One JSON object instead of text
        #[arg(long)]
        json: bool,
    },
    /// End the running relay; clients that are still running will start it again
    Stop,
}

/// A limit that can be `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit<T>(pub Option<T>);

/// The options of `relay serve`.
///
/// Each can also be given by the environment. Lengths of time are written as `10s`, `5m`, `1h`.
#[derive(Debug, Clone, Args)]
pub struct Serve {
    /// Messages of one session: burst/per second, or off
    #[arg(
        long,
        env = "MCP_CHAT_RELAY_MESSAGE_RATE",
        value_name = "N/N",
        default_value = "5/2",
        value_parser = message_rate
    )]
    pub message_rate: Limit<Rate>,
    /// Changes of partner of one session: burst/per minute, or off
    #[arg(
        long,
        env = "MCP_CHAT_RELAY_NEXT_RATE",
        value_name = "N/N",
        default_value = "3/6",
        value_parser = next_rate
    )]
    pub next_rate: Limit<Rate>,
    /// A message, in bytes of UTF-8 after cleaning
    #[arg(
        long,
        env = "MCP_CHAT_RELAY_MESSAGE_BYTES",
        value_name = "N",
        default_value_t = limits::MESSAGE_BYTES,
        value_parser = within::<1, { limits::MESSAGE_BYTES }>
    )]
    pub message_bytes: usize,
    /// A message, in lines
    #[arg(
        long,
        env = "MCP_CHAT_RELAY_MESSAGE_LINES",
        value_name = "N",
        default_value_t = limits::MESSAGE_LINES,
        value_parser = within::<1, { limits::MESSAGE_LINES }>
    )]
    pub message_lines: usize,
    /// Messages to one partner that are on their way
    #[arg(
        long,
        env = "MCP_CHAT_RELAY_WINDOW_MESSAGES",
        value_name = "N",
        default_value_t = limits::WINDOW_MESSAGES,
        value_parser = within::<1, { limits::WINDOW_MESSAGES }>
    )]
    pub window_messages: usize,
    /// The same in bytes of text
    #[arg(
        long,
        env = "MCP_CHAT_RELAY_WINDOW_BYTES",
        value_name = "N",
        default_value_t = limits::WINDOW_BYTES,
        value_parser = within::<{ limits::MESSAGE_BYTES }, { limits::WINDOW_BYTES }>
    )]
    pub window_bytes: usize,
    /// How long a member of a room may be gone before its partner is told
    #[arg(
        long,
        env = "MCP_CHAT_RELAY_AWAY_AFTER",
        value_name = "TIME",
        default_value = "5s",
        value_parser = duration
    )]
    pub away_after: Duration,
    /// How long a member of a room may be gone before the room closes
    #[arg(
        long,
        env = "MCP_CHAT_RELAY_GRACE",
        value_name = "TIME",
        default_value = "60s",
        value_parser = grace
    )]
    pub grace: Duration,
    /// After how long without a message a room closes, or off
    #[arg(
        long,
        env = "MCP_CHAT_RELAY_ROOM_IDLE",
        value_name = "TIME",
        default_value = "30m",
        value_parser = duration_or_off
    )]
    pub room_idle: Limit<Duration>,
    /// After how long a client that does not listen waits no longer, or off
    #[arg(
        long,
        env = "MCP_CHAT_RELAY_QUEUE_IDLE",
        value_name = "TIME",
        default_value = "30m",
        value_parser = duration_or_off
    )]
    pub queue_idle: Limit<Duration>,
    /// How long after its last activity a client counts as listening
    #[arg(
        long,
        env = "MCP_CHAT_RELAY_LISTENING_FOR",
        value_name = "TIME",
        default_value = "120s",
        value_parser = duration
    )]
    pub listening_for: Duration,
    /// How long two wait before they are paired although one does not listen or they met lately
    #[arg(
        long,
        env = "MCP_CHAT_RELAY_MATCH_WAIT",
        value_name = "TIME",
        default_value = "10s",
        value_parser = duration
    )]
    pub match_wait: Duration,
    /// How long a relay that replaces another pairs nobody, so that rooms can come back first
    #[arg(
        long,
        env = "MCP_CHAT_RELAY_PAIRING_DELAY",
        value_name = "TIME",
        default_value = "2s",
        value_parser = grace
    )]
    pub pairing_delay: Duration,
    /// How often a client says that it is alive; two missed and its connection is down
    #[arg(
        long,
        env = "MCP_CHAT_RELAY_KEEP_ALIVE",
        value_name = "TIME",
        default_value = "15s",
        value_parser = short_duration
    )]
    pub keep_alive: Duration,
    /// How long a client may take from connecting to its `hello`
    #[arg(
        long,
        env = "MCP_CHAT_RELAY_HANDSHAKE",
        value_name = "TIME",
        default_value = "2s",
        value_parser = short_duration
    )]
    pub handshake: Duration,
    /// How long a client may leave unread what it was sent
    #[arg(
        long,
        env = "MCP_CHAT_RELAY_WRITE_DEADLINE",
        value_name = "TIME",
        default_value = "10s",
        value_parser = short_duration
    )]
    pub write_deadline: Duration,
    /// How much a client may leave unread of it, in bytes
    #[arg(
        long,
        env = "MCP_CHAT_RELAY_OUTBOUND_BYTES",
        value_name = "N",
        default_value_t = limits::OUTBOUND_BYTES,
        value_parser = within::<{ limits::OUTBOUND_BYTES_LEAST }, { limits::OUTBOUND_BYTES_MOST }>
    )]
    pub outbound_bytes: usize,
    /// Exit after so long without a connection, or off
    #[arg(
        long,
        env = "MCP_CHAT_RELAY_IDLE_EXIT",
        value_name = "TIME",
        default_value = "off",
        value_parser = duration_or_off
    )]
    pub idle_exit: Limit<Duration>,
    /// Connections in all, and as many chats, those included that may come back
    #[arg(
        long,
        env = "MCP_CHAT_RELAY_MAX_CONNECTIONS",
        value_name = "N",
        default_value_t = limits::CONNECTIONS,
        value_parser = positive_number
    )]
    pub max_connections: usize,
    /// The same of one user account
    #[arg(
        long,
        env = "MCP_CHAT_RELAY_MAX_CONNECTIONS_PER_USER",
        value_name = "N",
        default_value_t = limits::CONNECTIONS_PER_USER,
        value_parser = positive_number
    )]
    pub max_connections_per_user: usize,
    /// Chats that wait in one topic
    #[arg(
        long,
        env = "MCP_CHAT_RELAY_WAITING_PER_TOPIC",
        value_name = "N",
        default_value_t = limits::WAITING_PER_TOPIC,
        value_parser = positive_number
    )]
    pub waiting_per_topic: usize,
    /// Topics with somebody waiting, besides `open`
    #[arg(
        long,
        env = "MCP_CHAT_RELAY_TOPICS",
        value_name = "N",
        default_value_t = limits::TOPICS,
        value_parser = positive_number
    )]
    pub topics: usize,
    /// Let all accounts of this computer connect; needs --socket
    ///
    /// The directory of that socket has to belong to the account that runs the relay, others have
    /// to be able to enter it and must not be able to write to it (mode 0711 or 0755); a missing one
    /// is made. No client starts such a relay: it runs until it is stopped.
    #[arg(long, env = "MCP_CHAT_RELAY_MULTI_USER", value_parser = BoolishValueParser::new())]
    pub multi_user: bool,
    /// Leave the terminal: a session of its own, no input or output, log in a file
    ///
    /// The process itself detaches; it starts no other. A program that starts the relay in the
    /// background spawns `relay serve --detach` and does not wait for it; in a shell, add `&`.
    /// The log is `mcp-chat/relay.log` in `$XDG_STATE_HOME` or `~/.local/state`, or else beside
    /// the socket.
    #[arg(long, env = "MCP_CHAT_RELAY_DETACH", value_parser = BoolishValueParser::new())]
    pub detach: bool,
}

fn message_rate(text: &str) -> Result<Limit<Rate>, String> {
    rate(text, 1_000, "second")
}

fn next_rate(text: &str) -> Result<Limit<Rate>, String> {
    rate(text, 60_000, "minute")
}

fn rate(text: &str, period_ms: u64, period: &str) -> Result<Limit<Rate>, String> {
    if text == "off" {
        return Ok(Limit(None));
    }
    let (burst, per_period) = text
        .split_once('/')
        .and_then(|(burst, per_period)| Some((burst.parse().ok()?, per_period.parse().ok()?)))
        .filter(|(burst, per_period)| *burst > 0 && (1..=period_ms).contains(per_period))
        .ok_or_else(|| format!("write it as burst/per {period}, as in 5/2, or off"))?;
    Ok(Limit(Some(Rate { burst, interval_ms: period_ms / per_period })))
}

fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|error| format!("{error}; write it as 10s or 5m"))
}

fn duration_or_off(text: &str) -> Result<Limit<Duration>, String> {
    if text == "off" {
        return Ok(Limit(None));
    }
    duration(text).map(|duration| Limit(Some(duration))).map_err(|error| format!("{error}, or off"))
}

/// Longer would let the dead live on; no client goes by a longer keep-alive.
fn short_duration(text: &str) -> Result<Duration, String> {
    let allowed = KEEP_ALIVE_SHORTEST..=KEEP_ALIVE_LONGEST;
    let duration = duration(text)?;
    if allowed.contains(&duration) { Ok(duration) } else { Err("must be from 10ms to 5m".into()) }
}

/// No client waits longer for its partner to come back.
fn grace(text: &str) -> Result<Duration, String> {
    let duration = duration(text)?;
    if duration <= GRACE_LONGEST { Ok(duration) } else { Err("must be at most 1h".into()) }
}

fn within<const LEAST: usize, const MOST: usize>(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (LEAST..=MOST).contains(number));
    number.ok_or_else(|| format!("must be a number from {LEAST} to {MOST}"))
}

fn positive_number(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| "must be a number, at least 1".to_owned())
}

#[cfg(test)]
mod tests;
