//! The highest epoch of a relay under one key. It lies beside the key, and goes with it.

#[cfg_attr(unix, path = "epoch/unix.rs")]
#[cfg_attr(windows, path = "epoch/windows.rs")]
mod system;

pub(super) use system::{forget, load, store};
