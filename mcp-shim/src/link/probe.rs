//! Asking the relay how it is, on a connection that carries no session.

use shared::{
    codec,
    connection::Connection,
    endpoint::is_own_account,
    id::OwnerId,
    limits,
    message::{ClientMessage, Hello, RelayMessage},
    version,
};
use tokio::time::timeout;

use super::{Pause, Route, passing};
use crate::{
    BUILD,
    session::{RelayHealth, Trouble, count},
};

/// How the relay is. Starts one where there is none, and takes at most
/// [`RELAY_WAIT`](limits::RELAY_WAIT).
pub(crate) async fn probe(route: &Route, owner: OwnerId) -> RelayHealth {
    let mut trouble = "the relay does not answer".to_owned();
    let found = timeout(limits::RELAY_WAIT, async {
        let mut pause = Pause::default();
        loop {
            match attempt(route, owner).await {
                Ok(health) => return Some(health),
                Err(found) => {
                    trouble = found.detail;
                    if found.lasting {
                        return None;
                    }
                }
            }
            pause.wait().await;
        }
    })
    .await;
    found.ok().flatten().unwrap_or_else(|| RelayHealth {
        connected: false,
        socket: route.socket(),
        version: None,
        others_connected: None,
        account: None,
        trouble: Some(trouble),
    })
}

/// One attempt: what the relay says of itself, and the kernel of it.
async fn attempt(route: &Route, owner: OwnerId) -> Result<RelayHealth, Trouble> {
    let stream = route.connect().await?;
    let peer = stream.peer();
    let mut connection = Connection::new(stream);
    let status = async {
        connection.handshake(Hello::visitor(BUILD)).await.map_err(|error| error.to_string())?;
        let status = ClientMessage::Status { owner: Some(owner) };
        connection.send(&status).await.map_err(|error| error.to_string())?;
        loop {
            let frame = connection.receive_frame().await.map_err(|error| error.to_string())?;
            let Some(frame) = frame else { return Err("the relay closed the connection".into()) };
            let message = codec::decode_relay(&frame).map_err(|error| error.to_string())?;
            if let RelayMessage::Status(status) = message {
                return Ok(RelayHealth {
                    connected: true,
                    socket: route.socket(),
                    version: Some(version::claimed(&status.version).to_owned()),
                    others_connected: Some(count(status.others_connected)),
                    account: Some(peer.uid).filter(|uid| !is_own_account(*uid)),
                    trouble: None,
                });
            } else if let RelayMessage::Error { code, newest, .. } = message {
                return Err(code.advice(newest).to_owned());
            }
        }
    };
    match timeout(limits::HANDSHAKE, status).await {
        Ok(answer) => answer.map_err(passing),
        Err(_) => Err(route.silence(peer.pid)),
    }
}
