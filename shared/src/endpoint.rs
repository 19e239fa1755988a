//! Where relay and clients meet: the socket's path, its directory, the lock that makes the relay
//! the only one, and who is at the other end. No other part of the product may know which
//! operating system it runs on.
//!
//! | system | default path | what makes the relay the only one |
//! |---|---|---|
//! | Linux | `/run/user/<uid>/mcp-chat/v1/relay.sock`, or as below without that directory | a lock on `relay.sock.lock` |
//! | other Unix | `/tmp/mcp-chat-<uid>/v1/relay.sock` | the same |
//! | Windows | `\\.\pipe\mcp-chat-v1-<user>` | the first instance of the pipe |
//!
//! The path depends on the user id alone, because MCP clients start their servers with the most
//! different environments, and two shims of one user have to meet.
//!
//! Every account of a computer can meet at one relay, at a path that its user names. There, only
//! the account that the directory belongs to can be the relay; where the kernel says that somebody
//! else is, clients go away. Windows has no such place.

#[cfg(unix)]
mod bind;
#[cfg(unix)]
mod directory;
#[cfg(unix)]
mod key;
#[cfg(unix)]
mod lock;
#[cfg(unix)]
mod unix;
#[cfg(unix)]
mod way;
#[cfg(windows)]
mod windows;

use std::{
    io::{self, IoSlice},
    path::PathBuf,
    pin::Pin,
    task::{Context, Poll},
};

use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

pub use system::{Endpoint, Listener};

/// The environment variable that names the socket where no option does.
pub const SOCKET_VARIABLE: &str = "MCP_CHAT_SOCKET";

/// Why a path cannot be that of a socket.
#[derive(Debug, Error)]
pub enum EndpointError {
    /// Longer than the kernel allows.
    #[error("the socket path {path} has {bytes} bytes; at most {max_bytes} are allowed")]
    PathTooLong {
        /// The path.
        path: PathBuf,
        /// Its length.
        bytes: usize,
        /// [`SOCKET_PATH_BYTES`](crate::limits::SOCKET_PATH_BYTES).
        max_bytes: usize,
    },
    /// It does not end in the name of a file.
    #[error("the socket path {path} names no file")]
    NoFileName {
        /// The path.
        path: PathBuf,
    },
    /// The current directory, from which a relative path counts, is unknown.
    #[error("the socket path {path} cannot be made absolute: {error}")]
    NotAbsolute {
        /// The path.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// Why there is no connection to a relay.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// There is no socket, or nobody listens on it.
    #[error("no relay is running")]
    Absent,
    /// A relay is there but has no room for one more connection just now.
    #[error("the relay is busy")]
    Busy,
    /// There is none, and no client may start one, because other accounts can be here too; says
    /// who has to.
    #[error("no relay is running: {0}")]
    AbsentShared(String),
    /// Whoever listens is another user than the one whose relay can be there.
    #[error("the relay's socket belongs to another user (uid {uid}) than its directory")]
    Foreign {
        /// That user.
        uid: u32,
    },
    /// The socket's directory is open to others; says which and how.
    #[error("{0}")]
    Insecure(String),
    /// Anything else.
    #[error("cannot connect to the relay: {0}")]
    Io(io::Error),
}

/// Why a relay cannot listen.
#[derive(Debug, Error)]
pub enum ListenError {
    /// Another relay holds the lock.
    #[error("already running{}", pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default())]
    AlreadyRunning {
        /// Its process id, where it can be told.
        pid: Option<u32>,
    },
    /// The socket's directory, or what stands in the place of the socket or the lock, is not
    /// what it should be; says which and how.
    #[error("{0}")]
    Insecure(String),
    /// It was to listen to every account, and this system cannot.
    #[error("on this system a relay serves the account that runs it, and no other")]
    OwnAccountOnly,
    /// Anything else.
    #[error("cannot listen on {path}: {error}")]
    Io {
        /// The socket.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// Whom a relay lets connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// The account that runs it.
    OwnAccount,
    /// Every account of this computer.
    EveryAccount,
}

/// Whether this user runs this process.
#[must_use]
pub fn is_own_account(uid: u32) -> bool {
    uid == system::own_uid()
}

/// Whether this user may end a relay that this process is: who runs it, and root.
#[must_use]
pub fn is_in_charge(uid: u32) -> bool {
    uid == 0 || is_own_account(uid)
}

/// Who is at the other end of a connection, by the kernel's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// The effective user id; 0 for everybody on Windows, where only the own user can connect.
    pub uid: u32,
    /// The process id, where the system tells it.
    pub pid: Option<u32>,
}

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

/// Length of a relay's key.
pub const KEY_BYTES: usize = 32;

/// The secret under which a relay vouches for what its clients hold.
pub struct Key {
    /// The secret.
    pub bytes: [u8; KEY_BYTES],
    /// Where it comes from.
    pub origin: KeyOrigin,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("origin", &self.origin).finish_non_exhaustive()
    }
}

/// Where a key comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyOrigin {
    /// An earlier relay has left it: what that one vouched for still holds.
    Found,
    /// There was none.
    Made,
    /// There was one that could not be trusted, and why: what it vouched for is lost.
    Replaced(String),
    /// It cannot be kept, and why: what it vouches for is lost with this relay.
    Ephemeral(String),
}

/// A connection whose other end is known.
#[derive(Debug)]
pub struct Stream {
    raw: system::RawStream,
    peer: Peer,
}

impl Stream {
    /// Who is at the other end.
    #[must_use]
    pub fn peer(&self) -> Peer {
        self.peer
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.raw).poll_read(context, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.raw).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.raw).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.raw.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.raw).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.raw).poll_shutdown(context)
    }
}
