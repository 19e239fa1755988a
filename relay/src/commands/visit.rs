//! What `status` and `stop` share: a connection to the running relay that carries no session, and
//! words.

use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use shared::{
    codec,
    connection::Connection,
    endpoint::{ConnectError, Endpoint, Stream},
    limits::HANDSHAKE,
    message::{ClientMessage, Hello, RelayMessage},
};
use tokio::{
    runtime::Runtime,
    time::{sleep, timeout},
};

use crate::translate::BUILD;

/// What the commands say when there is nobody to ask.
pub(super) const NOT_RUNNING: &str = "no relay is running";
/// Between two attempts to reach a relay that is busy.
const RETRY: Duration = Duration::from_millis(50);

pub(super) fn runtime() -> anyhow::Result<Runtime> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("cannot start the runtime")
}

/// Connects without a session and shakes hands; `None` if nobody is there.
pub(super) async fn visit(endpoint: &Endpoint) -> anyhow::Result<Option<Connection<Stream>>> {
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
        connection.handshake(Hello::visitor(BUILD)).await?;
        Ok(Some(connection))
    };
    in_time(attempt).await
}

/// Asks one question and gives the first frame of the answer that is not news of the relay's end.
pub(super) async fn ask(
    connection: &mut Connection<Stream>,
    question: &ClientMessage<'_>,
) -> anyhow::Result<Vec<u8>> {
    let answer = async {
        connection.send(question).await?;
        loop {
            let frame = connection.receive_frame().await?;
            let frame = frame.context("the relay closed the connection; try again")?;
            let message = codec::decode_relay(&frame)?;
            if let RelayMessage::Error { code, newest, .. } = message {
                bail!("{}", code.advice(newest));
            }
            if message != (RelayMessage::GoingAway {}) {
                return Ok(frame);
            }
        }
    };
    in_time(answer).await
}

async fn in_time<T>(attempt: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let answered = timeout(HANDSHAKE, attempt).await;
    answered.map_err(|_| anyhow!("the relay does not answer; if that lasts, end its process"))?
}

/// A number of things that have this name in the singular.
pub(super) fn counted(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}
