//! A socket in the file system, under a name that a lock protects.

use std::{fs, path::Path};

use crate::endpoint::{
    account::Audience,
    bind::{RawListener, bind},
    directory::{self, DirectoryError},
    error::ListenError,
    file::Identity,
    lock::Lock,
    path::{Endpoint, beside},
};

/// The files by which clients and other relays know this one.
#[derive(Debug)]
pub(super) struct Names {
    socket: Identity,
    lock: Lock,
}

/// Makes the directory or checks it, takes the lock and binds.
pub(super) fn take_names(
    endpoint: &Endpoint,
    audience: Audience,
) -> Result<(RawListener, Names), ListenError> {
    let path = endpoint.path();
    let on_error = |error: DirectoryError| error.on_listen(path);
    match audience {
        Audience::OwnAccount => {
            for directory in endpoint.directories() {
                directory::ensure(directory).map_err(on_error)?;
            }
        }
        Audience::EveryAccount if endpoint.is_default => {
            let reason = format!("{} is for this account alone; name another path", path.display());
            return Err(ListenError::Insecure(reason));
        }
        Audience::EveryAccount => {
            directory::ensure_shared(endpoint.directory()).map_err(on_error)?;
        }
    }
    let lock = Lock::take(beside(path, ".lock"), path)?;
    let (listener, socket) = bind(path, audience)?;
    Ok((listener, Names { socket, lock }))
}

pub(super) fn unlink(socket: &Path) {
    let _removed = fs::remove_file(socket);
}

impl Names {
    /// Whether no other relay can run.
    pub(super) fn are_locked(&self) -> bool {
        self.lock.is_in_place()
    }

    /// Whether clients that go to this path find this relay.
    pub(super) fn lead_to(&self, path: &Path) -> bool {
        self.socket.is_at(path)
    }

    pub(super) fn rebind(
        &mut self,
        path: &Path,
        audience: Audience,
    ) -> Result<RawListener, ListenError> {
        if !self.are_locked() {
            let lock = self.lock.path().display();
            return Err(ListenError::Insecure(format!("the lock file {lock} is no longer ours")));
        }
        let (listener, socket) = bind(path, audience)?;
        self.socket = socket;
        Ok(listener)
    }
}
