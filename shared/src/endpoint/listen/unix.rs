//! A socket under a name that a lock protects.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use interprocess::local_socket::traits::tokio::Listener as _;

use super::Standing;
use crate::endpoint::{
    account::{Audience, is_own_account},
    bind::{RawListener, bind},
    directory::{self, DirectoryError},
    error::ListenError,
    file::Identity,
    key::{self, KEY_BYTES, Key},
    lock::Lock,
    path::Endpoint,
    stream::Stream,
};

impl Endpoint {
    /// Becomes the relay of this endpoint, for this audience: makes the directory or checks it,
    /// takes the lock, binds and listens.
    ///
    /// # Errors
    /// See [`ListenError`].
    pub fn listen(&self, audience: Audience) -> Result<Listener, ListenError> {
        let on_error = |error: DirectoryError| error.on_listen(&self.path);
        match audience {
            Audience::OwnAccount => {
                for directory in self.directories() {
                    directory::ensure(directory).map_err(on_error)?;
                }
            }
            Audience::EveryAccount if self.is_default => {
                let path = self.path.display();
                let reason = format!("{path} is for this account alone; name another path");
                return Err(ListenError::Insecure(reason));
            }
            Audience::EveryAccount => {
                directory::ensure_shared(self.directory()).map_err(on_error)?;
            }
        }
        let lock = Lock::take(beside(&self.path, ".lock"), &self.path)?;
        let (socket, identity) = bind(&self.path, audience)?;
        Ok(Listener { socket, identity, path: self.path.clone(), audience, lock })
    }
}

/// A relay's socket together with the lock that makes it the only one. Dropping it lets go of
/// the lock and leaves the socket's name where it is; see [`unlink`](Self::unlink).
#[derive(Debug)]
pub struct Listener {
    socket: RawListener,
    identity: Identity,
    path: PathBuf,
    audience: Audience,
    /// Last, so that it is let go last.
    lock: Lock,
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
    /// one will find.
    #[must_use]
    pub fn key(&self, fresh: [u8; KEY_BYTES]) -> Key {
        key::load_or_make(&self.key_path(), fresh)
    }

    /// Takes the key away: nobody holds anything that a later relay could know.
    ///
    /// # Errors
    /// What the system says. A key that stays does no harm.
    pub fn forget_key(&self) -> io::Result<()> {
        if self.lock.is_in_place() { key::forget(&self.key_path()) } else { Ok(()) }
    }

    fn key_path(&self) -> PathBuf {
        beside(&self.path, ".key")
    }

    /// Takes the socket's name away, if it is still ours, so that no client comes any more.
    /// Connections stay, and so does the lock. A name that cannot be removed is left: the next
    /// relay replaces it.
    pub fn unlink(&self) {
        if self.lock.is_in_place() && self.identity.is_at(&self.path) {
            let _removed = fs::remove_file(&self.path);
        }
    }

    /// Whether socket and lock are still those that this listener made.
    #[must_use]
    pub fn check(&self) -> Standing {
        if !self.lock.is_in_place() {
            Standing::LockLost
        } else if !self.identity.is_at(&self.path) {
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
        if !self.lock.is_in_place() {
            let lock = self.lock.path().display();
            return Err(ListenError::Insecure(format!("the lock file {lock} is no longer ours")));
        }
        (self.socket, self.identity) = bind(&self.path, self.audience)?;
        Ok(())
    }
}

/// The path of a file that belongs to the socket.
fn beside(socket: &Path, ending: &str) -> PathBuf {
    let mut path = socket.to_owned().into_os_string();
    path.push(ending);
    path.into()
}
