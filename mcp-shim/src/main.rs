//! `mcp-shim`: arguments, logging, runtime, exit code.

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use clap::Parser;
use mcp_shim::{
    cli::{Cli, Command},
    commands, serve,
};
use tracing::Level;
use tracing_subscriber::{
    Layer,
    filter::{Targets, filter_fn},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

fn main() -> ExitCode {
    shared::core_dump::forbid();
    let cli = Cli::parse();
    log_to_stderr();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "cannot start");
            return ExitCode::FAILURE;
        }
    };
    let outcome = runtime.block_on(async {
        match &cli.command {
            None => serve::serve(&cli).await.map(|()| ExitCode::SUCCESS),
            Some(Command::Demo { join: None }) => commands::demo::run().await,
            Some(Command::Demo { join: Some(topic) }) => commands::join::run(&cli, topic).await,
            Some(Command::Doctor) => commands::doctor::run(&cli).await,
        }
    });
    // A read of standard input that is still pending must not hold the process up.
    runtime.shutdown_background();
    match outcome {
        Ok(code) => code,
        Err(error) => {
            // Nobody may be there to read it.
            let _ = writeln!(io::stderr(), "error: {:#}", cli.name_source(error));
            ExitCode::FAILURE
        }
    }
}

/// Logs go to standard error. rmcp logs whole requests, and with them what people say to each
/// other: only its errors are shown, whatever `RUST_LOG` says.
fn log_to_stderr() {
    let chosen = std::env::var("RUST_LOG").ok().filter(|chosen| !chosen.is_empty());
    let chosen = chosen.map(|chosen| chosen.parse::<Targets>());
    let (chosen, misread) = match chosen {
        Some(Ok(chosen)) => (chosen, None),
        Some(Err(error)) => (Targets::new().with_default(Level::WARN), Some(error)),
        None => (Targets::new().with_default(Level::WARN), None),
    };
    let discreet = filter_fn(|metadata| {
        !metadata.target().starts_with("rmcp") || *metadata.level() == Level::ERROR
    });
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(false)
        .with_filter(discreet);
    tracing_subscriber::registry().with(chosen).with(layer).init();
    if let Some(error) = misread {
        tracing::warn!(%error, "RUST_LOG is not understood, and has no effect");
    }
}
