//! Taking the name that clients know.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(super) use unix::{RawListener, bind, socket_name};
#[cfg(windows)]
pub(super) use windows::{RawListener, bind, pipe_name};
