//! Unix domain sockets, in a directory of the user's own or in one that accounts share.

use std::{
    env, fs, io,
    os::unix::fs::{FileTypeExt as _, MetadataExt as _},
    path::{Path, PathBuf, absolute},
};

use interprocess::{
    ConnectWaitMode,
    local_socket::{
        ConnectOptions, Name, ToFsName as _,
        traits::{StreamCommon as _, tokio::Listener as _},
    },
    os::unix::local_socket::FilesystemUdSocket,
};
use rustix::process::geteuid;

use super::{
    Audience, ConnectError, EndpointError, KEY_BYTES, Key, ListenError, Peer, SOCKET_VARIABLE,
    Standing, Stream,
    bind::bind,
    directory::{self, DirectoryError, Host, Identity, kind},
    key,
    lock::Lock,
};
use crate::limits::SOCKET_PATH_BYTES;

pub(super) type RawStream = interprocess::os::unix::uds_local_socket::tokio::Stream;
pub(super) type RawListener = interprocess::os::unix::uds_local_socket::tokio::Listener;

/// A place where a relay can listen and clients can find it. Naming one touches no file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    path: PathBuf,
    /// Whether it is the default path of this account, which is never shared. Named or not, it
    /// means the same.
    is_default: bool,
}

impl Endpoint {
    /// The endpoint of the path given, else of `$MCP_CHAT_SOCKET`, else the default one of this
    /// user.
    ///
    /// # Errors
    /// The path is longer than [`SOCKET_PATH_BYTES`] or names no file.
    pub fn resolve(explicit: Option<&Path>) -> Result<Self, EndpointError> {
        let variable = env::var_os(SOCKET_VARIABLE).filter(|value| !value.is_empty());
        let default = default_path();
        let chosen = explicit.or(variable.as_deref().map(Path::new)).unwrap_or(&default);
        let path = normalised(chosen)?;
        let bytes = path.as_os_str().len();
        if bytes > SOCKET_PATH_BYTES {
            return Err(EndpointError::PathTooLong { path, bytes, max_bytes: SOCKET_PATH_BYTES });
        }
        let is_default = path == default;
        Ok(Self { path, is_default })
    }

    /// The path of the socket, absolute.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

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
        let peer = peer(&raw).map_err(|_| ConnectError::Busy)?;
        if peer.uid != uid {
            return Err(ConnectError::Foreign { uid: peer.uid });
        }
        Ok(Stream { raw, peer })
    }

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
                "the directory {directory} belongs to another user (uid {uid}), who has to start \
                 a relay there with {command}"
            )
        }
    }

    /// No client is to take a place that may be meant for a relay of somebody else.
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
        let metadata = match fs::symlink_metadata(&self.path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(ConnectError::AbsentShared(self.by_hand(uid, mode)));
            }
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                let reason = directory::closed_to_us(self.directory(), uid, mode);
                return Err(ConnectError::Insecure(reason));
            }
            Err(error) => return Err(ConnectError::Io(error)),
        };
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

    /// The directory of the socket.
    fn directory(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("/"))
    }

    /// The directories of our own above the socket, the outermost first.
    fn directories(&self) -> impl Iterator<Item = &Path> {
        // Of the default path these are `mcp-chat` and `v1`.
        let own = if self.is_default { 2 } else { 1 };
        let innermost_first = self.path.ancestors().skip(1).take(own);
        innermost_first.collect::<Vec<_>>().into_iter().rev()
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
        let raw = self.socket.accept().await?;
        let peer = peer(&raw)?;
        if self.audience == Audience::OwnAccount && peer.uid != own_uid() {
            let reason = format!("a connection of another user (uid {}) is refused", peer.uid);
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, reason));
        }
        Ok(Stream { raw, peer })
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
        if self.lock.is_in_place() { key::remove(&self.key_path()) } else { Ok(()) }
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

/// The user whom this process acts for.
pub(super) fn own_uid() -> u32 {
    geteuid().as_raw()
}

/// By user id alone: neither `$XDG_RUNTIME_DIR` nor `$TMPDIR`, which not every client passes on.
fn default_path() -> PathBuf {
    let uid = own_uid();
    let runtime_directory = PathBuf::from(format!("/run/user/{uid}"));
    let is_ours = cfg!(target_os = "linux") && directory::check(&runtime_directory).is_ok();
    let directory = if is_ours {
        runtime_directory.join("mcp-chat")
    } else {
        PathBuf::from(format!("/tmp/mcp-chat-{uid}"))
    };
    directory.join("v1").join("relay.sock")
}

/// The path of a file that belongs to the socket.
fn beside(socket: &Path, ending: &str) -> PathBuf {
    let mut path = socket.to_owned().into_os_string();
    path.push(ending);
    path.into()
}

fn normalised(path: &Path) -> Result<PathBuf, EndpointError> {
    let path = absolute(path)
        .map_err(|error| EndpointError::NotAbsolute { path: path.to_owned(), error })?;
    match (path.parent(), path.file_name()) {
        (Some(directory), Some(name)) => Ok(directory.join(name)),
        _ => Err(EndpointError::NoFileName { path }),
    }
}

pub(super) fn socket_name(path: &Path) -> io::Result<Name<'_>> {
    path.to_fs_name::<FilesystemUdSocket>()
}

fn peer(stream: &RawStream) -> io::Result<Peer> {
    let credentials = stream.peer_creds()?;
    let unknown = || io::Error::new(io::ErrorKind::Unsupported, "the peer's user id is unknown");
    Ok(Peer {
        uid: credentials.euid().ok_or_else(unknown)?,
        pid: credentials.pid().and_then(|pid| pid.try_into().ok()),
    })
}
