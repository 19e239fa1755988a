//! Files by what they are, whatever their name, and what their names lead through.

use std::{
    fs::{self, Metadata},
    io,
    os::unix::fs::MetadataExt as _,
    path::{Component, Path, PathBuf},
};

use rustix::io::Errno;

/// As many symbolic links as Linux follows in one path.
const LINKS: usize = 40;

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

/// Removes a file, if it is there.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Every directory that an absolute path leads through, itself included, and every symbolic link:
/// also those that only links lead through. An account that can change any of it decides where the
/// path ends.
pub(super) fn path_walk(path: &Path) -> io::Result<Vec<(PathBuf, Metadata)>> {
    let mut passed = Vec::new();
    let mut links = 0;
    // The next one last.
    let mut ahead = parts(path);
    // Never through a link, so that its parent is where `..` leads.
    let mut at = PathBuf::from("/");
    while let Some(part) = ahead.pop() {
        let next = at.join(&part);
        let metadata = fs::symlink_metadata(&next)?;
        if metadata.is_symlink() {
            links += 1;
            if links > LINKS {
                return Err(Errno::LOOP.into());
            }
            ahead.extend(parts(&fs::read_link(&next)?));
            passed.push((next, metadata));
        } else {
            at = if part == Path::new("..") { at.parent().unwrap_or(&at).to_owned() } else { next };
            passed.push((at.clone(), metadata));
        }
    }
    Ok(passed)
}

/// The last one first.
fn parts(path: &Path) -> Vec<PathBuf> {
    let parts = path.components().filter(|part| *part != Component::CurDir);
    parts.rev().map(|part| PathBuf::from(part.as_os_str())).collect()
}
