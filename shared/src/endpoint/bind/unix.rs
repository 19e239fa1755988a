//! Binding a socket, in a directory that is checked and locked.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, Permissions},
    io,
    os::unix::{
        ffi::OsStringExt as _,
        fs::{FileTypeExt as _, PermissionsExt as _},
    },
    path::{Path, PathBuf},
};

use interprocess::{
    local_socket::{ListenerOptions, Name, ToFsName as _},
    os::unix::local_socket::FilesystemUdSocket,
};
use rustix::net::listen;

use crate::{
    endpoint::{
        account::Audience,
        error::ListenError,
        file::{Identity, kind},
    },
    limits::BACKLOG,
};

pub(in crate::endpoint) type RawListener =
    interprocess::os::unix::uds_local_socket::tokio::Listener;

/// The mode of a socket that every account may connect to.
const SHARED_SOCKET_MODE: u32 = 0o666;

/// Binds under a temporary name, listens, and only then takes the name that clients know: a
/// client that finds it finds somebody listening. Only the holder of the lock may call this.
pub(in crate::endpoint) fn bind(
    path: &Path,
    audience: Audience,
) -> Result<(RawListener, Identity), ListenError> {
    let on_error = |error: io::Error| ListenError::Io { path: path.to_owned(), error };
    let temporary = temporary_path(path);
    refuse_all_but_a_socket(path)?;
    if refuse_all_but_a_socket(&temporary)? {
        fs::remove_file(&temporary).map_err(on_error)?;
    }
    let bound = || {
        let socket = ListenerOptions::new()
            .name(socket_name(&temporary)?)
            // It would delete whatever has the name then, a successor's socket included.
            .reclaim_name(false)
            .create_tokio_as::<RawListener>()?;
        listen(&socket, BACKLOG)?;
        let identity = Identity::of(&fs::symlink_metadata(&temporary)?);
        match audience {
            Audience::OwnAccount => {}
            Audience::EveryAccount => {
                let mode = Permissions::from_mode(SHARED_SOCKET_MODE);
                fs::set_permissions(&temporary, mode)?;
            }
        }
        fs::rename(&temporary, path)?;
        Ok((socket, identity))
    };
    bound().map_err(on_error)
}

/// Whether there is a socket; anything else but nothing is an error.
fn refuse_all_but_a_socket(path: &Path) -> Result<bool, ListenError> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.file_type().is_socket() => Ok(true),
        Ok(metadata) => {
            let (path, kind) = (path.display(), kind(&metadata));
            Err(ListenError::Insecure(format!("{path} is {kind}, not a socket; remove it")))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(ListenError::Io { path: path.to_owned(), error }),
    }
}

/// Another name in the same directory, of the same length because that is bounded.
fn temporary_path(path: &Path) -> PathBuf {
    let mut name = path.file_name().map(OsStr::to_owned).unwrap_or_default().into_vec();
    // The whole last character, for some file systems insist on UTF-8.
    let last = name.iter().rposition(|byte| byte & 0b1100_0000 != 0b1000_0000).unwrap_or(0);
    let substitute = if name.ends_with(b"~") { b'+' } else { b'~' };
    name[last..].fill(substitute);
    path.with_file_name(OsString::from_vec(name))
}

pub(in crate::endpoint) fn socket_name(path: &Path) -> io::Result<Name<'_>> {
    path.to_fs_name::<FilesystemUdSocket>()
}
