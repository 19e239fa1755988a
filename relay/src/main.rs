//! The program `relay`.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    shared::core_dump::forbid();
    match relay::commands::run(&relay::cli::Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("relay: {error:#}");
            ExitCode::FAILURE
        }
    }
}
