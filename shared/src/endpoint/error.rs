//! What can go wrong on the way to a relay, and what a user can do about it.

use std::{io, path::PathBuf};

use thiserror::Error;

/// The environment variable that names the socket where no option does.
pub const SOCKET_VARIABLE: &str = "MCP_CHAT_SOCKET";

/// Why a path cannot be that of a socket.
#[derive(Debug, Error)]
#[expect(missing_docs, reason = "the messages name the fields")]
pub enum EndpointError {
    /// Longer than the kernel allows.
    #[error("the socket path {path} has {bytes} bytes; at most {max_bytes} are allowed")]
    PathTooLong {
        path: PathBuf,
        bytes: usize,
        /// [`SOCKET_PATH_BYTES`](crate::limits::SOCKET_PATH_BYTES).
        max_bytes: usize,
    },
    /// It does not end in the name of a file.
    #[error("the socket path {path} names no file")]
    NoFileName { path: PathBuf },
    /// The current directory, from which a relative path counts, is unknown.
    #[error("the socket path {path} cannot be made absolute: {error}")]
    NotAbsolute { path: PathBuf, error: io::Error },
    /// The path comes from the environment.
    #[error("{SOCKET_VARIABLE}: {0}")]
    InVariable(Box<Self>),
}

/// Why there is no connection to a relay.
#[derive(Debug, Error)]
#[expect(missing_docs, reason = "the messages name the fields")]
pub enum ConnectError {
    /// There is no socket, or nobody listens on it.
    #[error("no relay is running")]
    Absent,
    /// A relay is there but has no room for one more connection just now.
    #[error("the relay is busy")]
    Busy,
    /// There is none, and no client may start one, because other accounts can be here too; says
    /// who must start it.
    #[error("no relay is running: {0}")]
    AbsentShared(String),
    /// The program that listens belongs to another user than the directory does.
    #[error("the relay's socket belongs to another user (uid {uid}) than its directory")]
    Foreign { uid: u32 },
    /// The socket's directory is open to others; says which and how.
    #[error("{0}")]
    Insecure(String),
    /// Anything else.
    #[error("cannot connect to the relay: {0}")]
    Io(io::Error),
}

/// Why a relay cannot listen.
#[derive(Debug, Error)]
#[expect(missing_docs, reason = "the messages name the fields")]
pub enum ListenError {
    /// Another relay holds the lock.
    #[error("already running{}", pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default())]
    AlreadyRunning {
        /// Its process id, if the lock file names it.
        pid: Option<u32>,
    },
    /// The socket's directory, or a file under the name of the socket or the lock, is not what it
    /// should be; says which and how.
    #[error("{0}")]
    Insecure(String),
    /// This system has no relay for every account.
    #[error("on this system a relay serves the account that runs it, and no other")]
    OwnAccountOnly,
    /// Anything else.
    #[error("cannot listen on {path}: {error}")]
    Io { path: PathBuf, error: io::Error },
}
