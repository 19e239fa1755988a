//! How a client reaches a relay, and makes sure that it is the right one.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;
