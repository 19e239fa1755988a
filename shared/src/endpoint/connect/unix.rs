//! Only to a relay of the account that the directory of the socket belongs to.

use std::{
    fs, io,
    os::unix::fs::{FileTypeExt as _, MetadataExt as _},
    path::Path,
};

use interprocess::{ConnectWaitMode, local_socket::ConnectOptions};

use crate::endpoint::{
    account::own_uid,
    directory::{self, DirectoryError, Host},
    error::ConnectError,
    file::kind,
    path::Endpoint,
    stream::{RawStream, Stream, socket_name},
};

impl Endpoint {
    /// Connects to the relay and makes sure that it is one of our own user or, where the user has
    /// named a shared directory, of the account that this directory belongs to.
    ///
    /// # Errors
    /// See [`ConnectError`].
    pub async fn connect(&self) -> Result<Stream, ConnectError> {
        let host = self.host()?;
        let uid = match host {
            Host::OwnAccount => own_uid(),
            Host::Shared { uid, mode } => {
                self.check_shared_socket(uid, mode)?;
                uid
            }
        };
        let name = socket_name(&self.path).map_err(ConnectError::Io)?;
        // Local sockets connect at once or not at all: there is nothing to wait for.
        let options = ConnectOptions::new().name(name).wait_mode(ConnectWaitMode::Deferred);
        let connected = options.connect_tokio_as::<RawStream>().await;
        let raw = connected.map_err(|error| self.why_unconnected(error, &host))?;
        // With a full backlog the socket comes back unconnected, without a word. It has no peer.
        let stream = Stream::new(raw).map_err(|_| ConnectError::Busy)?;
        let uid_found = stream.peer().uid;
        if uid_found == uid { Ok(stream) } else { Err(ConnectError::Foreign { uid: uid_found }) }
    }

    /// Why no client may start a relay here, for people; `None` if clients may.
    #[must_use]
    pub fn started_by_hand(&self) -> Option<String> {
        match self.host() {
            Ok(Host::Shared { uid, mode }) => Some(self.by_hand(uid, mode)),
            Err(ConnectError::AbsentShared(reason)) => Some(reason),
            Ok(Host::OwnAccount) | Err(_) => None,
        }
    }

    fn by_hand(&self, uid: u32, mode: u32) -> String {
        let (directory, path) = (self.directory().display(), self.path.display());
        let command = format!("`relay serve --multi-user --socket {path}`");
        if uid == own_uid() {
            format!(
                "the directory {directory} is open to others (mode {mode:04o}); start a relay for \
                 all accounts with {command}, or make it private with `chmod 0700 {directory}`"
            )
        } else {
            format!(
                "the directory {directory} belongs to another user (uid {uid}): only that \
                 account can start a relay there, with {command}"
            )
        }
    }

    /// A client must not take a place that another account may have meant for its relay.
    fn unclaimed(&self, parent: &Path, mode: u32) -> String {
        let (directory, path, parent) =
            (self.directory().display(), self.path.display(), parent.display());
        format!(
            "the directory {directory} is missing, and others can write to {parent} (mode \
             {mode:04o}): for a relay of your own account, make it with `mkdir -m 0700 {directory}`; \
             one for all accounts is started with `relay serve --multi-user --socket {path}`"
        )
    }

    fn host(&self) -> Result<Host, ConnectError> {
        if !self.is_default {
            let host = directory::host(self.directory()).map_err(DirectoryError::on_connect);
            return host.map_err(|error| match (&error, directory::open_above(self.directory())) {
                (ConnectError::Absent, Some((parent, mode))) => {
                    ConnectError::AbsentShared(self.unclaimed(parent, mode))
                }
                _ => error,
            });
        }
        for directory in self.directories() {
            directory::check(directory).map_err(DirectoryError::on_connect)?;
        }
        Ok(Host::OwnAccount)
    }

    /// Checks that the socket belongs to the account that the directory belongs to.
    fn check_shared_socket(&self, uid: u32, mode: u32) -> Result<(), ConnectError> {
        let metadata = fs::symlink_metadata(&self.path).map_err(|error| {
            if error.kind() == io::ErrorKind::NotFound {
                ConnectError::AbsentShared(self.by_hand(uid, mode))
            } else if error.kind() == io::ErrorKind::PermissionDenied {
                ConnectError::Insecure(directory::closed_to_us(self.directory(), uid, mode))
            } else {
                ConnectError::Io(error)
            }
        })?;
        if !metadata.file_type().is_socket() {
            let (path, kind) = (self.path.display(), kind(&metadata));
            return Err(ConnectError::Insecure(format!("{path} is {kind}, not a socket")));
        }
        if metadata.uid() != uid {
            return Err(ConnectError::Foreign { uid: metadata.uid() });
        }
        Ok(())
    }

    fn why_unconnected(&self, error: io::Error, host: &Host) -> ConnectError {
        use io::ErrorKind::{ConnectionRefused, NotFound, WouldBlock};

        match (error.kind(), host) {
            (NotFound | ConnectionRefused, Host::OwnAccount) => ConnectError::Absent,
            (NotFound | ConnectionRefused, Host::Shared { uid, mode }) => {
                ConnectError::AbsentShared(self.by_hand(*uid, *mode))
            }
            (WouldBlock, _) => ConnectError::Busy,
            _ => ConnectError::Io(error),
        }
    }
}
