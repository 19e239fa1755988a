//! The command line: types and how their values are written, nothing else.

use std::{path::PathBuf, sync::LazyLock, time::Duration};

use clap::{Args, Parser, Subcommand, builder::BoolishValueParser};
use shared::{
    limits::{KEEP_ALIVE_SHORTEST, Rate},
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
    /// How long a member of a room may be gone before its partner is told
    #[arg(
        long,
        env = "MCP_CHAT_RELAY_AWAY_AFTER",
        value_name = "TIME",
        default_value = "5s",
        value_parser = humantime::parse_duration
    )]
    pub away_after: Duration,
    /// How long a member of a room may be gone before the room closes
    #[arg(
        long,
        env = "MCP_CHAT_RELAY_GRACE",
        value_name = "TIME",
        default_value = "60s",
        value_parser = humantime::parse_duration
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
        value_parser = humantime::parse_duration
    )]
    pub listening_for: Duration,
    /// How long two wait before they are paired although one does not listen or they met lately
    #[arg(
        long,
        env = "MCP_CHAT_RELAY_MATCH_WAIT",
        value_name = "TIME",
        default_value = "10s",
        value_parser = humantime::parse_duration
    )]
    pub match_wait: Duration,
    /// How long a relay that replaces another pairs nobody, so that rooms can come back first
    #[arg(
        long,
        env = "MCP_CHAT_RELAY_PAIRING_DELAY",
        value_name = "TIME",
        default_value = "2s",
        value_parser = humantime::parse_duration
    )]
    pub pairing_delay: Duration,
    /// How often a client says that it is alive; two missed and its connection is down
    #[arg(
        long,
        env = "MCP_CHAT_RELAY_KEEP_ALIVE",
        value_name = "TIME",
        default_value = "15s",
        value_parser = keep_alive
    )]
    pub keep_alive: Duration,
    /// Exit after so long without a connection, or off
    #[arg(
        long,
        env = "MCP_CHAT_RELAY_IDLE_EXIT",
        value_name = "TIME",
        default_value = "off",
        value_parser = duration_or_off
    )]
    pub idle_exit: Limit<Duration>,
    /// Connections in all
    #[arg(
        long,
        env = "MCP_CHAT_RELAY_MAX_CONNECTIONS",
        value_name = "N",
        default_value_t = shared::limits::CONNECTIONS,
        value_parser = positive_number
    )]
    pub max_connections: usize,
    /// Connections of one user account
    #[arg(
        long,
        env = "MCP_CHAT_RELAY_MAX_CONNECTIONS_PER_USER",
        value_name = "N",
        default_value_t = shared::limits::CONNECTIONS_PER_USER,
        value_parser = positive_number
    )]
    pub max_connections_per_user: usize,
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

fn duration_or_off(text: &str) -> Result<Limit<Duration>, String> {
    if text == "off" {
        return Ok(Limit(None));
    }
    humantime::parse_duration(text)
        .map(|duration| Limit(Some(duration)))
        .map_err(|error| format!("{error}; write it as 10s or 5m, or off"))
}

/// Longer would let the dead live on.
fn keep_alive(text: &str) -> Result<Duration, String> {
    let allowed = KEEP_ALIVE_SHORTEST..=Duration::from_secs(60 * 60);
    match humantime::parse_duration(text) {
        Ok(duration) if allowed.contains(&duration) => Ok(duration),
        Ok(_) => Err("must be from 10ms to 1h".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn positive_number(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("must be at least 1".to_owned()),
        Ok(number) => Ok(number),
        Err(_) => Err("is not a number".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::{lobby::Config, server::Settings};

    fn serve(arguments: &[&str]) -> Result<Serve, clap::error::ErrorKind> {
        let cli = Cli::try_parse_from(["relay", "serve"].iter().chain(arguments))
            .map_err(|error| error.kind())?;
        match cli.command {
            Command::Serve(serve) => Ok(*serve),
            Command::Status { .. } | Command::Stop => unreachable!("`serve` was asked for"),
        }
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_defaults_are_those_of_the_lobby_and_the_limits() {
        let settings = Settings::new(&serve(&[]).unwrap(), 1, false, std::time::Instant::now());
        assert_eq!(format!("{:?}", settings.config), format!("{:?}", Config::default()));
        assert_eq!(settings.keep_alive, Duration::from_secs(15));
        assert_eq!(settings.idle_exit, None);
        assert_eq!(settings.max_connections, shared::limits::CONNECTIONS);
        assert_eq!(settings.max_connections_per_user, shared::limits::CONNECTIONS_PER_USER);
    }

    #[test]
    fn keep_alive_is_neither_too_short_nor_too_long() {
        assert_eq!(keep_alive("15s"), Ok(Duration::from_secs(15)));
        for absurd in ["0s", "1ns", "2h", "300000000000y", "off"] {
            assert!(keep_alive(absurd).is_err(), "{absurd}");
        }
    }

    #[test]
    fn only_a_relay_that_replaces_another_delays_pairing() {
        let now = std::time::Instant::now();
        let replacing = Settings::new(&serve(&[]).unwrap(), 1, true, now);
        assert_eq!(replacing.config.pairing_from, Some(now + Duration::from_secs(2)));
    }

    #[test]
    fn rates_are_a_burst_and_how_many_follow() {
        let rate = |burst, interval_ms| Limit(Some(Rate { burst, interval_ms }));
        assert_eq!(message_rate("5/2"), Ok(rate(5, 500)));
        assert_eq!(message_rate("1/1000"), Ok(rate(1, 1)));
        assert_eq!(next_rate("3/6"), Ok(rate(3, 10_000)));
        assert_eq!(next_rate("off"), Ok(Limit(None)));
        for nonsense in ["", "5", "5/", "/2", "0/2", "5/0", "5/2/1", "-1/2", "1/1001", "OFF"] {
            assert!(message_rate(nonsense).is_err(), "{nonsense}");
        }
    }

    #[test]
    fn what_can_be_off_can_be_off_and_nothing_else() {
        for option in
            ["--message-rate", "--next-rate", "--room-idle", "--queue-idle", "--idle-exit"]
        {
            assert!(serve(&[option, "off"]).is_ok(), "{option}");
        }
        for option in ["--away-after", "--grace", "--listening-for", "--match-wait", "--keep-alive"]
        {
            assert!(serve(&[option, "off"]).is_err(), "{option}");
            assert!(serve(&[option, "250ms"]).is_ok(), "{option}");
        }
    }

    #[test]
    fn nothing_can_be_set_to_a_value_that_stops_the_relay() {
        for arguments in [
            ["--keep-alive", "0s"],
            ["--max-connections", "0"],
            ["--max-connections-per-user", "0"],
        ] {
            assert!(serve(&arguments).is_err(), "{arguments:?}");
        }
    }

    #[test]
    fn the_socket_can_be_named_before_and_after_the_command() {
        for arguments in
            [["relay", "--socket", "/s", "status"], ["relay", "status", "--socket", "/s"]]
        {
            let cli = Cli::try_parse_from(arguments).unwrap();
            assert_eq!(cli.socket, Some(PathBuf::from("/s")));
        }
    }
}
