//! The directory of the socket. One of this account alone: nobody else may enter it, so what is in
//! it can be trusted. One that is shared: others may enter it, but only the account that it belongs
//! to can change what is in it, so what is in it can be trusted as far as that account.

use std::{
    fs::{self, DirBuilder, Metadata, Permissions},
    io,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use super::{
    account::own_uid,
    error::{ConnectError, ListenError, SOCKET_VARIABLE},
    file::{kind, path_walk},
};

/// What others may do in a shared directory that a relay makes: reach the socket, by its name.
const SHARED_MODE: u32 = 0o711;
/// The bits of a mode that let others write.
const OTHERS_WRITE: u32 = 0o022;
/// The bits of a mode that let others enter.
const OTHERS_ENTER: u32 = 0o011;
/// Of a directory: what others have put there is theirs alone.
const STICKY: u32 = 0o1000;

/// Why a directory cannot hold a socket.
pub(super) enum DirectoryError {
    Insecure(String),
    Io(io::Error),
}

impl DirectoryError {
    pub(super) fn on_listen(self, socket: &Path) -> ListenError {
        match self {
            Self::Insecure(reason) => ListenError::Insecure(reason),
            Self::Io(error) => ListenError::Io { path: socket.to_owned(), error },
        }
    }

    pub(super) fn on_connect(self) -> ConnectError {
        match self {
            Self::Insecure(reason) => ConnectError::Insecure(reason),
            Self::Io(error) if error.kind() == io::ErrorKind::NotFound => ConnectError::Absent,
            Self::Io(error) => ConnectError::Io(error),
        }
    }
}

/// Makes the directory, if it is missing, and checks it. Its parent must exist.
pub(super) fn ensure(directory: &Path) -> Result<(), DirectoryError> {
    match DirBuilder::new().mode(0o700).create(directory) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(DirectoryError::Io(error))
        }
        Ok(()) | Err(_) => check(directory),
    }
}

/// Checks that this is a real directory of our own that is open to nobody else.
pub(super) fn check(directory: &Path) -> Result<(), DirectoryError> {
    let metadata = fs::symlink_metadata(directory).map_err(DirectoryError::Io)?;
    let path = directory.display();
    let mode = metadata.mode() & 0o7777;
    let uid = metadata.uid();
    let reason = if !metadata.is_dir() {
        no_directory(directory, &metadata)
    } else if uid != own_uid() {
        of_another_user(directory, uid)
    } else if mode & 0o077 != 0 {
        format!(
            "the directory {path} is open to others (mode {mode:04o}, wanted 0700); close it with \
             `chmod 0700 {path}`"
        )
    } else {
        return Ok(());
    };
    Err(DirectoryError::Insecure(reason))
}

/// Whose relay can be in a directory.
pub(super) enum Host {
    /// One of our own, and nobody else can be there.
    OwnAccount,
    /// One of this account, which may be another than ours; others may enter.
    Shared { uid: u32, mode: u32 },
}

/// Whose relay can be in this directory, which the user has named. An error if there is no telling.
pub(super) fn host(directory: &Path) -> Result<Host, DirectoryError> {
    let metadata = fs::symlink_metadata(directory).map_err(|error| {
        let closed = closed_above(directory).filter(|_| is_denied(&error));
        closed.map_or(DirectoryError::Io(error), DirectoryError::Insecure)
    })?;
    let (uid, mode) = (metadata.uid(), metadata.mode() & 0o7777);
    if metadata.is_dir() && uid == own_uid() && mode & 0o077 == 0 {
        return Ok(Host::OwnAccount);
    }
    check_shared(directory, &metadata)?;
    check_above(directory, uid)?;
    Ok(Host::Shared { uid, mode })
}

/// Where others could make this directory, which is missing, just as well: the one above that they
/// can write to, and its mode.
pub(super) fn open_above(directory: &Path) -> Option<(&Path, u32)> {
    let parent = directory.parent()?;
    let mode = fs::metadata(parent).ok()?.mode() & 0o7777;
    (mode & OTHERS_WRITE != 0).then_some((parent, mode))
}

/// What keeps this process from coming as far as this directory, for people.
fn closed_above(directory: &Path) -> Option<String> {
    let denied = |path: &Path| fs::metadata(path).is_err_and(|error| is_denied(&error));
    let beyond = directory.ancestors().take_while(|path| denied(path)).last()?;
    let closed = beyond.parent()?;
    let metadata = fs::metadata(closed).ok()?;
    Some(closed_to_us(closed, metadata.uid(), metadata.mode() & 0o7777))
}

pub(super) fn closed_to_us(directory: &Path, uid: u32, mode: u32) -> String {
    let (path, elsewhere) = (directory.display(), elsewhere());
    format!(
        "the directory {path} belongs to another user (uid {uid}) and is closed to you (mode \
         {mode:04o}); ask for it to be opened, or {elsewhere}"
    )
}

