//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use shared::{limits, text};

/// The stdio MCP server of mcp-chat. An MCP client starts it; by hand, try `mcp-shim demo`.
#[derive(Debug, Parser)]
#[command(name = "mcp-shim", version = VERSION)]
pub struct Cli {
    /// Socket of the relay [default: by user id, the same for all clients of this account]
    #[arg(long, value_name = "PATH", global = true)]
    pub socket: Option<PathBuf>,
    /// Never start a relay
    #[arg(long, global = true)]
    pub no_autostart: bool,
    /// Display name where a call gives none
    #[arg(long, value_name = "NAME", default_value = text::DEFAULT_DISPLAY_NAME, value_parser = name)]
    pub name: String,
    /// Messages of the assistant in a row before the user is asked, or `off`
    #[arg(long, value_name = "N", default_value_t = Autonomous(Some(limits::AUTONOMOUS_MESSAGES)))]
    pub autonomous: Autonomous,
    /// Push events into the conversation of Claude Code as a channel (a preview, see README); pins
    /// MCP to versions that have `initialize`
    #[arg(long)]
    pub channel: bool,
    /// What to do instead of serving
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to do instead of serving.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show two people meet and talk, through two real servers and a private relay
    Demo {
        /// Put a robot into the real queue instead, to be met from a client of yours
        #[arg(long, value_name = "TOPIC", num_args = 0..=1, default_missing_value = text::DEFAULT_TOPIC)]
        join: Option<String>,
    },
    /// Say whether everything that a client needs works here
    Doctor,
}

/// A number of messages, or no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Autonomous(pub Option<u32>);

impl std::str::FromStr for Autonomous {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "off" => Ok(Self(None)),
            number => number
                .parse()
                .map(|number| Self(Some(number)))
                .map_err(|_| "has to be a whole number or `off`".to_owned()),
        }
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

fn name(name: &str) -> Result<String, String> {
    text::display_name(name).map_err(|error| error.to_string())
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
