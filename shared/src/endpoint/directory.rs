//! The directory of the socket: nobody else may enter it. What is in it can then be trusted.

use std::{
    fs::{self, DirBuilder, Metadata},
    io,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _},
    path::Path,
};

use rustix::process::geteuid;

use super::{ConnectError, ListenError};

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

/// Makes the directory, if it is missing, and checks it. Its parent has to exist.
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
        format!("{path} is {}, not a directory", kind(&metadata))
    } else if uid != geteuid().as_raw() {
        format!("the directory {path} belongs to another user (uid {uid})")
    } else if mode & 0o077 != 0 {
        format!("the directory {path} is open to others (mode {mode:04o}, wanted 0700)")
    } else {
        return Ok(());
    };
    Err(DirectoryError::Insecure(reason))
}

/// What kind of file this is, for people.
pub(super) fn kind(metadata: &Metadata) -> &'static str {
    let file_type = metadata.file_type();
    if file_type.is_symlink() {
        "a symbolic link"
    } else if file_type.is_dir() {
        "a directory"
    } else if file_type.is_file() {
        "a regular file"
    } else {
        "a special file"
    }
}

/// Which file this is, whatever its name: device and inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity(u64, u64);

impl Identity {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self(metadata.dev(), metadata.ino())
    }

    /// Whether `path` still names this file.
    pub(super) fn is_at(self, path: &Path) -> bool {
        fs::symlink_metadata(path).is_ok_and(|metadata| Self::of(&metadata) == self)
    }
}
