//! The commands of the program, one file each.

mod serve;
mod status;
mod stop;
mod visit;

use std::{env, process::ExitCode};

use anyhow::Context as _;
use clap::CommandFactory as _;
use shared::endpoint::{Endpoint, SOCKET_VARIABLE};

use crate::cli::{Cli, Command};

/// The exit code of a wrong command line.
const USAGE: u8 = 2;
/// Does what the command line asks for.
///
/// # Errors
/// Says what failed, what to do about it, and nothing more.
pub fn run(cli: &Cli) -> anyhow::Result<ExitCode> {
    let endpoint = Endpoint::resolve(cli.socket.as_deref())?;
    let outcome = match &cli.command {
        Command::Serve(options) if options.running.multi_user && cli.socket.is_none() => {
            let missing = "--multi-user needs --socket PATH, in a directory that others can enter";
            let kind = clap::error::ErrorKind::MissingRequiredArgument;
            Cli::command().error(kind, missing).print()?;
            return Ok(ExitCode::from(USAGE));
        }
        Command::Serve(options) => serve::run(options, &endpoint),
        Command::Status { json } => status::run(&endpoint, *json),
        Command::Stop => stop::run(&endpoint),
    };
    // A path that nobody typed just now: without its origin the error would be a riddle.
    if cli.socket.is_none() && env::var_os(SOCKET_VARIABLE).is_some_and(|path| !path.is_empty()) {
        outcome.context(SOCKET_VARIABLE)
    } else {
        outcome
    }
}
