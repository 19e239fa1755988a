//! `relay serve`: the daemon.

use std::{
    env,
    io::{self, IsTerminal as _, Write as _},
    process::{self, ExitCode},
    time::{Instant, SystemTime},
};

use anyhow::Context as _;
use shared::{
    endpoint::{Audience, Endpoint, KeyOrigin, ListenError, Listener},
    limits::VISITORS,
};
use tracing::{Level, info, warn};
use tracing_subscriber::{
    Layer as _, filter::Targets, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

use super::visit;
use crate::{
    cli::Serve,
    epoch,
    listener::Acceptor,
    server::{Ending, Server, Settings},
    signals::Signals,
    token::Tokens,
};

/// Runs the relay until it ends.
pub(super) fn run(options: &Serve, endpoint: &Endpoint) -> anyhow::Result<ExitCode> {
    #[cfg(unix)]
    if options.running.detach {
        crate::detach::disinherit()?;
    }
    visit::runtime()?.block_on(serve(options, endpoint))
}

async fn serve(options: &Serve, endpoint: &Endpoint) -> anyhow::Result<ExitCode> {
    // Before anybody can find this relay, so that a signal never just kills it after that.
    let signals = Signals::new().context("cannot wait for signals")?;
    let audience =
        if options.running.multi_user { Audience::EveryAccount } else { Audience::OwnAccount };
    let listener = endpoint.listen(audience);
    if let Err(error @ ListenError::AlreadyRunning { .. }) = &listener {
        // A closed stderr is no reason to fail.
        let _ = writeln!(io::stderr(), "relay: {error}");
        return Ok(ExitCode::SUCCESS);
    }
    let listener = listener?;
    // Only now: until here, errors reach the program that started this relay.
    if options.running.detach {
        #[cfg(unix)]
        crate::detach::detach(endpoint.path())?;
        #[cfg(not(unix))]
        anyhow::bail!("--detach is not available on this system");
    }
    start_logging();
    let mut options = options.clone();
    options.limits.max_connections.0 = allow_connections(&options);
    let key = listener.key(random()?);
    match &key.origin {
        KeyOrigin::Found | KeyOrigin::Made => {}
        KeyOrigin::Replaced(reason) => {
            warn!(reason, "the key could not be used and was replaced: chats of before are lost");
        }
        KeyOrigin::Ephemeral(reason) => {
            warn!(reason, "the key cannot be kept: chats will not survive this relay");
        }
    }
    let socket = endpoint.path().display();
    info!(%socket, pid = process::id(), ?audience, "listening");

    let replaces = key.origin == KeyOrigin::Found;
    let settings = Settings::new(options, begin_epoch(&listener), replaces, Instant::now());
    let server = Server::new(settings, Acceptor::new(listener), Tokens::new(&key.bytes), random()?);
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
    let chosen = env::var("RUST_LOG").ok().filter(|chosen| !chosen.is_empty());
    let chosen = chosen.map(|chosen| chosen.parse::<Targets>()).transpose();
    let filter = chosen.as_ref().ok().cloned().flatten();
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        // It would say so to the same place, and panic: a full disk must not end the relay.
        .log_internal_errors(false)
        .with_filter(filter.unwrap_or_else(|| Targets::new().with_default(Level::INFO)));
    tracing_subscriber::registry().with(layer).init();
    if let Err(error) = chosen {
        tracing::warn!(%error, "RUST_LOG is not understood, and has no effect");
    }
}

/// The epoch of this relay, which is kept before anybody is told of it.
fn begin_epoch(listener: &Listener) -> u64 {
    const LOST: &str = "the epoch of before could not be used and was replaced: who waited then may \
                        come after newcomers";
    let kept = listener.kept_epoch().unwrap_or_else(|reason| {
        warn!(reason, "{LOST}");
        None
    });
    if let Some(kept) = kept.filter(|kept| !epoch::is_possible(*kept)) {
        warn!(kept, "{LOST}");
    }
    let epoch = epoch::next(kept, SystemTime::now());
    if let Err(reason) = listener.keep_epoch(epoch) {
        warn!(reason, "the epoch cannot be kept: if the clock is set back, newcomers may go ahead");
    }
    epoch
}

fn random<const BYTES: usize>() -> anyhow::Result<[u8; BYTES]> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).context("the system gives no random bytes")?;
    Ok(bytes)
}

/// How many connections there can be, given how many files can be open. Warns if that is fewer than
/// the options promise.
fn allow_connections(options: &Serve) -> usize {
    /// Besides connections: standard streams, runtime, socket, lock.
    const OTHER_FILES: usize = 16;
    const RESERVED_FILES: usize = OTHER_FILES + VISITORS;

    let (wanted, per_user) =
        (options.limits.max_connections.0, options.limits.max_connections_per_user.0);
    let files = allow_open_files(wanted.saturating_add(RESERVED_FILES));
    let connections = files.saturating_sub(RESERVED_FILES).clamp(1, wanted);
    if connections < wanted {
        warn!(
            files,
            connections,
            wanted,
            "the system allows too few open files for as many connections as wanted: raise its \
             limit (`ulimit -n`, or LimitNOFILE= of systemd) or lower --max-connections"
        );
    }
    if options.running.multi_user && per_user > connections / 2 {
        warn!(
            per_user,
            connections,
            "one account can have more than half of all connections: lower \
             --max-connections-per-user"
        );
    }
    connections
}

/// Tells how many files can be open, which is as many as needed where that can be had.
///
/// Shells and desktops allow far fewer open files than the system would, unless asked for more.
#[cfg(unix)]
fn allow_open_files(needed: usize) -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let needed = u64::try_from(needed).unwrap_or(u64::MAX);
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let mut files = current.unwrap_or(needed).min(needed);
    let most = maximum.unwrap_or(needed).min(needed);
    if files < most && setrlimit(Resource::Nofile, Rlimit { current: Some(most), maximum }).is_ok()
    {
        files = most;
    }
    usize::try_from(files).unwrap_or(usize::MAX)
}

#[cfg(not(unix))]
fn allow_open_files(needed: usize) -> usize {
    needed
}
