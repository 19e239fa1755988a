//! Real relays and real shims under load, with one or the other killed again and again. Ends by
//! itself; exit code 1 if anything was lost, doubled, reordered, or a room was lost.
//!
//! ```sh
//! cargo run --release -p tests --bin soak -- --sessions 200 --minutes 10
//! cargo run --release -p tests --bin soak -- --worlds 8 --sessions 128 --kills 1000
//! cargo run --release -p tests --bin soak -- --resume 1000
//! ```

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "what is measured is real time")]
#![allow(clippy::print_stdout, reason = "this is a program for people")]

mod ledger;
mod resume;
mod session;
mod shim;
mod storm;
mod tally;

use std::{process::ExitCode, time::Duration};

use clap::Parser;

/// Kills relays and shims under load and counts what is lost.
#[derive(Debug, Clone, Parser)]
struct Options {
    /// Sessions in all, two a room
    #[arg(long, default_value_t = 200)]
    sessions: usize,
    /// Chats of one shim process, 16 at most
    #[arg(long, default_value_t = 10)]
    chats: usize,
    /// Private relays side by side
    #[arg(long, default_value_t = 1)]
    worlds: usize,
    /// How long it goes on, unless `--kills` says when it ends
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// Go on until so many relays were killed, one after the other as soon as all sessions are back
    #[arg(long)]
    kills: Option<usize>,
    /// Time between two kills of a relay, or off
    #[arg(long, default_value = "15s", value_parser = every)]
    relay_kills_every: Every,
    /// Time between two kills of a shim, or off
    #[arg(long, default_value = "10s", value_parser = every)]
    shim_kills_every: Every,
    /// As of `relay serve`
    #[arg(long, default_value = "5/2")]
    message_rate: String,
    /// As of `relay serve`; it begins anew with each relay, so kills should be further apart
    #[arg(long, default_value = "8s")]
    grace: String,
    /// Measure instead how long so many raw clients need to come back after one kill
    #[arg(long)]
    resume: Option<usize>,
    /// How often `--resume` does that
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

#[derive(Debug, Clone, Copy)]
struct Every(Option<Duration>);

fn every(text: &str) -> Result<Every, humantime::DurationError> {
    if text == "off" {
        return Ok(Every(None));
    }
    humantime::parse_duration(text).map(|time| Every(Some(time)))
}

fn main() -> ExitCode {
    let options = Options::parse();
    let is_well = match options.resume {
        Some(clients) => resume::run(clients, options.rounds),
        None => storm::run(&options),
    };
    println!("{}", if is_well { "well" } else { "FAILED" });
    if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
