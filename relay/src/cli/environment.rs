//! The options of `relay serve` by the environment.

use std::{
    env,
    ffi::{OsStr, OsString},
};

use clap::{
    Arg, Command, CommandFactory as _, FromArgMatches as _,
    error::{ContextKind, ContextValue, ErrorKind},
};

use super::Cli;

/// The command line of this process, with what the environment adds to it.
///
/// # Errors
/// They name the variable that a value comes from.
pub fn parse() -> Result<Cli, clap::Error> {
    let arguments: Vec<OsString> = env::args_os().collect();
    let mut command = Cli::command().mut_subcommand("serve", |serve| serve.mut_args(with_variable));
    command.build();
    let matches = command.try_get_matches_from_mut(&arguments);
    let cli = matches.and_then(|matches| Cli::from_arg_matches(&matches));
    cli.map_err(|error| naming_variable(error.format(&mut command), &command, &arguments))
}

fn with_variable(option: Arg) -> Arg {
    let Some(name) = option.get_long() else { return option };
    let name = name.replace('-', "_").to_uppercase();
    option.env(format!("MCP_CHAT_RELAY_{name}")).hide_env(true)
}

fn naming_variable(
    mut error: clap::Error,
    command: &Command,
    arguments: &[OsString],
) -> clap::Error {
    let mut known = command.get_subcommands().flat_map(Command::get_arguments);
    let Some(ContextValue::String(option)) = error.get(ContextKind::InvalidArg) else {
        let is_garbled = |name: &&OsStr| env::var_os(name).is_some_and(|it| it.to_str().is_none());
        let garbled = known.filter_map(Arg::get_env).find(is_garbled);
        let garbled = garbled.filter(|_| error.kind() == ErrorKind::InvalidUtf8);
        return garbled.map_or(error, |name| {
            let message = format!("{} is not valid UTF-8", name.display());
            Cli::command().error(ErrorKind::InvalidUtf8, message)
        });
    };
    let known = known.find(|known| known.to_string() == *option);
    let Some((name, variable)) = known.and_then(|known| known.get_long().zip(known.get_env()))
    else {
        return error;
    };
    let is_it = |argument: &OsString| {
        let argument = argument.to_string_lossy();
        argument.split('=').next().and_then(|argument| argument.strip_prefix("--")) == Some(name)
    };
    if env::var_os(variable).is_some() && !arguments.iter().any(is_it) {
        let both = format!("{} ({option})", variable.display());
        error.insert(ContextKind::InvalidArg, ContextValue::String(both));
    }
    error
}
