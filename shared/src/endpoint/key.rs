//! The relay's key: what lets a relay know what an earlier one has vouched for.

#[cfg_attr(unix, path = "key/unix.rs")]
#[cfg_attr(windows, path = "key/windows.rs")]
mod system;

pub(super) use system::{forget, load_or_make};

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
