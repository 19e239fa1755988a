//! `relay serve`: the daemon.

use std::{
    io::{self, IsTerminal as _, Write as _},
    process::{self, ExitCode},
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::Context as _;
use shared::endpoint::{Audience, Endpoint, KeyOrigin, ListenError};
use tracing::{info, warn};
use tracing_subscriber::EnvFilter;

use crate::{
    cli::Serve,
    listener::Acceptor,
    server::{Ending, Server, Settings},
    signals::Signals,
    token::Tokens,
};

/// Runs the relay until it ends.
pub(super) fn run(options: &Serve, endpoint: &Endpoint) -> anyhow::Result<ExitCode> {
    super::runtime()?.block_on(serve(options, endpoint))
}

async fn serve(options: &Serve, endpoint: &Endpoint) -> anyhow::Result<ExitCode> {
    // Before anybody can find this relay, so that a signal never just kills it after that.
    let signals = Signals::new().context("cannot wait for signals")?;
    let audience = if options.multi_user { Audience::EveryAccount } else { Audience::OwnAccount };
    let listener = match endpoint.listen(audience) {
        Ok(listener) => listener,
        Err(error @ ListenError::AlreadyRunning { .. }) => {
            // Whoever has closed that does not want to know.
            let _ = writeln!(io::stderr(), "relay: {error}");
            return Ok(ExitCode::SUCCESS);
        }
        Err(
            error @ (ListenError::Insecure(_)
            | ListenError::OwnAccountOnly
            | ListenError::Io { .. }),
        ) => return Err(error.into()),
    };
    // Only now: whoever has started this relay was told if it could not run.
    if options.detach {
        detach(endpoint)?;
    }
    start_logging();
    if let Err(error) = allow_open_files(options.max_connections) {
        warn!(%error, "cannot have as many open files as there can be connections");
    }
    let key = listener.key(random()?);
    match &key.origin {
        KeyOrigin::Found | KeyOrigin::Made => {}
        KeyOrigin::Replaced(reason) => {
            warn!(reason, "the key was no good: chats of before are lost");
        }
        KeyOrigin::Ephemeral(reason) => {
            warn!(reason, "the key cannot be kept: chats will not survive this relay");
        }
    }
    let acceptor = Acceptor::new(listener);
    let socket = acceptor.socket().display();
    info!(%socket, pid = process::id(), ?audience, "listening");

    let replaces = key.origin == KeyOrigin::Found;
    let settings = Settings::new(options, epoch(), replaces, Instant::now());
    let server = Server::new(settings, acceptor, Tokens::new(&key.bytes), random()?);
    match server.run(signals).await {
        Ending::Drained => {
            info!("ended");
            Ok(ExitCode::SUCCESS)
        }
        Ending::Interrupted => {
            warn!("ended before everything was sent");
            Ok(ExitCode::FAILURE)
        }
    }
}

fn start_logging() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        // It would say so to the same place, and panic: a full disk must not end the relay.
        .log_internal_errors(false)
        .init();
}

/// Milliseconds since 1970: larger than that of any relay before.
fn epoch() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn random<const BYTES: usize>() -> anyhow::Result<[u8; BYTES]> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).context("the system gives no random bytes")?;
    Ok(bytes)
}

#[cfg(unix)]
fn detach(endpoint: &Endpoint) -> anyhow::Result<()> {
    crate::detach::detach(endpoint.path())
}

#[cfg(not(unix))]
fn detach(_: &Endpoint) -> anyhow::Result<()> {
    anyhow::bail!("--detach is not available on this system")
}

/// Shells and desktops allow far fewer open files than the system would, unless asked for more.
#[cfg(unix)]
fn allow_open_files(connections: usize) -> io::Result<()> {
    use rustix::process::{Resource, getrlimit, setrlimit};

    /// Besides connections: standard streams, runtime, socket, lock.
    const OTHER_FILES: u64 = 32;
    let needed = u64::try_from(connections).unwrap_or(u64::MAX).saturating_add(OTHER_FILES);
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    limit.current = Some(limit.maximum.map_or(needed, |maximum| maximum.min(needed)));
    setrlimit(Resource::Nofile, limit)?;
    Ok(())
}

#[cfg(not(unix))]
fn allow_open_files(_: usize) -> io::Result<()> {
    Ok(())
}
