//! The stdio server: from the first byte of standard input to its end.

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use anyhow::Context;
use rmcp::{
    ServiceExt,
    transport::{async_rw::AsyncRwTransport, stdio_pipes},
};
use shared::{endpoint::Endpoint, id::OwnerId, limits};
use tokio::{
    task::{JoinError, JoinHandle},
    time::{Instant, timeout, timeout_at},
};
use uuid::Uuid;

use crate::{
    BUILD,
    cli::Cli,
    delivery::{
        input::Input,
        output,
        resources::Resources,
        transport::{Ends, Ledger, Watched},
    },
    driver::Driver,
    handler::Handler,
    link::{Launcher, Route},
    session::Config,
};

/// From the end of input to the end of the process, at most.
const FAREWELL: Duration = Duration::from_millis(900);
/// Of that, until the chats are left, at most.
const CATCHING_UP: Duration = Duration::from_millis(300);

/// Serves the client on standard input and output until it closes either.
///
/// # Errors
///
/// When the socket's path cannot be, the system gives no randomness, or the driver has died: nobody
/// would answer the client any more.
pub async fn serve(cli: &Cli) -> anyhow::Result<()> {
    let route = Arc::new(route(cli)?);
    let mut seed = [0; 16];
    getrandom::fill(&mut seed).context("the system gives no randomness")?;
    let config = Config {
        owner: OwnerId::from(Uuid::new_v4()),
        seed,
        display_name: cli.name.clone(),
        autonomous: cli.autonomous.0,
        build: BUILD,
        robot: cli.robot,
        closed_rooms: limits::CLOSED_ROOMS,
    };
    let (driver, handle) = Driver::new(config, route);
    let resources = Resources::new(handle.clone(), driver.versions());
    let mut driver = tokio::spawn(driver.run());

    let ends = Ends::default();
    let ledger = Ledger::default();
    let (input, output) = stdio_pipes();
    let transport = Watched::new(
        AsyncRwTransport::new_server(tokio::io::empty(), output),
        Input::new(input),
        ledger.clone(),
        handle.clone(),
        ends.clone(),
    );
    let handler = Handler::new(handle.clone(), ledger.clone(), resources, cli.channel);
    let service = tokio::spawn(async move {
        match handler.serve(transport).await {
            Ok(running) => {
                // How it ended does not matter any more.
                let _ = running.waiting().await;
            }
            Err(error) => tracing::debug!(%error, "the client ended before its first request"),
        }
    });
    tokio::pin!(service);

    let over = async {
        tokio::select! {
            () = ends.output.cancelled() => false,
            () = ends.input.cancelled() => true,
            _ = &mut service => true,
            () = output::closed() => false,
            () = terminated() => false,
        }
    };
    let answers_wanted = unless_it_dies(&mut driver, over).await?;
    let service = async {
        // Answers on their way are still written, if the client takes them.
        if answers_wanted && !service.is_finished() {
            let _ = service.await;
        }
    };
    // What was asked before the end of input is asked before the end of the chats.
    let caught_up = async {
        if answers_wanted {
            ledger.caught_up().await;
        }
    };
    farewell(caught_up, || handle.shut_down(), service, driver).await
}

/// Leaves the chats, and gives all of that [`FAREWELL`] together: a client that takes no answers
/// holds nothing up.
async fn farewell(
    caught_up: impl Future<Output = ()>,
    leave: impl FnOnce(),
    service: impl Future<Output = ()>,
    driver: impl Future<Output = Result<(), JoinError>>,
) -> anyhow::Result<()> {
    let end = Instant::now() + FAREWELL;
    let _ = timeout(CATCHING_UP, caught_up).await;
    leave();
    let left = async {
        service.await;
        driver.await
    };
    match timeout_at(end, left).await {
        Ok(Ok(())) => {}
        Ok(end @ Err(_)) => return Err(died(end)),
        Err(_) => tracing::debug!("the relay was not told in time that the chats are left"),
    }
    Ok(())
}

/// What comes of `over`, unless the driver ends before: it does so by itself only when it has died.
async fn unless_it_dies<T>(
    driver: &mut JoinHandle<()>,
    over: impl Future<Output = T>,
) -> anyhow::Result<T> {
    tokio::select! {
        end = driver => Err(died(end)),
        over = over => Ok(over),
    }
}

fn died(end: Result<(), JoinError>) -> anyhow::Error {
    let how = match end {
        Err(error) if error.is_panic() => "panicked",
        Ok(()) | Err(_) => "ended",
    };
    anyhow::anyhow!("the task that holds the chats {how}; they are lost, start this server again")
}

/// How to reach the relay, by the command line.
///
/// # Errors
///
/// When the socket's path cannot be.
pub(crate) fn route(cli: &Cli) -> anyhow::Result<Route> {
    let endpoint = Endpoint::resolve(cli.socket.as_deref())?;
    Ok(Route {
        launcher: (!cli.no_autostart).then(|| Launcher::new(endpoint.path())),
        endpoint,
        ending: AtomicBool::new(false),
    })
}

#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

#[cfg(not(unix))]
async fn terminated() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}

#[cfg(test)]
mod tests;
