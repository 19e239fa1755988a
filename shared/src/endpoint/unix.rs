//! Unix domain sockets in a directory of the user's own.

use std::{
    env,
    ffi::{OsStr, OsString},
    fs, io,
    os::unix::ffi::OsStringExt as _,
    path::{Path, PathBuf, absolute},
};

use interprocess::{
    ConnectWaitMode,
    local_socket::{
        ConnectOptions, ListenerOptions, Name, ToFsName as _,
        traits::{StreamCommon as _, tokio::Listener as _},
    },
    os::unix::local_socket::FilesystemUdSocket,
};
use rustix::{net::listen, process::geteuid};

use super::{
    ConnectError, EndpointError, KEY_BYTES, Key, ListenError, Peer, SOCKET_VARIABLE, Standing,
    Stream,
    directory::{self, DirectoryError, Identity, kind},
    key,
    lock::Lock,
};
use crate::limits::{BACKLOG, SOCKET_PATH_BYTES};

pub(super) type RawStream = interprocess::os::unix::uds_local_socket::tokio::Stream;
type RawListener = interprocess::os::unix::uds_local_socket::tokio::Listener;

/// A place where a relay can listen and clients can find it. Naming one touches no file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    path: PathBuf,
    /// How many of the directories above the socket are made and checked.
    own_directories: usize,
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
        // The default path means the same whether it is named or not: `mcp-chat` and `v1`.
        let own_directories = if path == default { 2 } else { 1 };
        Ok(Self { path, own_directories })
    }

    /// The path of the socket, absolute.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Connects to the relay and makes sure that it is one of our own user.
    ///
    /// # Errors
    /// See [`ConnectError`].
    pub async fn connect(&self) -> Result<Stream, ConnectError> {
        for directory in self.directories() {
            directory::check(directory).map_err(DirectoryError::on_connect)?;
        }
        let name = socket_name(&self.path).map_err(ConnectError::Io)?;
        // Local sockets connect at once or not at all: there is nothing to wait for.
        let options = ConnectOptions::new().name(name).wait_mode(ConnectWaitMode::Deferred);
        let connected = options.connect_tokio_as::<RawStream>().await;
        let raw = connected.map_err(why_unconnected)?;
        // With a full backlog the socket comes back unconnected, without a word. It has no peer.
        let peer = peer(&raw).map_err(|_| ConnectError::Busy)?;
        if peer.uid != geteuid().as_raw() {
            return Err(ConnectError::Foreign { uid: peer.uid });
        }
        Ok(Stream { raw, peer })
    }

    /// Becomes the relay of this endpoint: makes the directory or checks it, takes the lock,
    /// binds and listens.
    ///
    /// # Errors
    /// See [`ListenError`].
    pub fn listen(&self) -> Result<Listener, ListenError> {
        for directory in self.directories() {
            directory::ensure(directory).map_err(|error| error.on_listen(&self.path))?;
        }
        let lock = Lock::take(beside(&self.path, ".lock"), &self.path)?;
        let (socket, identity) = bind(&self.path)?;
        Ok(Listener { socket, identity, path: self.path.clone(), lock })
    }

    /// The directories of our own above the socket, the outermost first.
    fn directories(&self) -> impl Iterator<Item = &Path> {
        let innermost_first = self.path.ancestors().skip(1).take(self.own_directories);
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
    /// Last, so that it is let go last.
    lock: Lock,
}

impl Listener {
    /// The next connection. Safe to cancel: no connection is lost.
    ///
    /// # Errors
    /// [`PermissionDenied`](io::ErrorKind::PermissionDenied) for one of another user; otherwise
    /// what the system says. None of them ends the listener.
    pub async fn accept(&self) -> io::Result<Stream> {
        let raw = self.socket.accept().await?;
        let peer = peer(&raw)?;
        if peer.uid != geteuid().as_raw() {
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
        (self.socket, self.identity) = bind(&self.path)?;
        Ok(())
    }
}

/// By user id alone: neither `$XDG_RUNTIME_DIR` nor `$TMPDIR`, which not every client passes on.
fn default_path() -> PathBuf {
    let uid = geteuid().as_raw();
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

/// Binds under a temporary name, listens, and only then takes the name that clients know: one
/// that finds it finds somebody listening. Only whoever holds the lock may call this.
fn bind(path: &Path) -> Result<(RawListener, Identity), ListenError> {
    let on_error = |error: io::Error| ListenError::Io { path: path.to_owned(), error };
    let temporary = temporary_path(path);
    refuse_all_but_a_socket(path)?;
    if refuse_all_but_a_socket(&temporary)? {
        fs::remove_file(&temporary).map_err(on_error)?;
    }
    let bound = || {
        let socket = ListenerOptions::new()
            .name(socket_name(&temporary)?)
            // It would delete whatever has the name then, a successor's socket included.
            .reclaim_name(false)
            .create_tokio_as::<RawListener>()?;
        listen(&socket, BACKLOG)?;
        let identity = Identity::of(&fs::symlink_metadata(&temporary)?);
        fs::rename(&temporary, path)?;
        Ok((socket, identity))
    };
    bound().map_err(on_error)
}

/// Whether there is a socket; anything else but nothing is an error.
fn refuse_all_but_a_socket(path: &Path) -> Result<bool, ListenError> {
    use std::os::unix::fs::FileTypeExt as _;

    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.file_type().is_socket() => Ok(true),
        Ok(metadata) => {
            let (path, kind) = (path.display(), kind(&metadata));
            Err(ListenError::Insecure(format!("{path} is {kind}, not a socket; remove it")))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(ListenError::Io { path: path.to_owned(), error }),
    }
}

/// Another name in the same directory, of the same length because that is bounded.
fn temporary_path(path: &Path) -> PathBuf {
    let mut name = path.file_name().map(OsStr::to_owned).unwrap_or_default().into_vec();
    // The whole last character, for some file systems insist on UTF-8.
    let last = name.iter().rposition(|byte| byte & 0b1100_0000 != 0b1000_0000).unwrap_or(0);
    let substitute = if name.ends_with(b"~") { b'+' } else { b'~' };
    name[last..].fill(substitute);
    path.with_file_name(OsString::from_vec(name))
}

fn why_unconnected(error: io::Error) -> ConnectError {
    use io::ErrorKind::{ConnectionRefused, NotFound, WouldBlock};

    if matches!(error.kind(), NotFound | ConnectionRefused) {
        ConnectError::Absent
    } else if error.kind() == WouldBlock {
        ConnectError::Busy
    } else {
        ConnectError::Io(error)
    }
}

fn socket_name(path: &Path) -> io::Result<Name<'_>> {
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
