//! How a client reaches a relay, and makes sure that it is the right one.

#[cfg_attr(unix, path = "connect/unix.rs")]
#[cfg_attr(windows, path = "connect/windows.rs")]
mod system;
