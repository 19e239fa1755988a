//! What an error of the command line owes to the environment.

use std::{env, ffi::OsString};

use clap::{
    CommandFactory as _, Parser as _,
    error::{ContextKind, ContextValue},
};

use super::Cli;

/// The command line of this process, with what the environment adds to it.
///
/// # Errors
/// They name the variable that a value comes from.
pub fn parse() -> Result<Cli, clap::Error> {
    let arguments: Vec<OsString> = env::args_os().collect();
    Cli::try_parse_from(&arguments).map_err(|error| naming_variable(error, &arguments))
}

fn naming_variable(mut error: clap::Error, arguments: &[OsString]) -> clap::Error {
    let Some(ContextValue::String(option)) = error.get(ContextKind::InvalidArg) else {
        return error;
    };
    let mut command = Cli::command();
    command.build();
    let mut known = command.get_subcommands().flat_map(clap::Command::get_arguments);
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
