//! `relay stop`: ends the running relay.

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use anyhow::{Context as _, bail};
use shared::{
    codec,
    endpoint::Endpoint,
    limits::{DRAIN, HANDSHAKE},
    message::{ClientMessage, RelayMessage},
};
use tokio::time::timeout;

use super::visit::{self, NOT_RUNNING, counted};

/// Tells the relay to end and waits until it has; fails if none is running.
pub(super) fn run(endpoint: &Endpoint) -> anyhow::Result<ExitCode> {
    visit::runtime()?.block_on(stop(endpoint))
}

async fn stop(endpoint: &Endpoint) -> anyhow::Result<ExitCode> {
    let Some(mut connection) = visit::visit(endpoint).await? else {
        bail!("{} at {}", NOT_RUNNING, endpoint.path().display());
    };
    let frame = visit::ask(&mut connection, &ClientMessage::Stop {}).await?;
    let answer = codec::decode_relay(&frame).context("the relay's answer")?;
    let RelayMessage::Stopping { pid, rooms, waiting } = answer else {
        bail!("the relay did not answer `stop`; it may be of another version");
    };
    let mut stdout = io::stdout();
    let (rooms, waiting) = (counted(rooms, "room"), counted(waiting, "session"));
    writeln!(stdout, "stopping the relay (pid {pid}): {rooms} open, {waiting} waiting")?;
    match endpoint.started_by_hand() {
        None => writeln!(stdout, "running clients will start it again and go on")?,
        Some(_) => writeln!(
            stdout,
            "no client starts it again: to go on, run it yourself with `relay serve --multi-user`"
        )?,
    }
    let closed = async {
        while connection.receive_frame().await?.is_some() {}
        anyhow::Ok(())
    };
    // The relay gives slow readers `DRAIN`, and then it must end.
    let closed = timeout(DRAIN + HANDSHAKE, closed).await;
    closed.with_context(|| format!("the relay (pid {pid}) has not ended"))??;
    writeln!(stdout, "stopped")?;
    Ok(ExitCode::SUCCESS)
}
