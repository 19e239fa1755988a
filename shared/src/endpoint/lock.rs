//! The lock that makes a relay the only one. It is held for life, and its file is never deleted, or
//! two relays could hold locks on two files of one name.

use std::{
    fs::{self, File, TryLockError},
    io,
    os::unix::fs::{FileExt as _, MetadataExt as _},
    path::{Path, PathBuf},
    process,
};

use rustix::fs::{Mode, OFlags, open};

use super::{
    account::own_uid,
    error::ListenError,
    file::{Identity, kind},
};

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    path: PathBuf,
    identity: Identity,
    /// Holds the lock by being open.
    _file: File,
}

impl Lock {
    pub(super) fn take(path: PathBuf, socket: &Path) -> Result<Self, ListenError> {
        let on_error = |error: io::Error| ListenError::Io { path: socket.to_owned(), error };
        loop {
            let file = open_lock_file(&path, on_error)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Interrupted => {
                    continue;
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(ListenError::AlreadyRunning { pid: read_pid(&file) });
                }
                Err(TryLockError::Error(error)) => return Err(on_error(error)),
            }
            let identity = Identity::of(&file.metadata().map_err(on_error)?);
            // Somebody may have deleted the file between opening and locking it.
            if identity.is_at(&path) {
                // The pid is there only to be shown: a full disk must not stop the relay.
                let _written = write_pid(&file);
                return Ok(Self { path, identity, _file: file });
            }
        }
    }

    /// Whether the file that is locked still has its name.
    pub(super) fn is_in_place(&self) -> bool {
        self.identity.is_at(&self.path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

fn open_lock_file(
    path: &Path,
    on_error: impl Fn(io::Error) -> ListenError,
) -> Result<File, ListenError> {
    // Not blocking, in case it is a FIFO.
    let flags =
        OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let (file, metadata) = match open(path, flags, Mode::RUSR | Mode::WUSR) {
        Ok(file) => {
            let file = File::from(file);
            let metadata = file.metadata().map_err(&on_error)?;
            (Ok(file), metadata)
        }
        // Its metadata say why, where one may see them.
        Err(error) => match fs::symlink_metadata(path) {
            Ok(metadata) => (Err(on_error(error.into())), metadata),
            Err(_) => return Err(on_error(error.into())),
        },
    };
    let (name, uid, mode) = (path.display(), metadata.uid(), metadata.mode() & 0o7777);
    // Anybody who can open the file can hold the lock, and a relay would seem to run for ever.
    let reason = if !metadata.is_file() {
        format!("the lock file {name} is {}; remove it", kind(&metadata))
    } else if uid != own_uid() {
        format!("the lock file {name} belongs to another user (uid {uid}); remove it: `rm {name}`")
    } else if mode & 0o077 != 0 {
        format!(
            "the lock file {name} is open to others (mode {mode:04o}, wanted 0600), and one of \
             them may hold it; remove it: `rm {name}`"
        )
    } else {
        return file;
    };
    Err(ListenError::Insecure(reason))
}

fn write_pid(file: &File) -> io::Result<()> {
    file.set_len(0)?;
    file.write_all_at(format!("{}\n", process::id()).as_bytes(), 0)
}

fn read_pid(file: &File) -> Option<u32> {
    let mut digits = [0; 16];
    let length = file.read_at(&mut digits, 0).ok()?;
    str::from_utf8(&digits[..length]).ok()?.trim().parse().ok()
}
