//! What a path leads through: an account that can change any of it decides where the path ends.

use std::{
    fs::{self, Metadata},
    io,
    path::{Component, Path, PathBuf},
};

use rustix::io::Errno;

/// As many symbolic links as Linux follows in one path.
const LINKS: usize = 40;

/// Every directory that an absolute path leads through, itself included, and every symbolic link:
/// also those that only links lead through.
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
