//! In a file beside the socket, as eight bytes, the highest first.

use std::path::Path;

use crate::endpoint::kept;

pub(in crate::endpoint) use crate::endpoint::file::remove as forget;

/// The epoch in this file, if there is one; else why it cannot be trusted.
pub(in crate::endpoint) fn load(path: &Path) -> Result<Option<u64>, String> {
    Ok(kept::read(path)?.map(u64::from_be_bytes))
}

/// Keeps it there for the next relay; else tells why that cannot be.
pub(in crate::endpoint) fn store(path: &Path, epoch: u64) -> Result<(), String> {
    kept::write(path, &epoch.to_be_bytes())
}
