//! The program `relay`.

use std::process::ExitCode;

fn main() -> ExitCode {
    shared::core_dump::forbid();
    let cli = relay::cli::environment::parse().unwrap_or_else(|error| error.exit());
    match relay::commands::run(&cli) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("relay: {error:#}");
            ExitCode::FAILURE
        }
    }
}
