//! The command line.

use std::{env, path::PathBuf};

use clap::{Parser, Subcommand};
use shared::{
    endpoint::{EndpointError, SOCKET_VARIABLE},
    limits, text,
};

/// The MCP server of mcp-chat on stdio; an MCP client starts it
#[derive(Debug, Parser)]
#[command(name = "mcp-shim", version = VERSION, after_help = "To see it work: mcp-shim demo")]
pub struct Cli {
    /// Socket of the relay [env: MCP_CHAT_SOCKET] [default: one for each account]
    #[arg(long, value_name = "PATH", global = true, help_heading = RELAY)]
    pub socket: Option<PathBuf>,
    /// Never start a relay
    #[arg(long, global = true, help_heading = RELAY)]
    pub no_autostart: bool,
    /// Display name for calls that give none
    #[arg(
        long,
        value_name = "NAME",
        default_value = text::DEFAULT_DISPLAY_NAME,
        value_parser = text::display_name,
        help_heading = CHATS
    )]
    pub name: String,
    /// How many messages in a row the assistant may send before it must ask its user, or `off`
    #[arg(
        long,
        value_name = "N",
        default_value_t = Autonomous(Some(limits::AUTONOMOUS_MESSAGES)),
        help_heading = CHATS
    )]
    pub autonomous: Autonomous,
    /// Push events into the conversation of Claude Code (a preview, see the README); limits the
    /// server to MCP versions that begin with `initialize`
    #[arg(long, help_heading = CHATS)]
    pub channel: bool,
    /// Never meet another robot: for the one of `demo --join`
    #[arg(long, hide = true)]
    pub robot: bool,
    /// What to do instead of serving
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to do instead of serving.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show two people meet and talk, through two real servers and a private relay
    Demo {
        /// Put a robot into the real queue instead, for your own client to meet
        #[arg(long, value_name = "TOPIC", num_args = 0..=1, default_missing_value = text::DEFAULT_TOPIC)]
        join: Option<String>,
    },
    /// Check what an MCP client needs here, and say what to do about a fault
    Doctor,
}

const RELAY: &str = "Relay";
const CHATS: &str = "Chats";

impl Cli {
    /// Names the environment variable in an error about a socket that it has named.
    #[must_use]
    pub fn name_source(&self, error: anyhow::Error) -> anyhow::Error {
        let is_set = || env::var_os(SOCKET_VARIABLE).is_some_and(|socket| !socket.is_empty());
        if error.is::<EndpointError>() && self.socket.is_none() && is_set() {
            return error.context(format!("the environment variable {SOCKET_VARIABLE} is wrong"));
        }
        error
    }
}

/// A number of messages, or no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Autonomous(pub Option<u32>);

/// What is neither a number nor `off`.
#[derive(Debug, PartialEq, Eq)]
pub struct NeitherNumberNorOff;

impl std::fmt::Display for NeitherNumberNorOff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("write a whole number, or `off`")
    }
}

impl std::error::Error for NeitherNumberNorOff {}

impl std::str::FromStr for Autonomous {
    type Err = NeitherNumberNorOff;

    fn from_str(text: &str) -> Result<Self, NeitherNumberNorOff> {
        if text == "off" {
            return Ok(Self(None));
        }
        text.parse().map(|number| Self(Some(number))).map_err(|_| NeitherNumberNorOff)
    }
}

impl std::fmt::Display for Autonomous {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(number) => number.fmt(f),
            None => f.write_str("off"),
        }
    }
}

/// Package and protocol version.
const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (protocol 1)");

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_version_names_the_protocol() {
        assert!(VERSION.ends_with(&format!("(protocol {})", shared::version::NEWEST)));
    }

    #[test]
    fn autonomous_is_a_number_or_off() {
        assert_eq!("7".parse(), Ok(Autonomous(Some(7))));
        assert_eq!("off".parse(), Ok(Autonomous(None)));
        assert!("-1".parse::<Autonomous>().is_err());
    }
}
