//! Beside a pipe there is no place to keep one, and no key that it could outlive its relay with.

use std::{io, path::Path};

/// There is none.
pub(in crate::endpoint) fn load(_: &Path) -> Result<Option<u64>, String> {
    Ok(None)
}

/// Does nothing: whatever an epoch orders goes with the relay.
pub(in crate::endpoint) fn store(_: &Path, _: u64) -> Result<(), String> {
    Ok(())
}

/// Does nothing.
pub(in crate::endpoint) fn forget(_: &Path) -> io::Result<()> {
    Ok(())
}
