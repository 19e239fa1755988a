//! The relay's key: what lets a relay know what an earlier one has vouched for. It lies beside the
//! socket, in a directory that nobody else can enter.

use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    os::unix::fs::MetadataExt as _,
    path::Path,
};

use rustix::{
    fs::{Mode, OFlags, open},
    process::geteuid,
};

use super::{KEY_BYTES, Key, KeyOrigin, directory::kind};

/// The key in this file; if there is none, or none that can be trusted, `fresh`, which is then
/// kept there for the next relay.
pub(super) fn load_or_make(path: &Path, fresh: [u8; KEY_BYTES]) -> Key {
    let found = match read(path) {
        Ok(Some(bytes)) => return Key { bytes, origin: KeyOrigin::Found },
        Ok(None) => None,
        Err(error) => Some(error.to_string()),
    };
    let origin = match (write(path, &fresh), found) {
        (Ok(()), None) => KeyOrigin::Made,
        (Ok(()), Some(reason)) => KeyOrigin::Replaced(reason),
        (Err(error), _) => KeyOrigin::Ephemeral(error.to_string()),
    };
    Key { bytes: fresh, origin }
}

fn read(path: &Path) -> io::Result<Option<[u8; KEY_BYTES]>> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let mut file = match open(path, flags, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(error) if io::Error::from(error).kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let metadata = file.metadata()?;
    let untrusted = |what: String| Err(io::Error::other(what));
    if !metadata.is_file() {
        return untrusted(format!("it is {}", kind(&metadata)));
    }
    if metadata.uid() != geteuid().as_raw() || metadata.mode() & 0o077 != 0 {
        return untrusted("others can read it".to_owned());
    }
    if metadata.len() != KEY_BYTES as u64 {
        return untrusted(format!("it has {} bytes instead of {KEY_BYTES}", metadata.len()));
    }
    let mut bytes = [0; KEY_BYTES];
    file.read_exact(&mut bytes)?;
    Ok(Some(bytes))
}

/// Under a name of its own first: a relay that is killed half-way leaves no half key.
fn write(path: &Path, bytes: &[u8; KEY_BYTES]) -> io::Result<()> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push("~");
    let unfinished = Path::new(&unfinished);
    remove(unfinished)?;
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let mut file = File::from(open(unfinished, flags, Mode::RUSR | Mode::WUSR)?);
    let written = file.write_all(bytes).and_then(|()| {
        if fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir()) {
            return Err(io::Error::other("it is a directory"));
        }
        fs::rename(unfinished, path)
    });
    if written.is_err() {
        let _removed = fs::remove_file(unfinished);
    }
    written
}

/// Takes a file away, if it is there.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}
