//! Taking the name that clients know.

#[cfg_attr(unix, path = "bind/unix.rs")]
#[cfg_attr(windows, path = "bind/windows.rs")]
mod system;

pub(super) use system::{RawListener, bind, socket_name};
