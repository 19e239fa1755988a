//! Beside a pipe there is no place to keep a key.

use std::{io, path::Path};

use super::{KEY_BYTES, Key, KeyOrigin};

/// `fresh`, for this relay only.
pub(in crate::endpoint) fn load_or_make(_: &Path, fresh: [u8; KEY_BYTES]) -> Key {
    let reason = "there is no place for it on this system".to_owned();
    Key { bytes: fresh, origin: KeyOrigin::Ephemeral(reason) }
}

/// Does nothing: the key goes with the relay.
pub(in crate::endpoint) fn forget(_: &Path) -> io::Result<()> {
    Ok(())
}
