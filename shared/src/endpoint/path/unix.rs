//! In a directory of the user's own, or where the user says.

use std::path::{Path, PathBuf, absolute};

use crate::{
    endpoint::{account::own_uid, directory, error::EndpointError},
    limits::SOCKET_PATH_BYTES,
};

/// By user id alone: neither `$XDG_RUNTIME_DIR` nor `$TMPDIR`, which not every client passes on.
pub(super) fn default_path() -> PathBuf {
    let uid = own_uid();
    let runtime_directory = PathBuf::from(format!("/run/user/{uid}"));
    let is_ours = cfg!(target_os = "linux") && directory::check(&runtime_directory).is_ok();
    let directory = if is_ours {
        runtime_directory.join("mcp-chat")
    } else {
        PathBuf::from(format!("/tmp/mcp-chat-{uid}"))
    };
    directory.join("v1").join("relay.sock")
}

/// The path of a socket that this is, absolute.
pub(super) fn checked(path: &Path) -> Result<PathBuf, EndpointError> {
    let path = absolute(path)
        .map_err(|error| EndpointError::NotAbsolute { path: path.to_owned(), error })?;
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(EndpointError::NoFileName { path });
    };
    let path = directory.join(name);
    let bytes = path.as_os_str().len();
    if bytes > SOCKET_PATH_BYTES {
        return Err(EndpointError::PathTooLong { path, bytes, max_bytes: SOCKET_PATH_BYTES });
    }
    Ok(path)
}
