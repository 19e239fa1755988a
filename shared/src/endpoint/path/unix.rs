//! In a directory of the user's own, or where the user says.

use std::path::{Path, PathBuf, absolute};

use crate::{
    endpoint::{account::own_uid, directory, error::EndpointError},
    limits::SOCKET_PATH_BYTES,
};

/// By user id alone: neither `$XDG_RUNTIME_DIR` nor `$TMPDIR`, which not every client passes on.
pub(super) fn default_path() -> PathBuf {
    let runtime_directory = runtime_directory();
    let is_ours = cfg!(target_os = "linux") && directory::check(&runtime_directory).is_ok();
    if is_ours { in_runtime(&runtime_directory) } else { without_runtime() }
}

/// Also the one that is not the default now: the runtime directory comes and goes with the user.
pub(super) fn is_default(path: &Path) -> bool {
    path == without_runtime()
        || cfg!(target_os = "linux") && path == in_runtime(&runtime_directory())
}

fn runtime_directory() -> PathBuf {
    PathBuf::from(format!("/run/user/{}", own_uid()))
}

fn in_runtime(runtime_directory: &Path) -> PathBuf {
    runtime_directory.join("mcp-chat").join("v1").join("relay.sock")
}

fn without_runtime() -> PathBuf {
    PathBuf::from(format!("/tmp/mcp-chat-{}", own_uid())).join("v1").join("relay.sock")
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
