//! Being the relay of an endpoint, the only one.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub use unix::Listener;
#[cfg(windows)]
pub use windows::Listener;

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
