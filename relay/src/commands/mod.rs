//! The commands of the program, one file each.

mod serve;
mod status;
mod stop;

use std::{process::ExitCode, time::Duration};

use anyhow::{Context as _, bail};
use clap::CommandFactory as _;
use shared::{
    codec,
    connection::Connection,
    endpoint::{ConnectError, Endpoint, Stream},
    limits::HANDSHAKE,
    message::{ClientMessage, Hello, RelayMessage},
    version,
};
use tokio::{
    runtime::Runtime,
    time::{sleep, timeout},
};

use crate::{
    cli::{Cli, Command},
    translate::BUILD,
};

/// The exit code of a wrong command line.
const USAGE: u8 = 2;
/// What the commands say when there is nobody to ask.
const NOT_RUNNING: &str = "no relay is running";
/// Between two attempts to reach a relay that is busy.
const RETRY: Duration = Duration::from_millis(50);

/// Does what the command line asks for.
pub fn run(cli: &Cli) -> anyhow::Result<ExitCode> {
    let endpoint = Endpoint::resolve(cli.socket.as_deref())?;
    match &cli.command {
        Command::Serve(options) if options.multi_user && cli.socket.is_none() => {
            let missing = "--multi-user needs --socket PATH, in a directory that others can enter";
            let kind = clap::error::ErrorKind::MissingRequiredArgument;
            Cli::command().error(kind, missing).print()?;
            Ok(ExitCode::from(USAGE))
        }
        Command::Serve(options) => serve::run(options, &endpoint),
        Command::Status { json } => status::run(&endpoint, *json),
        Command::Stop => stop::run(&endpoint),
    }
}

fn runtime() -> anyhow::Result<Runtime> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("cannot start the runtime")
}

/// Connects without a session and shakes hands; `None` if nobody is there.
async fn visit(endpoint: &Endpoint) -> anyhow::Result<Option<Connection<Stream>>> {
    let attempt = async {
        let stream = loop {
            match endpoint.connect().await {
                Ok(stream) => break stream,
                Err(ConnectError::Absent | ConnectError::AbsentShared(_)) => return Ok(None),
                Err(ConnectError::Busy) => sleep(RETRY).await,
                Err(
                    error @ (ConnectError::Foreign { .. }
                    | ConnectError::Insecure(_)
                    | ConnectError::Io(_)),
                ) => return Err(error.into()),
            }
        };
        let mut connection = Connection::new(stream);
        let hello = Hello {
            min: version::OLDEST,
            max: version::NEWEST,
            build: BUILD.into(),
            owner: None,
            session: None,
            blocks: Vec::new(),
        };
        connection.handshake(hello).await?;
        Ok(Some(connection))
    };
    timeout(HANDSHAKE, attempt).await.unwrap_or_else(|_| bail!("the relay does not answer"))
}

/// Asks one question and gives the first frame of the answer that is not news of the relay's end.
async fn ask(
    connection: &mut Connection<Stream>,
    question: &ClientMessage<'_>,
) -> anyhow::Result<Vec<u8>> {
    let answer = async {
        connection.send(question).await?;
        loop {
            let frame = connection.receive_frame().await?;
            let frame = frame.context("the relay closed the connection")?;
            let message = codec::decode_relay(&frame)?;
            if let RelayMessage::Error { code, newest, .. } = message {
                bail!("{}", code.advice(newest));
            }
            if message != (RelayMessage::GoingAway {}) {
                return Ok(frame);
            }
        }
    };
    timeout(HANDSHAKE, answer).await.unwrap_or_else(|_| bail!("the relay does not answer"))
}
