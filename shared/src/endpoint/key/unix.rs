//! A key in a file beside the socket.

use std::path::Path;

use super::{KEY_BYTES, Key, KeyOrigin};
use crate::endpoint::kept;

pub(in crate::endpoint) use crate::endpoint::file::remove as forget;

/// The key in this file; if there is none, or none that can be trusted, `fresh`, which is then
/// kept there for the next relay.
pub(in crate::endpoint) fn load_or_make(path: &Path, fresh: [u8; KEY_BYTES]) -> Key {
    let found = match kept::read(path) {
        Ok(Some(bytes)) => return Key { bytes, origin: KeyOrigin::Found },
        Ok(None) => None,
        Err(reason) => Some(reason),
    };
    let origin = match (kept::write(path, &fresh), found) {
        (Ok(()), None) => KeyOrigin::Made,
        (Ok(()), Some(reason)) => KeyOrigin::Replaced(reason),
        (Err(reason), _) => KeyOrigin::Ephemeral(reason),
    };
    Key { bytes: fresh, origin }
}
