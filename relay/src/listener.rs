//! Accepts connections, also when the system has none to give for a while.

use std::{
    io, mem,
    time::{Duration, Instant},
};

use shared::endpoint::{Listener, Standing, Stream};
use tokio::time::sleep_until;
use tracing::{debug, error, info, warn};

/// After an error such as too many open files, which trying again at once would not cure.
const PAUSE: Duration = Duration::from_millis(100);

/// The relay's socket.
#[derive(Debug)]
pub struct Acceptor {
    listener: Listener,
    paused_until: Option<Instant>,
    failing: bool,
}

impl Acceptor {
    /// Accepts what comes to this listener.
    #[must_use]
    pub fn new(listener: Listener) -> Self {
        Self { listener, paused_until: None, failing: false }
    }

    /// The next connection, or `None` in place of one that was refused. Safe to cancel.
    pub async fn next(&mut self) -> Option<Stream> {
        loop {
            if let Some(until) = self.paused_until {
                sleep_until(until.into()).await;
                self.paused_until = None;
            }
            match self.listener.accept().await {
                Ok(stream) => {
                    if mem::take(&mut self.failing) {
                        info!("accepting connections again");
                    }
                    return Some(stream);
                }
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                    debug!(%error, "refused a connection");
                    return None;
                }
                Err(error) => {
                    if !mem::replace(&mut self.failing, true) {
                        warn!(%error, "cannot accept connections; trying again");
                    }
                    self.paused_until = Some(Instant::now() + PAUSE);
                }
            }
        }
    }

    /// No later relay could know what its clients hold: nobody holds anything.
    pub fn forget_key(&self) {
        if let Err(error) = self.listener.forget_key() {
            debug!(%error, "the key stays");
        }
    }

    /// No client finds this relay any more. The lock stays until the end.
    pub fn unlink(&self) {
        self.listener.unlink();
    }

    /// Sees to it that clients find this relay. `false` if another one can run in its place: then
    /// this one must end.
    #[must_use]
    pub fn keep_standing(&mut self) -> bool {
        match self.listener.check() {
            Standing::Ours => true,
            Standing::SocketMissing => {
                match self.listener.rebind() {
                    Ok(()) => warn!("the socket was gone and is there again"),
                    Err(error) => error!(%error, "the socket is gone"),
                }
                true
            }
            Standing::LockLost => false,
        }
    }
}
