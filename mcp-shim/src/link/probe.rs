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
    let mut health = RelayHealth {
        connected: false,
        socket: route.socket(),
        version: None,
        others_connected: None,
        account: None,
        trouble: Some("the relay does not answer".to_owned()),
    };
    let found = timeout(limits::RELAY_WAIT, async {
        let mut pause = Pause::default();
        loop {
            match attempt(route, owner).await {
                Ok(found) => return Some(found),
                Err(trouble) => {
                    health.trouble = Some(trouble.detail);
                    if trouble.lasting {
                        return None;
                    }
                }
            }
            pause.wait().await;
        }
    })
    .await;
    if let Ok(Some(found)) = found {
        health.connected = true;
        health.version = Some(found.version);
        health.others_connected = Some(found.others);
        health.account = Some(found.uid).filter(|uid| !is_own_account(*uid));
        health.trouble = None;
    }
    health
}

/// What a relay has said of itself, and the kernel of it.
struct Found {
    version: String,
    others: usize,
    uid: u32,
}

async fn attempt(route: &Route, owner: OwnerId) -> Result<Found, Trouble> {
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
                let version = version::claimed(&status.version).to_owned();
                let others = count(status.others_connected);
                return Ok(Found { version, others, uid: peer.uid });
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
