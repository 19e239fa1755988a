//! A socket in the file system, in a directory that is checked, under a name that a lock protects.

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

use interprocess::local_socket::ListenerOptions;
use rustix::net::listen;

use crate::{
    endpoint::{
        account::Audience,
        directory::{self, DirectoryError},
        error::ListenError,
        file::{Identity, kind},
        lock::Lock,
        path::{Endpoint, beside},
        stream::socket_name,
    },
    limits::BACKLOG,
};

pub(super) type RawListener = interprocess::os::unix::uds_local_socket::tokio::Listener;

/// The mode of a socket that every account may connect to.
const SHARED_SOCKET_MODE: u32 = 0o666;

/// The files by which clients and other relays know this one.
#[derive(Debug)]
pub(super) struct Names {
    socket: Identity,
    lock: Lock,
}

/// Makes the directory or checks it, takes the lock and binds.
pub(super) fn take_names(
    endpoint: &Endpoint,
    audience: Audience,
) -> Result<(RawListener, Names), ListenError> {
    let path = endpoint.path();
    let on_error = |error: DirectoryError| error.on_listen(path);
    match audience {
        Audience::OwnAccount => {
            for directory in endpoint.directories() {
                directory::ensure(directory).map_err(on_error)?;
            }
        }
        Audience::EveryAccount if endpoint.is_default => {
            let reason = format!("{} is for this account alone; name another path", path.display());
            return Err(ListenError::Insecure(reason));
        }
        Audience::EveryAccount => {
            directory::ensure_shared(endpoint.directory()).map_err(on_error)?;
        }
    }
    let lock = Lock::take(beside(path, ".lock"), path)?;
    let (listener, socket) = bind(path, audience)?;
    Ok((listener, Names { socket, lock }))
}

pub(super) fn unlink(socket: &Path) {
    let _removed = fs::remove_file(socket);
}

impl Names {
    /// Whether no other relay can run.
    pub(super) fn are_locked(&self) -> bool {
        self.lock.is_in_place()
    }

    /// Whether clients that go to this path find this relay.
    pub(super) fn lead_to(&self, path: &Path) -> bool {
        self.socket.is_at(path)
    }

    pub(super) fn rebind(
        &mut self,
        path: &Path,
        audience: Audience,
    ) -> Result<RawListener, ListenError> {
        if !self.are_locked() {
            let lock = self.lock.path().display();
            return Err(ListenError::Insecure(format!("the lock file {lock} is no longer ours")));
        }
        let (listener, socket) = bind(path, audience)?;
        self.socket = socket;
        Ok(listener)
    }
}

/// Binds under a temporary name, listens, and only then takes the name that clients know: a
/// client that finds it finds somebody listening. Only the holder of the lock may call this.
fn bind(path: &Path, audience: Audience) -> Result<(RawListener, Identity), ListenError> {
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
        if audience == Audience::EveryAccount {
            fs::set_permissions(&temporary, Permissions::from_mode(SHARED_SOCKET_MODE))?;
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