fn is_denied(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied
}

/// Makes the directory, if it is missing, so that others can enter it, and checks that they can and
/// that it is ours. Its parent must exist.
pub(super) fn ensure_shared(directory: &Path) -> Result<(), DirectoryError> {
    // First: if others can replace this directory, it must be neither made nor opened.
    let above = check_above(directory, own_uid())?;
    match DirBuilder::new().mode(SHARED_MODE).create(directory) {
        Ok(()) => fs::set_permissions(directory, Permissions::from_mode(SHARED_MODE))
            .map_err(DirectoryError::Io)?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(DirectoryError::Io(error)),
    }
    let metadata = fs::symlink_metadata(directory).map_err(DirectoryError::Io)?;
    check_shared(directory, &metadata)?;
    let (path, uid, mode) = (directory.display(), metadata.uid(), metadata.mode() & 0o7777);
    let reason = if uid != own_uid() {
        of_another_user(directory, uid)
    } else if mode & OTHERS_ENTER == 0 {
        format!(
            "no other account can enter the directory {path} (mode {mode:04o}); let them with \
             `chmod {SHARED_MODE:04o} {path}`"
        )
    } else {
        return check_reachable(directory, &metadata, &above);
    };
    Err(DirectoryError::Insecure(reason))
}

/// Checks that those who can enter this directory, all or a group, can enter all above it.
fn check_reachable(
    directory: &Path,
    metadata: &Metadata,
    above: &[(PathBuf, Metadata)],
) -> Result<(), DirectoryError> {
    let group = (metadata.mode() & 0o001 == 0).then_some(metadata.gid());
    let lets_in = |above: &Metadata| {
        let to_group = above.mode() & 0o010 != 0 && group == Some(above.gid());
        above.is_symlink() || above.mode() & 0o001 != 0 || to_group
    };
    let Some((closed, closing)) = above.iter().find(|(_, above)| !lets_in(above)) else {
        return Ok(());
    };
    let (path, closed, mode) = (directory.display(), closed.display(), closing.mode() & 0o7777);
    Err(DirectoryError::Insecure(format!(
        "other accounts cannot reach the directory {path}: they cannot enter {closed} above it (mode \
         {mode:04o}); let them with `chmod o+x {closed}`, or {}",
        elsewhere()
    )))
}

fn check_shared(directory: &Path, metadata: &Metadata) -> Result<(), DirectoryError> {
    let path = directory.display();
    let mode = metadata.mode() & 0o7777;
    let reason = if !metadata.is_dir() {
        no_directory(directory, metadata)
    } else if mode & OTHERS_WRITE != 0 {
        format!(
            "others can write to the directory {path} (mode {mode:04o}); forbid it with \
             `chmod go-w {path}`"
        )
    } else {
        return Ok(());
    };
    Err(DirectoryError::Insecure(reason))
}

/// Checks that only root, this account and ours can replace this directory, in every directory that
/// its path leads through, symbolic links included. Returns those directories and links.
fn check_above(directory: &Path, uid: u32) -> Result<Vec<(PathBuf, Metadata)>, DirectoryError> {
    let Some(parent) = directory.parent() else { return Ok(Vec::new()) };
    let passed = path_walk(parent).map_err(DirectoryError::Io)?;
    for (above, metadata) in &passed {
        let (owner, mode) = (metadata.uid(), metadata.mode() & 0o7777);
        let link = if metadata.is_symlink() { "the symbolic link " } else { "" };
        let why = if ![0, uid, own_uid()].contains(&owner) {
            format!("belongs to a third user (uid {owner}); {}", elsewhere())
        } else if metadata.is_dir() && mode & OTHERS_WRITE != 0 && mode & STICKY == 0 {
            let above = above.display();
            format!("lets others write (mode {mode:04o}); forbid it with `chmod go-w {above}`")
        } else {
            continue;
        };
        let (path, above) = (directory.display(), above.display());
        return Err(DirectoryError::Insecure(format!(
            "others can replace the directory {path}: {link}{above} above it {why}"
        )));
    }
    Ok(passed)
}

fn no_directory(path: &Path, metadata: &Metadata) -> String {
    format!("{} is {}, not a directory; {}", path.display(), kind(metadata), elsewhere())
}

fn of_another_user(directory: &Path, uid: u32) -> String {
    let path = directory.display();
    format!("the directory {path} belongs to another user (uid {uid}); {}", elsewhere())
}

/// What to do if the directory cannot be put right.
fn elsewhere() -> String {
    format!("name a path elsewhere with --socket or {SOCKET_VARIABLE}")
}
