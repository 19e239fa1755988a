//! Being the relay of an endpoint, the only one.

#[cfg_attr(unix, path = "listen/unix.rs")]
#[cfg_attr(windows, path = "listen/windows.rs")]
mod system;

use std::{
    io,
    path::{Path, PathBuf},
};

use interprocess::local_socket::traits::tokio::Listener as _;

use self::system::{Names, RawListener};
use super::{
    account::{Audience, is_own_account},
    epoch,
    error::ListenError,
    key::{self, KEY_BYTES, Key},
    path::{Endpoint, beside},
    stream::Stream,
};

/// Whether the names that a listener made are still its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// They are.
    Ours,
    /// The socket is gone or foreign: clients no longer find this relay. Bind again.
    SocketMissing,
    /// The lock is gone or foreign: another relay can run. Drain.
    LockLost,
}

/// A relay's socket together with the lock that makes it the only one. Dropping it lets go of
/// the lock and leaves the socket's name where it is; see [`unlink`](Self::unlink).
#[derive(Debug)]
pub struct Listener {
    socket: RawListener,
    path: PathBuf,
    audience: Audience,
    /// Last, so that the lock is let go last.
    names: Names,
}

impl Endpoint {
    /// Becomes the relay of this endpoint, for this audience: makes the directory or checks it,
    /// takes the lock, binds and listens.
    ///
    /// # Errors
    /// See [`ListenError`].
    pub fn listen(&self, audience: Audience) -> Result<Listener, ListenError> {
        let (socket, names) = system::take_names(self, audience)?;
        Ok(Listener { socket, path: self.path.clone(), audience, names })
    }
}

impl Listener {
    /// The next connection. Safe to cancel: no connection is lost.
    ///
    /// # Errors
    /// [`PermissionDenied`](io::ErrorKind::PermissionDenied) for one of another user, unless all
    /// are welcome; otherwise what the system says. None of them ends the listener.
    pub async fn accept(&self) -> io::Result<Stream> {
        let stream = Stream::new(self.socket.accept().await?)?;
        let uid = stream.peer().uid;
        if self.audience == Audience::OwnAccount && !is_own_account(uid) {
            let reason = format!("a connection of another user (uid {uid}) is refused");
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, reason));
        }
        Ok(stream)
    }

    /// The path of the socket, absolute.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The key of this relay: the one that an earlier relay has left, or `fresh`, which the next
    /// one will find if the system has a place for it.
    #[must_use]
    pub fn key(&self, fresh: [u8; KEY_BYTES]) -> Key {
        key::load_or_make(&self.key_path(), fresh)
    }

    /// The highest epoch of the relays that had this key, if one is kept.
    ///
    /// # Errors
    /// Why what is kept cannot be trusted, for people.
    pub fn kept_epoch(&self) -> Result<Option<u64>, String> {
        epoch::load(&self.epoch_path())
    }

    /// Keeps the epoch of this relay for the next one.
    ///
    /// # Errors
    /// Why it cannot be kept, for people.
    pub fn keep_epoch(&self, epoch: u64) -> Result<(), String> {
        epoch::store(&self.epoch_path(), epoch)
    }

    /// Takes the key away, and the epoch with it: nobody holds anything that a later relay could
    /// know.
    ///
    /// # Errors
    /// What the system says. A key that stays does no harm.
    pub fn forget_key(&self) -> io::Result<()> {
        if !self.names.are_locked() {
            return Ok(());
        }
        // The key first: it must never be there without the epoch.
        key::forget(&self.key_path())?;
        epoch::forget(&self.epoch_path())
    }

    fn epoch_path(&self) -> PathBuf {
        beside(&self.path, ".epoch")
    }

    fn key_path(&self) -> PathBuf {
        beside(&self.path, ".key")
    }

    /// Takes the socket's name away, if it is still ours, so that no client comes any more.
    /// Connections stay, and so does the lock. A name that cannot be removed is left: the next
    /// relay replaces it.
    pub fn unlink(&self) {
        if self.check() == Standing::Ours {
            system::unlink(&self.path);
        }
    }

    /// Whether socket and lock are still those that this listener made.
    #[must_use]
    pub fn check(&self) -> Standing {
        if !self.names.are_locked() {
            Standing::LockLost
        } else if !self.names.lead_to(&self.path) {
            Standing::SocketMissing
        } else {
            Standing::Ours
        }
    }

    /// Binds again, for [`Standing::SocketMissing`]. Connections that wait to be accepted are
    /// lost; their clients try again.
    ///
    /// # Errors
    /// As [`Endpoint::listen`]; the listener then is as it was.
    pub fn rebind(&mut self) -> Result<(), ListenError> {
        self.socket = self.names.rebind(&self.path, self.audience)?;
        Ok(())
    }
}
